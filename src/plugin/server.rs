//! The gRPC server, from the first thing it listens on to the last thing it answers.

use std::{error::Error, sync::Arc, time::Duration};

use tokio::{sync::Notify, time::timeout};
use tonic::transport::server::{Router, Server};

use crate::{
    log,
    plugin::{
        connection::connections,
        controller::Controller,
        handshake::Host,
        health::Healthy,
        lifetime::Lifetime,
        listener::{Place, listen},
        reattach,
        signals::Signals,
        stdio::{Broker, Stdio},
        tls::Identity,
    },
    proto::{
        health::health_server::HealthServer,
        plugin::{
            grpc_broker_server::GrpcBrokerServer, grpc_controller_server::GrpcControllerServer,
            grpc_stdio_server::GrpcStdioServer,
        },
        tfplugin6::provider_server::{Provider, ProviderServer},
    },
};

/// As large as a message may be, in bytes. Go's own library for providers has the same limit.
const LARGEST_MESSAGE: usize = 256 << 20;

/// As many bytes as the host may send before it has to wait for us. All of it stays on the machine.
const WINDOW: u32 = 16 << 20;

/// How long the host may take to receive the answer to its request to end. It closes the connection then.
const LAST_ANSWER: Duration = Duration::from_millis(100);

/// Serves the host that started this process, and returns when the host is done or gone.
pub(super) async fn serve<P: Provider>(host: &Host, provider: impl FnOnce() -> P) -> Result<(), Box<dyn Error>> {
    let mut signals = Signals::catch()?;
    let (listener, _file) = listen(&host.place)?;
    let identity = host.certificate.as_deref().map(Identity::trusting).transpose()?;
    host.greet(listener.network, &listener.address, identity.as_ref().map(|it| it.certificate.as_ref()))?;

    let lifetime = Arc::new(Lifetime::default());
    let shutdown = Arc::new(Notify::new());
    let incoming = connections(listener, identity.map(|it| it.acceptor), Arc::clone(&lifetime));
    let server = services(provider(), Arc::clone(&shutdown)).serve_with_incoming(incoming);
    let reason = tokio::select! {
        res = server => return Ok(res?),
        () = answered(&shutdown, &lifetime) => "the host asked for it",
        _ = signals.terminate.recv() => "the system asked for it",
        reason = lifetime.orphaned() => reason,
    };
    log::debug("The provider ends", &[("reason", &reason)]);
    Ok(())
}

/// Serves whoever connects until a person or the system ends the process.
pub(super) async fn debug<P: Provider>(provider: impl FnOnce() -> P) -> Result<(), Box<dyn Error>> {
    let mut signals = Signals::catch()?;
    let (listener, _file) = listen(&Place::anywhere())?;
    reattach::announce(&listener)?;

    let shutdown = Arc::new(Notify::new());
    let incoming = connections(listener, None, Arc::default());
    let server = services(provider(), Arc::clone(&shutdown)).serve_with_incoming(incoming);
    tokio::select! {
        res = server => res?,
        () = shutdown.notified() => {}
        _ = signals.interrupt.recv() => {}
        _ = signals.terminate.recv() => {}
    }
    Ok(())
}

/// Returns when the host has asked the plugin to end and has the answer.
async fn answered(shutdown: &Notify, lifetime: &Lifetime) {
    shutdown.notified().await;
    // A host that keeps the connection has had its answer all the same.
    let _ = timeout(LAST_ANSWER, lifetime.closed()).await;
}

fn services<P: Provider>(provider: P, shutdown: Arc<Notify>) -> Router {
    let provider = ProviderServer::new(provider)
        .max_decoding_message_size(LARGEST_MESSAGE)
        .max_encoding_message_size(LARGEST_MESSAGE);
    Server::builder()
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .add_service(provider)
        .add_service(GrpcControllerServer::new(Controller { shutdown }))
        .add_service(GrpcStdioServer::new(Stdio))
        .add_service(GrpcBrokerServer::new(Broker))
        .add_service(HealthServer::new(Healthy))
}
