//! What a command and the processes that it starts cost. Linux only: it reads `/proc`.

use std::{
    fs, io,
    io::Read,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Ticks of the kernel's process times in a second, on all architectures that Rust supports.
const TICKS: u64 = 100;
/// How often the memory of processes is looked at. Its peak only grows, so that little is missed.
const LOOK: Duration = Duration::from_millis(5);

/// Characters that are kept of what a failed command wrote.
const MOST_SAID: usize = 4_000;

/// What one command cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// From start to end.
    pub(crate) wall: Duration,
    /// Processor time of the processes that the command started and waited for: of the engine's providers.
    pub(crate) children: Duration,
    /// Processor time of the command itself.
    pub(crate) own: Duration,
}

/// Runs a command to its end. One that fails is an error with what it wrote.
pub(crate) fn run(command: &mut Command) -> io::Result<Cost> {
    let began = Instant::now();
    let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    finish(&mut process, began)
}

/// Runs a command to its end, and returns the largest memory that any process that it started ever had, in KiB.
pub(crate) fn run_for_peak(command: &mut Command) -> io::Result<u64> {
    let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let parent = process.id();
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut peak = 0;
            while !ended.load(Ordering::Relaxed) {
                peak = children(parent).into_iter().filter_map(peak_of).fold(peak, u64::max);
                thread::sleep(LOOK);
            }
            peak
        });
        let finished = finish(&mut process, Instant::now());
        ended.store(true, Ordering::Relaxed);
        let peak = watch.join().map_err(|_| io::Error::other("the watch of the memory panicked"))?;
        finished.map(|_| peak)
    })
}

/// Waits for the end of a process. Its pipes are closed when it and its children are gone; it is then still there to be
/// asked for its times, until it is waited for.
fn finish(process: &mut Child, began: Instant) -> io::Result<Cost> {
    let mut errors = process.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut output = process.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let (mut said, mut complained) = (String::new(), String::new());
    thread::scope(|scope| {
        let complaints = scope.spawn(|| errors.read_to_string(&mut complained));
        output.read_to_string(&mut said)?;
        complaints.join().map_err(|_| io::Error::other("the reader of standard error panicked"))?
    })?;
    let stat = loop {
        let stat = Stat::of(process.id())?;
        if stat.state == "Z" {
            break stat;
        }
        thread::sleep(Duration::from_micros(200));
    };
    let wall = began.elapsed();
    if process.wait()?.success() {
        Ok(Cost { wall, children: stat.children, own: stat.own })
    } else {
        // A thousand objects may all say the same, and a plan is long.
        Err(io::Error::other(format!("{complained}{said}").chars().take(MOST_SAID).collect::<String>()))
    }
}

/// The line `/proc/<pid>/stat` in parts.
struct Stat {
    state: String,
    parent: u32,
    own: Duration,
    children: Duration,
}

impl Stat {
    fn of(process: u32) -> io::Result<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{process}/stat"))?)
            .ok_or_else(|| io::Error::other(format!("/proc/{process}/stat is not as expected")))
    }

    /// Fields are counted after the command's name, which may hold spaces and parentheses.
    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<_> = line.rsplit_once(')')?.1.split_whitespace().collect();
        let time = |index: usize| fields.get(index)?.parse::<u64>().ok();
        let duration =
            |user: usize, system: usize| Some(Duration::from_millis((time(user)? + time(system)?) * 1000 / TICKS));
        Some(Self {
            state: (*fields.first()?).to_owned(),
            parent: fields.get(1)?.parse().ok()?,
            own: duration(11, 12)?,
            children: duration(13, 14)?,
        })
    }
}

/// The processes that `parent` started and that run another program. Before it does, a process has the memory of its
/// parent.
fn children(parent: u32) -> Vec<u32> {
    let program = |process: u32| fs::read_link(format!("/proc/{process}/exe")).ok();
    let (Ok(processes), Some(own)) = (fs::read_dir("/proc"), program(parent)) else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|process| process.file_name().to_str()?.parse().ok())
        // A process that ends meanwhile has no times any more.
        .filter(|process| Stat::of(*process).is_ok_and(|stat| stat.parent == parent))
        .filter(|process| program(*process).is_some_and(|it| it != own))
        .collect()
}

/// The processor time that the children of `parent` have had since they started.
pub(crate) fn cpu_of_children(parent: u32) -> Duration {
    children(parent).into_iter().filter_map(|process| Stat::of(process).ok()).map(|stat| stat.own).sum()
}

/// The largest memory that a process ever had, in KiB, if it still has any.
fn peak_of(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// From the start of a plugin to its handshake line, as an engine starts it.
pub(crate) fn handshake(provider: &Path) -> io::Result<Duration> {
    let sockets = tempfile::tempdir()?;
    let mut command = Command::new(provider);
    command
        .env("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
        .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
        .env("PLUGIN_MIN_PORT", "10000")
        .env("PLUGIN_MAX_PORT", "25000")
        .env("PLUGIN_CLIENT_CERT", include_str!("client.pem"))
        // It is killed before it can remove its socket.
        .env("TMPDIR", sockets.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let began = Instant::now();
    let mut process = command.spawn()?;
    let mut line = [0; 4];
    let read = process.stdout.as_mut().map(|output| output.read_exact(&mut line));
    let took = began.elapsed();
    process.kill()?;
    process.wait()?;
    match read {
        Some(Ok(())) if line == *b"1|6|" => Ok(took),
        _ => Err(io::Error::other(format!("{} did not shake hands", provider.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shell's own loop, in a child that it waits for.
    const BUSY: &str = "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; true'; true";

    #[test]
    fn processor_time_of_children_is_told_from_own() {
        let cost = run(Command::new("sh").args(["-c", BUSY])).unwrap();
        assert!(cost.children >= Duration::from_millis(50), "{cost:?}");
        assert!(cost.children <= cost.wall + Duration::from_millis(20), "{cost:?}");
        assert!(cost.own <= Duration::from_millis(30), "{cost:?}");
    }

    #[test]
    fn peak_memory_is_that_of_the_children() {
        let peak = run_for_peak(Command::new("sh").args(["-c", "sleep 0.2; true"])).unwrap();
        assert!((300..100_000).contains(&peak), "{peak} KiB");
    }

    #[test]
    fn a_command_that_fails_is_an_error_with_what_it_wrote() {
        let error = run(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"])).unwrap_err();
        assert_eq!(error.to_string(), "err\nout\n");
    }

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let line = "7 (a) b) Z 3 7 7 0 -1 4228364 0 0 0 0 10 20 30 40 20 0 1 0";
        let stat = Stat::parse(line).unwrap();
        assert_eq!((stat.state.as_str(), stat.parent), ("Z", 3));
        assert_eq!((stat.own, stat.children), (Duration::from_millis(300), Duration::from_millis(700)));
    }

    #[test]
    fn a_program_that_is_no_plugin_does_not_shake_hands() {
        let error = handshake(Path::new("/bin/true")).unwrap_err();
        assert!(error.to_string().contains("did not shake hands"), "{error}");
    }
}
