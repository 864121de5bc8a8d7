//! One connection whose protocol the proxy understands.

use std::{
    future::pending,
    io,
    net::SocketAddr,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use kafka_protocol::{messages::ResponseHeader, protocol::Decodable};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpStream, tcp::OwnedWriteHalf},
    sync::mpsc,
    time::{Instant, sleep_until},
};

use crate::{
    action::{Action, AnswerRewrite},
    addresses,
    frame::{self, FrameReader},
    proxy::Shared,
    request::Request,
};

/// Requests, and answers, that one connection holds at most.
const PIPELINE: usize = 32;

/// What is to come to the client, in the order of its requests.
enum Expected {
    /// The broker's answer to this request, treated so.
    Answer(Request, Treatment),
    /// These bytes, from the script.
    Own(Bytes),
    /// The end of the connection.
    End,
}

/// What becomes of a broker's answer.
enum Treatment {
    /// The client gets it this much later.
    Pass(Duration),
    /// The client gets what the function makes of it.
    Rewrite(AnswerRewrite),
    /// The connection ends instead, and the process, if any, is killed.
    Lose(Option<u32>),
}

/// Bytes for the client and when they are due.
struct Delivery {
    due: Instant,
    bytes: Bytes,
}

/// Relays until one side closes or the connection is cut.
pub(crate) async fn relay(client: TcpStream, broker: SocketAddr, shared: &Arc<Shared>) -> io::Result<()> {
    let number = shared.next_connection();
    let mut cut = shared.cut.subscribe();
    let upstream = TcpStream::connect(broker).await?;
    client.set_nodelay(true)?;
    upstream.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_broker, to_broker) = upstream.into_split();
    let (expect, expected) = mpsc::channel(PIPELINE);
    let (deliver, deliveries) = mpsc::channel(PIPELINE);

    let requests =
        Requests { client: FrameReader::new(from_client), broker: to_broker, number, address: broker, expect };
    let answers = Answers { broker: FrameReader::new(from_broker), expected, deliver };
    let answers_and_deliveries = async {
        // Each ends when it has nothing more to give; what was answered before an end is still delivered.
        let (answered, delivered) = tokio::join!(answers.relay(shared), deliver_in_time(deliveries, to_client));
        answered.and(delivered)
    };
    tokio::select! {
        ended = requests.relay(shared) => ended,
        ended = answers_and_deliveries => ended,
        _ = cut.changed() => Ok(()),
    }
}

/// The way from the client to the broker.
struct Requests {
    client: FrameReader,
    broker: OwnedWriteHalf,
    number: u64,
    address: SocketAddr,
    expect: mpsc::Sender<Expected>,
}

impl Requests {
    /// Does with each request what the script says. Returns when the client is gone; after an end that the script
    /// ordered, or when the broker is gone, it waits for the answers under way to be delivered.
    async fn relay(mut self, shared: &Shared) -> io::Result<()> {
        while let Some(frame) = self.client.next().await? {
            let request = Request::read(&frame, self.number, self.address)?;
            let treatment = match shared.decide(&request) {
                Action::Forward => Treatment::Pass(Duration::ZERO),
                Action::Delay(delay) => Treatment::Pass(delay),
                Action::RewriteAnswer(rewrite) => Treatment::Rewrite(rewrite),
                Action::CutAfter => Treatment::Lose(None),
                Action::KillAfter(process) => Treatment::Lose(Some(process)),
                Action::Drop => return self.fall_silent(shared).await,
                Action::Answer(body) => {
                    self.expect(Expected::Own(request.answer(&body)?)).await;
                    continue;
                }
                Action::AnswerRaw(bytes) => {
                    self.expect(Expected::Own(bytes)).await;
                    continue;
                }
                Action::CutBefore => return self.end().await,
                Action::KillBefore(process) => {
                    kill(process).await?;
                    return self.end().await;
                }
            };
            let last = matches!(treatment, Treatment::Lose(_));
            // The answer is expected before the broker can give it.
            if request.wants_answer()? {
                self.expect(Expected::Answer(request, treatment)).await;
            }
            self.broker.write_all(&frame::write(&[&frame])?).await?;
            if last {
                return pending().await;
            }
        }
        Ok(())
    }

    /// Takes requests and counts them, until the client is gone.
    async fn fall_silent(&mut self, shared: &Shared) -> io::Result<()> {
        while let Some(frame) = self.client.next().await? {
            shared.count(&Request::read(&frame, self.number, self.address)?);
        }
        Ok(())
    }

    async fn end(&self) -> io::Result<()> {
        self.expect(Expected::End).await;
        pending().await
    }

    async fn expect(&self, expected: Expected) {
        if self.expect.send(expected).await.is_err() {
            pending::<()>().await;
        }
    }
}

/// The way from the broker to the client.
struct Answers {
    broker: FrameReader,
    expected: mpsc::Receiver<Expected>,
    deliver: mpsc::Sender<Delivery>,
}

impl Answers {
    /// Takes answers from the broker and from the script, in the order of the requests. Returns when the broker is gone
    /// or the script orders the end.
    async fn relay(mut self, shared: &Arc<Shared>) -> io::Result<()> {
        loop {
            let (due, bytes) = match self.next_expected().await? {
                Expected::End => return Ok(()),
                Expected::Own(bytes) => (Instant::now(), bytes),
                Expected::Answer(request, treatment) => {
                    let Some(frame) = self.broker.next().await? else { return Ok(()) };
                    let arrived = Instant::now();
                    match treatment {
                        Treatment::Pass(delay) => (arrived + delay, pass(shared, &request, frame, None).await?),
                        Treatment::Rewrite(rewrite) => (arrived, pass(shared, &request, frame, Some(rewrite)).await?),
                        Treatment::Lose(None) => return Ok(()),
                        Treatment::Lose(Some(process)) => return kill(process).await,
                    }
                }
            };
            if self.deliver.send(Delivery { due: due + shared.delay(), bytes }).await.is_err() {
                return Ok(());
            }
        }
    }

    /// What is due next. A broker that owes nothing can only close, and that is the end too.
    async fn next_expected(&mut self) -> io::Result<Expected> {
        tokio::select! {
            biased;
            Some(expected) = self.expected.recv() => Ok(expected),
            frame = self.broker.next() => match frame? {
                Some(_) => Err(frame::invalid("answer that nobody asked for".to_owned())),
                None => Ok(Expected::End),
            },
        }
    }
}

/// The answer as the client gets it: with the proxy's addresses, and rewritten if the script says so.
async fn pass(
    shared: &Arc<Shared>,
    request: &Request,
    frame: Bytes,
    rewrite: Option<AnswerRewrite>,
) -> io::Result<Bytes> {
    let mut body = frame.clone();
    let header = ResponseHeader::decode(&mut body, request.api_key.response_header_version(request.api_version))
        .map_err(|error| frame::invalid(format!("answer with a broken header: {error}")))?;
    if header.correlation_id != request.correlation_id {
        return Err(frame::invalid("answer to another request".to_owned()));
    }
    let body = addresses::replace(shared, request.api_key, request.api_version, body).await?;
    request.answer(&match rewrite {
        Some(rewrite) => rewrite(body),
        None => body,
    })
}

/// Writes to the client what is due, in order, until there is nothing more to come.
async fn deliver_in_time(mut deliveries: mpsc::Receiver<Delivery>, mut client: OwnedWriteHalf) -> io::Result<()> {
    while let Some(delivery) = deliveries.recv().await {
        sleep_until(delivery.due).await;
        client.write_all(&delivery.bytes).await?;
    }
    Ok(())
}

/// Kills the process with this id. The shell's own `kill` does it, for want of a safe call in the standard library.
async fn kill(process: u32) -> io::Result<()> {
    let killed = tokio::task::spawn_blocking(move || {
        Command::new("sh").args(["-c", r#"kill -KILL "$0""#, &process.to_string()]).stderr(Stdio::null()).status()
    });
    if killed.await.map_err(io::Error::other)??.success() {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::NotFound, format!("process {process} could not be killed")))
    }
}
