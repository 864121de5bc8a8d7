//! What the services of the stack are asked without any code of the provider's.

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpStream},
    path::Path,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};

use super::User;

/// One request of HTTP 1.0, whose answer ends with the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) port: u16,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) body: &'a str,
    pub(super) user: Option<User>,
}

impl<'a> Call<'a> {
    /// A `GET` of nobody.
    pub(super) fn get(port: u16, path: &'a str) -> Self {
        Self { port, method: "GET", path, body: "", user: None }
    }

    /// The status of the answer, and its body.
    pub(super) fn send(self) -> io::Result<(u16, String)> {
        let Self { port, method, path, body, user } = self;
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(Duration::from_secs(90)))?;
        let login = user.map(|it| {
            format!("authorization: Basic {}\r\n", BASE64_STANDARD.encode(format!("{}:{}", it.name, it.password)))
        });
        let login = login.unwrap_or_default();
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.0\r\nhost: 127.0.0.1\r\n{login}content-type: application/json");
        stream.write_all(format!("{head}\r\ncontent-length: {length}\r\n\r\n{body}").as_bytes())?;
        let mut answer = BufReader::new(stream);
        let mut first = String::new();
        answer.read_line(&mut first)?;
        let rest = io::read_to_string(answer)?;
        let status = first.split(' ').nth(1).and_then(|it| it.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
        Ok((status, rest.split_once("\r\n\r\n").map_or_else(String::new, |(_, body)| body.to_owned())))
    }
}

/// The end of a service's log.
pub(super) fn last_lines(log: &Path) -> String {
    let log = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
