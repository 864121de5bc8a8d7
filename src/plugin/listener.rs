//! The socket on which the host connects: a Unix domain socket, or a port of the loopback interface on Windows.

use std::{io, ops::RangeInclusive, path::PathBuf};

use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(any(windows, test))]
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;

/// Where a host wants the plugin to listen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    /// The directory of the socket; the system's directory for temporary files if absent.
    pub(super) directory: Option<PathBuf>,
    /// A group, by name or number, whose members may connect too.
    pub(super) group: Option<String>,
    /// The ports to choose from where there are no Unix domain sockets. Zero is any.
    pub(super) ports: RangeInclusive<u16>,
}

impl Place {
    /// Where the plugin listens when nobody says where.
    pub(super) fn anywhere() -> Self {
        Self { directory: None, group: None, ports: 0..=0 }
    }
}

/// A connected socket, encrypted or not.
pub(super) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// What the plugin listens on, and how the host finds it.
pub(super) struct Listener {
    accepting: Accepting,
    /// Go's name of the kind of network: `unix` or `tcp`.
    pub(super) network: &'static str,
    /// A path, or an address and a port.
    pub(super) address: String,
}

enum Accepting {
    #[cfg(unix)]
    Unix(UnixListener),
    #[cfg(any(windows, test))]
    Tcp(TcpListener),
}

impl Listener {
    /// Waits for the next connection.
    pub(super) async fn accept(&self) -> io::Result<Box<dyn Socket>> {
        match &self.accepting {
            #[cfg(unix)]
            Accepting::Unix(listener) => Ok(Box::new(listener.accept().await?.0)),
            #[cfg(any(windows, test))]
            Accepting::Tcp(listener) => {
                let stream = listener.accept().await?.0;
                // Calls are small and each is waited for.
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
        }
    }
}

#[cfg(unix)]
pub(super) use unix::listen;
#[cfg(windows)]
pub(super) use windows::listen;

#[cfg(unix)]
mod unix {
    use std::{
        env, fs, io,
        os::unix::fs::{PermissionsExt as _, chown},
        path::{Path, PathBuf},
        process,
        time::{SystemTime, UNIX_EPOCH},
    };

    use tokio::net::UnixListener;

    use super::{Accepting, Listener, Place};

    /// How many names are tried, in case others hold some.
    const ATTEMPTS: u32 = 100;

    /// The socket's file, which goes when the plugin ends.
    #[derive(Debug)]
    pub(in crate::plugin) struct SocketFile(PathBuf);

    impl Drop for SocketFile {
        fn drop(&mut self) {
            // Whoever removed it already did our work.
            let _ = fs::remove_file(&self.0);
        }
    }

    /// Listens where the host wants it, for the own user only unless a group is named.
    pub(in crate::plugin) fn listen(place: &Place) -> io::Result<(Listener, SocketFile)> {
        let (listener, file) = match &place.directory {
            Some(directory) => bind(directory)?,
            // A deep directory for temporary files can leave no room for the name: a path has about 100 bytes.
            None => bind(&env::temp_dir()).or_else(|error| match error.kind() {
                io::ErrorKind::InvalidInput => bind(Path::new("/tmp")),
                _ => Err(error),
            })?,
        };
        match &place.group {
            Some(group) => share(&file.0, group)?,
            None => fs::set_permissions(&file.0, fs::Permissions::from_mode(0o600))?,
        }
        let address = file.0.to_str().ok_or_else(|| io::Error::other("the socket's path is not UTF-8"))?.to_owned();
        Ok((Listener { accepting: Accepting::Unix(listener), network: "unix", address }, file))
    }

    /// Makes a socket of a new name. A process of another container can have the same number, hence the time.
    fn bind(directory: &Path) -> io::Result<(UnixListener, SocketFile)> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().subsec_nanos();
        let mut attempt = 0;
        loop {
            let path = directory.join(format!("plugin{}-{}", process::id(), now.wrapping_add(attempt)));
            match UnixListener::bind(&path) {
                Ok(listener) => return Ok((listener, SocketFile(path))),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn share(path: &Path, group: &str) -> io::Result<()> {
        let id = match group.parse() {
            Ok(id) => id,
            Err(_) => group_id(&fs::read_to_string("/etc/group")?, group)
                .ok_or_else(|| io::Error::other(format!("no group `{group}` in /etc/group")))?,
        };
        chown(path, None, Some(id))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o660))
    }

    /// Looks a group up in the text of `/etc/group`. Other directories of groups need a call that safe Rust lacks; a
    /// group that is only there is given by number.
    fn group_id(groups: &str, name: &str) -> Option<u32> {
        groups.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next()? == name).then(|| fields.nth(1)?.parse().ok())?
        })
    }

    #[cfg(test)]
    mod tests {
        use std::os::unix::fs::MetadataExt as _;

        use super::*;

        fn place(directory: &Path, group: Option<String>) -> Place {
            Place { directory: Some(directory.to_owned()), group, ports: 0..=0 }
        }

        #[tokio::test]
        async fn the_socket_is_the_user_s_own_and_goes_with_its_guard() {
            let (listener, file) = listen(&place(&env::temp_dir(), None)).unwrap();
            let path = PathBuf::from(&listener.address);
            assert_eq!(listener.network, "unix");
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
            drop(file);
            assert!(!path.exists());
        }

        #[tokio::test]
        async fn a_group_by_number_may_connect_too() {
            let own = fs::metadata(&bind(&env::temp_dir()).unwrap().1.0).unwrap().gid();
            let (listener, _file) = listen(&place(&env::temp_dir(), Some(own.to_string()))).unwrap();
            let metadata = fs::metadata(&listener.address).unwrap();
            assert_eq!((metadata.mode() & 0o777, metadata.gid()), (0o660, own));
        }

        #[tokio::test]
        async fn an_unknown_group_is_an_error() {
            let error = listen(&place(&env::temp_dir(), Some("no such group".to_owned()))).err().unwrap();
            assert_eq!(error.to_string(), "no group `no such group` in /etc/group");
        }

        #[tokio::test]
        async fn a_directory_that_is_too_deep_is_an_error_when_the_host_chose_it() {
            let deep = env::temp_dir().join("d".repeat(120));
            assert_eq!(listen(&place(&deep, None)).err().unwrap().kind(), io::ErrorKind::InvalidInput);
        }

        #[test]
        fn a_group_is_found_by_its_whole_name() {
            let groups = "root:x:0:\n# comment\nwheel:x:10:root,me\nwheels:x:11:\n";
            assert_eq!(group_id(groups, "wheel"), Some(10));
            assert_eq!(group_id(groups, "whee"), None);
            assert_eq!(group_id("broken\n", "broken"), None);
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::io;

    use super::{Listener, Place, tcp};

    /// Nothing: a port leaves no file.
    #[derive(Debug)]
    pub(in crate::plugin) struct SocketFile;

    /// Listens on a port that the host permits.
    pub(in crate::plugin) fn listen(place: &Place) -> io::Result<(Listener, SocketFile)> {
        Ok((tcp(place.ports.clone())?, SocketFile))
    }
}

/// Listens on the first free port of the loopback interface.
#[cfg(any(windows, test))]
fn tcp(ports: RangeInclusive<u16>) -> io::Result<Listener> {
    let listener = ports
        .into_iter()
        .find_map(|port| std::net::TcpListener::bind(("127.0.0.1", port)).ok())
        .ok_or_else(|| io::Error::other("no free port between `PLUGIN_MIN_PORT` and `PLUGIN_MAX_PORT`"))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?.to_string();
    Ok(Listener { accepting: Accepting::Tcp(TcpListener::from_std(listener)?), network: "tcp", address })
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    use super::*;

    #[tokio::test]
    async fn a_port_is_listened_on_and_passes_bytes() {
        let listener = tcp(0..=0).unwrap();
        assert_eq!(listener.network, "tcp");
        let mut client = TcpStream::connect(&listener.address).await.unwrap();
        let mut socket = listener.accept().await.unwrap();
        client.write_all(b"hello").await.unwrap();
        let mut received = [0; 5];
        socket.read_exact(&mut received).await.unwrap();
        assert_eq!(&received, b"hello");
    }

    #[tokio::test]
    async fn a_taken_port_is_passed_over() {
        let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert!(tcp(port..=port).is_err());
        let listener = tcp(port..=port.saturating_add(200)).unwrap();
        assert_ne!(listener.address, format!("127.0.0.1:{port}"));
    }
}
