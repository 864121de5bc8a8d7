//! One port of the proxy: accepts connections, or refuses them as a broker that is down does.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::JoinSet,
};

use crate::{connection, opaque, proxy::Shared};

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// A port, accepting or not. A bound socket that does not listen keeps the port and has the kernel refuse whoever
/// connects.
pub(crate) enum Port {
    Open(TcpListener),
    Closed(TcpSocket),
}

impl Port {
    /// This port of the loopback interface, or a free one for 0.
    pub(crate) fn bind(number: u16) -> io::Result<TcpSocket> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, number).into())?;
        Ok(socket)
    }

    /// A bound socket, accepting or not.
    pub(crate) fn new(socket: TcpSocket, refuse: bool) -> io::Result<Self> {
        Ok(if refuse { Self::Closed(socket) } else { Self::Open(socket.listen(BACKLOG)?) })
    }
}

/// Serves a port for `broker` until the task is aborted, which ends its connections too. `refuses` follows the proxy's
/// wish to refuse connections.
///
/// The future is boxed because a connection that finds another broker starts to serve a port for it.
pub(crate) fn serve(
    mut port: Port,
    broker: SocketAddr,
    shared: Arc<Shared>,
    refuses: watch::Sender<bool>,
) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send>> {
    Box::pin(async move {
        let mut refuse = shared.refuse.subscribe();
        let mut connections = Connections { broker, shared: Arc::clone(&shared), tasks: JoinSet::new() };
        loop {
            port = match port {
                Port::Open(listener) => {
                    refuses.send_replace(false);
                    connections.accept_until_refused(&listener, &mut refuse).await;
                    let number = listener.local_addr()?.port();
                    // Whoever connected before has a connection already, even if it was not accepted yet.
                    let listener = listener.into_std()?;
                    while let Ok((client, _)) = listener.accept() {
                        client.set_nonblocking(true)?;
                        connections.serve(TcpStream::from_std(client)?);
                    }
                    drop(listener);
                    Port::Closed(Port::bind(number)?)
                }
                Port::Closed(socket) => {
                    refuses.send_replace(true);
                    // The sender lives in `shared`.
                    let _ = refuse.wait_for(|refuse| !refuse).await;
                    Port::new(socket, false)?
                }
            }
        }
    })
}

/// The connections of one port. They end when this is dropped.
struct Connections {
    broker: SocketAddr,
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

impl Connections {
    async fn accept_until_refused(&mut self, listener: &TcpListener, refuse: &mut watch::Receiver<bool>) {
        loop {
            tokio::select! {
                // A client that is gone before it is accepted is no reason to stop.
                accepted = listener.accept() => if let Ok((client, _)) = accepted {
                    self.serve(client);
                },
                Some(_) = self.tasks.join_next() => {}
                _ = refuse.wait_for(|refuse| *refuse) => return,
            }
        }
    }

    fn serve(&mut self, client: TcpStream) {
        let (broker, shared) = (self.broker, Arc::clone(&self.shared));
        self.tasks.spawn(async move {
            let ended = if shared.opaque {
                opaque::relay(client, broker, &shared).await
            } else {
                connection::relay(client, broker, &shared).await
            };
            if let Err(error) = ended {
                shared.note(&error);
            }
        });
    }
}
