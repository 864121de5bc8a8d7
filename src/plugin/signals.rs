//! Signals, of which the host's terminal sends more than the plugin may obey.

use std::io;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
#[cfg(windows)]
use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlShutdown, ctrl_break, ctrl_c, ctrl_shutdown};

/// The signals that would end the process, were they not caught.
///
/// Ctrl-C reaches every process of the terminal, but it is the host that decides what it means: it asks its plugins to
/// stop by a call, and still needs them to bring what was begun to an end.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct Signals {
    /// Ctrl-C.
    pub(super) interrupt: Signal,
    /// The system, or whoever runs the process, asks it to end.
    pub(super) terminate: Signal,
}

#[cfg(unix)]
impl Signals {
    /// From now on, signals do nothing by themselves.
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }
}

/// The same on Windows, where Ctrl-Break is a second Ctrl-C.
#[cfg(windows)]
#[derive(Debug)]
pub(super) struct Signals {
    /// Ctrl-C.
    pub(super) interrupt: CtrlC,
    /// The system goes down.
    pub(super) terminate: CtrlShutdown,
    /// Caught as long as it is held.
    _break: CtrlBreak,
}

#[cfg(windows)]
impl Signals {
    /// From now on, signals do nothing by themselves.
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Self { interrupt: ctrl_c()?, terminate: ctrl_shutdown()?, _break: ctrl_break()? })
    }
}
