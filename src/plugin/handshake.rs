//! What the host says in the environment, and the one line that the plugin answers on standard output.

use std::{
    env,
    ffi::OsString,
    io::{self, Write as _},
    path::PathBuf,
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

use crate::plugin::listener::Place;

/// A word by which a plugin knows that Terraform or OpenTofu started it, and not a person. It is no secret.
const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

/// The version of the handshake itself.
const CORE_VERSION: u8 = 1;

/// The one major version of Terraform's protocol that is spoken here. Minor versions are not negotiated.
pub(super) const PROTOCOL_VERSION: u8 = 6;

/// What the host asks for.
#[derive(Debug, PartialEq)]
pub(super) struct Host {
    /// The certificate in PEM that the host shows. Without it, the connection is not encrypted.
    pub(super) certificate: Option<String>,
    /// Where to listen.
    pub(super) place: Place,
    /// The host speaks our version of the protocol, or did not say what it speaks.
    pub(super) speaks_our_version: bool,
    /// The host asks whether brokered connections may share the first one.
    asks_for_multiplexing: bool,
}

impl Host {
    /// The host that started this process; `None` when it was a person.
    pub(super) fn of_this_process() -> Option<Self> {
        Self::read(|name| env::var_os(name).filter(|it| !it.is_empty()))
    }

    fn read(variable: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let text = |name: &str| variable(name).and_then(|it| it.into_string().ok());
        let port = |name: &str| text(name).and_then(|it| it.parse().ok()).unwrap_or_default();
        (text(COOKIE.0)? == COOKIE.1).then(|| Self {
            certificate: text("PLUGIN_CLIENT_CERT"),
            place: Place {
                directory: variable("PLUGIN_UNIX_SOCKET_DIR").map(PathBuf::from),
                group: text("PLUGIN_UNIX_SOCKET_GROUP"),
                ports: port("PLUGIN_MIN_PORT")..=port("PLUGIN_MAX_PORT"),
            },
            speaks_our_version: text("PLUGIN_PROTOCOL_VERSIONS")
                .is_none_or(|it| it.split(',').any(|version| version.trim() == PROTOCOL_VERSION.to_string())),
            asks_for_multiplexing: variable("PLUGIN_MULTIPLEX_GRPC").is_some(),
        })
    }

    /// Tells the host where to connect and which certificate (DER) it will meet there.
    ///
    /// The host reads the first line and throws the rest away, so that nothing else may ever be printed.
    pub(super) fn greet(&self, network: &str, address: &str, certificate: Option<&[u8]>) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(self.line(network, address, certificate).as_bytes())?;
        stdout.flush()
    }

    /// Old hosts take all that follows the fifth bar for the certificate, so the last field is only for those who ask.
    fn line(&self, network: &str, address: &str, certificate: Option<&[u8]>) -> String {
        let certificate = certificate.map(|it| STANDARD_NO_PAD.encode(it)).unwrap_or_default();
        let multiplexing = if self.asks_for_multiplexing { "|false" } else { "" };
        format!("{CORE_VERSION}|{PROTOCOL_VERSION}|{network}|{address}|grpc|{certificate}{multiplexing}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Option<Host> {
        Host::read(|name| variables.iter().find(|it| it.0 == name).map(|it| it.1.into()))
    }

    #[test]
    fn without_the_cookie_there_is_no_host() {
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[(COOKIE.0, "wrong")]), None);
    }

    #[test]
    fn what_the_host_asks_for_is_read() {
        let host = read(&[
            COOKIE,
            ("PLUGIN_CLIENT_CERT", "pem"),
            ("PLUGIN_MIN_PORT", "10000"),
            ("PLUGIN_MAX_PORT", "25000"),
            ("PLUGIN_UNIX_SOCKET_DIR", "/run/plugins"),
            ("PLUGIN_UNIX_SOCKET_GROUP", "terraform"),
            ("PLUGIN_PROTOCOL_VERSIONS", "6,5"),
        ]);
        let expected = Host {
            certificate: Some("pem".to_owned()),
            place: Place {
                directory: Some(PathBuf::from("/run/plugins")),
                group: Some("terraform".to_owned()),
                ports: 10_000..=25_000,
            },
            speaks_our_version: true,
            asks_for_multiplexing: false,
        };
        assert_eq!(host, Some(expected));
    }

    #[test]
    fn a_host_of_another_protocol_is_noticed() {
        let check = |versions, expected| {
            let host = read(&[COOKIE, ("PLUGIN_PROTOCOL_VERSIONS", versions)]).unwrap();
            assert_eq!(host.speaks_our_version, expected, "{versions}");
        };
        check("5", false);
        check("5,6", true);
        check("4,16", false);
        assert!(read(&[COOKIE]).unwrap().speaks_our_version);
    }

    #[test]
    fn the_line_has_the_fields_that_the_host_counts() {
        let host = read(&[COOKIE]).unwrap();
        assert_eq!(host.line("unix", "/tmp/plugin1", None), "1|6|unix|/tmp/plugin1|grpc|\n");
        assert_eq!(host.line("unix", "/tmp/plugin1", Some(&[0xfb, 0xff])), "1|6|unix|/tmp/plugin1|grpc|+/8\n");

        let host = read(&[COOKIE, ("PLUGIN_MULTIPLEX_GRPC", "true")]).unwrap();
        assert_eq!(host.line("tcp", "127.0.0.1:10000", None), "1|6|tcp|127.0.0.1:10000|grpc||false\n");
    }
}
