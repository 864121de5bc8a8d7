//! Free ports.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
};

/// One port for each listener of the broker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) plaintext: u16,
    pub(super) controller: u16,
    pub(super) sasl_ssl: u16,
    pub(super) mutual_tls: u16,
}

impl Ports {
    /// Ports that the system calls free at this moment.
    pub(super) fn choose() -> io::Result<Self> {
        // All are held before the first is given back, so that they differ.
        let listeners = [bind()?, bind()?, bind()?, bind()?];
        let [plaintext, controller, sasl_ssl, mutual_tls] = listeners.each_ref().map(TcpListener::local_addr);
        Ok(Self {
            plaintext: plaintext?.port(),
            controller: controller?.port(),
            sasl_ssl: sasl_ssl?.port(),
            mutual_tls: mutual_tls?.port(),
        })
    }
}

/// `localhost:<port>`, under which the broker's certificate knows it.
pub(super) fn address(port: u16) -> String {
    format!("localhost:{port}")
}

/// A port that the system calls free at this moment.
pub(super) fn one() -> io::Result<u16> {
    Ok(bind()?.local_addr()?.port())
}

/// Two ports that the system calls free at this moment.
pub(super) fn two() -> io::Result<[u16; 2]> {
    let [one, other] = [bind()?, bind()?];
    Ok([one.local_addr()?.port(), other.local_addr()?.port()])
}

fn bind() -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
}
