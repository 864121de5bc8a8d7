//! One connection whose bytes the proxy does not understand.

use std::{io, net::SocketAddr, sync::Arc};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    time::{Instant, sleep_until},
};

use crate::proxy::Shared;

/// Pieces of the broker's bytes that wait for their time, and the length of each at most.
const PIECES: usize = 256;
const PIECE: usize = 16 << 10;

/// Relays until one side closes or the connection is cut.
pub(crate) async fn relay(client: TcpStream, broker: SocketAddr, shared: &Arc<Shared>) -> io::Result<()> {
    shared.next_connection();
    let mut cut = shared.cut.subscribe();
    let upstream = TcpStream::connect(broker).await?;
    client.set_nodelay(true)?;
    upstream.set_nodelay(true)?;
    let (mut from_client, to_client) = client.into_split();
    let (from_broker, mut to_broker) = upstream.into_split();
    let (deliver, deliveries) = mpsc::channel(PIECES);
    let answers = async {
        let (read, delivered) =
            tokio::join!(read(from_broker, deliver, shared), deliver_in_time(deliveries, to_client));
        read.and(delivered)
    };
    tokio::select! {
        ended = copy(&mut from_client, &mut to_broker) => ended.map(|_| ()),
        ended = answers => ended,
        _ = cut.changed() => Ok(()),
    }
}

/// Reads until the broker closes or has sent as many bytes as a connection may get.
async fn read(mut broker: OwnedReadHalf, deliver: mpsc::Sender<(Instant, Bytes)>, shared: &Shared) -> io::Result<()> {
    let mut left = shared.answer_bytes();
    while left > 0 {
        let mut piece = BytesMut::with_capacity(PIECE);
        if broker.read_buf(&mut piece).await? == 0 {
            break;
        }
        piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= piece.len() as u64;
        if deliver.send((Instant::now() + shared.delay(), piece.freeze())).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Writes to the client what is due, in order, until there is nothing more to come.
async fn deliver_in_time(
    mut deliveries: mpsc::Receiver<(Instant, Bytes)>,
    mut client: OwnedWriteHalf,
) -> io::Result<()> {
    while let Some((due, bytes)) = deliveries.recv().await {
        sleep_until(due).await;
        client.write_all(&bytes).await?;
    }
    Ok(())
}
