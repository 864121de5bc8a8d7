//! Programs that are run with a deadline.

use std::{
    fmt, fs,
    io::Read,
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How a program ended.
#[derive(Debug)]
pub struct Outcome {
    status: ExitStatus,
    /// What it wrote on standard output.
    pub stdout: String,
    /// What it wrote on standard error.
    pub stderr: String,
}

impl Outcome {
    /// The exit code; `None` after a signal.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Whether the exit code is 0.
    pub fn succeeded(&self) -> bool {
        self.status.success()
    }

    /// Ends the test unless the program succeeded.
    #[track_caller]
    pub fn success(self) -> Self {
        assert!(self.succeeded(), "the command failed\n{self}");
        self
    }

    /// Ends the test unless the program failed and said each of `phrases`.
    #[track_caller]
    pub fn failure(self, phrases: &[&str]) -> Self {
        assert!(self.code().is_some_and(|it| it != 0), "the command should have failed\n{self}");
        self.says(phrases)
    }

    /// Ends the test unless the program said each of `phrases`, wherever lines were wrapped.
    #[track_caller]
    pub fn says(self, phrases: &[&str]) -> Self {
        let words = self.words();
        for phrase in phrases {
            assert!(words.contains(phrase), "the command did not say `{phrase}`\n{self}");
        }
        self
    }

    /// What was written, with single spaces between the words and without the frames that engines draw around
    /// diagnostics.
    pub fn words(&self) -> String {
        let text = format!("{} {}", self.stdout, self.stderr).replace(['╷', '│', '╵'], " ");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n--- stdout ---\n{}\n--- stderr ---\n{}", self.status, self.stdout, self.stderr)
    }
}

/// A program that runs, in a process group of its own. It is killed, with its children, when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Running {
    /// Starts a program.
    ///
    /// # Errors
    /// A sentence, if it cannot be started.
    pub fn start(command: &mut Command) -> Result<Self, String> {
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.process_group(0).spawn().map_err(|it| format!("starting {command:?}: {it}"))?;
        let stdout = collect(child.stdout.take());
        let stderr = collect(child.stderr.take());
        Ok(Self { child, stdout, stderr })
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Kills the process alone, and leaves its children to themselves.
    pub fn kill(&self) {
        let _ = kill_process(self.pid(), Signal::KILL);
    }

    /// Interrupts the process and its children, as Ctrl-C in a terminal does.
    pub fn interrupt(&self) {
        let _ = kill_process_group(self.pid(), Signal::INT);
    }

    /// Waits for the end: of the process, and of everybody who holds its output.
    ///
    /// # Errors
    /// A sentence, if it did not end in time. It is killed then.
    pub fn wait(mut self, deadline: Instant) -> Result<Outcome, String> {
        let left = |()| deadline.saturating_duration_since(Instant::now());
        let outputs = self.stdout.recv_timeout(left(())).and_then(|out| Ok((out, self.stderr.recv_timeout(left(()))?)));
        let Ok((stdout, stderr)) = outputs else {
            return Err(format!("process {:?} did not end in time", self.pid()));
        };
        // Who closes its output ends at once.
        let status = self.child.wait().map_err(|it| it.to_string())?;
        Ok(Outcome { status, stdout, stderr })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // As long as the child is not waited for, its id is not given to another process.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill_process_group(self.pid(), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// Runs a program to its end.
///
/// # Errors
/// A sentence, if it cannot be started or does not end in time.
pub fn run(command: &mut Command, time: Duration) -> Result<Outcome, String> {
    let started = Running::start(command)?;
    started.wait(Instant::now() + time).map_err(|problem| format!("{command:?}: {problem}"))
}

/// Runs a program that must succeed.
pub(crate) fn run_or_explain(command: &mut Command, time: Duration) -> Result<Outcome, String> {
    let outcome = run(command, time)?;
    if outcome.succeeded() { Ok(outcome) } else { Err(format!("{command:?} failed: {outcome}")) }
}

/// The ids of the processes that a process started and that still run.
pub fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let ids = processes.filter_map(|it| it.file_name().to_str()?.parse().ok());
    ids.filter(|it| status(*it).is_some_and(|(state, its_parent)| state != "Z" && its_parent == parent)).collect()
}

/// Whether a process still runs.
pub fn is_alive(id: u32) -> bool {
    status(id).is_some_and(|(state, _)| state != "Z")
}

/// The state of a process, of which `Z` is one that ended, and its parent.
fn status(id: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name before these fields may hold anything, and ends with the last parenthesis.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // A broken pipe ends the output like any other end.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}
