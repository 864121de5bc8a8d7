//! Connections as the gRPC server takes them: accepted, encrypted where the host wants it, and counted.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};
use tonic::transport::server::Connected;

use crate::{
    log,
    plugin::{
        lifetime::{Lifetime, Open},
        listener::{Listener, Socket},
    },
};

/// How long a client may take to prove who it is.
const TLS_PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait when the system has no resources for another connection.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// A connection of the host.
pub(super) struct Connection {
    socket: Box<dyn Socket>,
    _open: Open,
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connection").finish_non_exhaustive()
    }
}

/// Accepts for as long as the stream is read. A client that fails to prove itself delays nobody.
pub(super) fn connections(
    listener: Listener,
    tls: Option<TlsAcceptor>,
    lifetime: Arc<Lifetime>,
) -> impl Stream<Item = io::Result<Connection>> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok(socket) => drop(tokio::spawn(admit(socket, tls.clone(), Arc::clone(&lifetime), sender.clone()))),
                Err(error) => {
                    log::error("A connection could not be accepted", &[("error", &error)]);
                    sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    });
    ReceiverStream::new(receiver).map(Ok)
}

async fn admit(
    socket: Box<dyn Socket>,
    tls: Option<TlsAcceptor>,
    lifetime: Arc<Lifetime>,
    sender: mpsc::Sender<Connection>,
) {
    let socket = match tls {
        None => Ok(socket),
        Some(tls) => encrypted(socket, &tls).await,
    };
    match socket {
        // An error means that the server is ending.
        Ok(socket) => drop(sender.send(Connection { socket, _open: lifetime.open() }).await),
        Err(error) => log::warn("A connection was refused", &[("error", &error)]),
    }
}

async fn encrypted(socket: Box<dyn Socket>, tls: &TlsAcceptor) -> io::Result<Box<dyn Socket>> {
    let stream = timeout(TLS_PATIENCE, tls.accept(socket)).await??;
    Ok(Box::new(stream))
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
