//! Measures the provider against a floor: a provider on the same framework, with the same models, that does nothing.
//!
//! Both are driven by the same engine over the same configuration, one after the other in changing order, and one table
//! is printed. The floor shows what the engine, the protocol and the framework cost; the rest is Kafka. As the broker runs on
//! the same machine, an apply is also held against the floor while another client has Kafka make as many topics. Memory and
//! requests are taken in runs of their own, so that watching them costs the timed runs nothing.

mod acls;
mod connectors;
mod contestant;
mod journal;
mod kafka;
mod measure;
mod schemas;
mod table;

use std::{
    env, fs,
    io::{self, Write},
    net::{SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use acceptance_tests::{Engine, Stack};
use contestant::{Contestant, TOPICS};
use kafka::Deed;
use measure::Cost;
use table::{Bound, Table, median};
use tokio::runtime::Runtime;
use wire_proxy::WireProxy;

/// Pairs of plans, and of applies.
const ROUNDS: usize = 5;
/// Pairs of starts.
const STARTS: usize = 41;

const MOST_PLAN_WALL: f64 = 1.15;
/// Against the floor alone, and against the floor while Kafka makes as many topics beside it: broker, engine and providers
/// share one machine, and where it has few cores, no provider can give back what the broker needs of it.
const MOST_APPLY_WALL: f64 = 1.3;
/// Under rules against without.
const MOST_GOVERNED_WALL: f64 = 2.0;
const MOST_FLOOR_CPU_PER_OBJECT_MS: f64 = 0.3;
const MOST_HANDSHAKE_MS: f64 = 5.0;
const MOST_PLAN_REQUESTS: f64 = 30.0;

const MOST_OPEN_SECONDS: f64 = 1.5;
const MOST_OPEN_MIB: f64 = 150.0;
const MOST_DECISION_MS: f64 = 25.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let told = match &arguments[..] {
        [task, broker] if task == journal::OPEN => journal::measured(broker).and_then(|line| {
            writeln!(io::stdout(), "{line}")?;
            Ok(true)
        }),
        // The journal alone.
        [task] if task == "journal" => only_journal().and_then(|table| tell(&table)),
        // ACLs alone.
        [task] if task == "acls" => only_acls(acls::PLANNED).and_then(|table| tell(&table)),
        [task, most] if task == "acls" => {
            most.parse().map_err(io::Error::other).and_then(only_acls).and_then(|table| tell(&table))
        }
        // Connectors alone.
        [task] if task == "connectors" => only_connectors().and_then(|table| tell(&table)),
        // Schemas alone.
        [task] if task == "schemas" => only_schemas().and_then(|table| tell(&table)),
        // Applies under rules alone.
        [task] if task == "governed" => only_governed().and_then(|table| tell(&table)),
        _ => bench().and_then(|table| tell(&table)),
    };
    match told {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nobody reads what cannot be written.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn tell(table: &Table) -> io::Result<bool> {
    writeln!(io::stdout(), "{table}")?;
    Ok(table.holds())
}

/// Measures the journal, on a broker of its own.
fn only_journal() -> io::Result<Table> {
    let stack = Stack::start().map_err(io::Error::other)?;
    let mut table = Table::default();
    journals(address(&stack)?, &mut table)?;
    Ok(table)
}

/// The lines about the journal.
fn journals(broker: SocketAddr, table: &mut Table) -> io::Result<()> {
    progress("a journal");
    journal::fill(broker)?;
    let opened = (0..ROUNDS).map(|_| journal::open(broker)).collect::<io::Result<Vec<_>>>()?;
    let of = |number: fn(&journal::Opened) -> f64| median(opened.iter().map(number));
    table.head("journal of 110,000 entities");
    for (what, is, most, unit) in [
        ("  open and decide", of(|it| it.seconds), MOST_OPEN_SECONDS, " s"),
        ("  peak memory", of(|it| it.peak_mib), MOST_OPEN_MIB, " MiB"),
        ("  decide once more", of(|it| it.next_milliseconds), MOST_DECISION_MS, " ms"),
    ] {
        let bound = Bound { is, most, unit };
        table.row(what, (format!("{is:.2}{unit}"), String::new()), None, Some(bound));
    }
    Ok(())
}

/// Measures ACLs, on a broker of its own.
fn only_acls(most: u32) -> io::Result<Table> {
    let engine = Engine::open_tofu().map_err(io::Error::other)?;
    let stack = Stack::start().map_err(io::Error::other)?;
    let mut table = Table::default();
    acls::measured(&contestants(&engine)?, address(&stack)?, most, &mut table)?;
    Ok(table)
}

/// Measures plans of schemas, on a broker of its own.
fn only_schemas() -> io::Result<Table> {
    let engine = Engine::open_tofu().map_err(io::Error::other)?;
    let stack = Stack::start().map_err(io::Error::other)?;
    let mut table = Table::default();
    schemas::plans(&engine, address(&stack)?, &mut table)?;
    Ok(table)
}

/// Measures plans of connectors, on a broker of its own.
fn only_connectors() -> io::Result<Table> {
    let engine = Engine::open_tofu().map_err(io::Error::other)?;
    let stack = Stack::start().map_err(io::Error::other)?;
    let mut table = Table::default();
    connectors::plans(&engine, address(&stack)?, &mut table)?;
    Ok(table)
}

/// Measures applies under rules against applies without, each on a broker of its own.
fn only_governed() -> io::Result<Table> {
    let engine = Engine::open_tofu().map_err(io::Error::other)?;
    let stack = Stack::start().map_err(io::Error::other)?;
    let mut table = Table::default();
    governed(&engine, address(&stack)?, &mut table)?;
    Ok(table)
}

/// The line about applies under rules; `broker` has none.
fn governed(engine: &Engine, broker: SocketAddr, table: &mut Table) -> io::Result<()> {
    progress("a cluster under rules");
    let stack = Stack::start().map_err(io::Error::other)?;
    let under_rules = address(&stack)?;
    let folder = run_folder("governed")?;
    let free = contestant(engine, "terraform-provider-kafka", &folder.join("free"))?;
    let bound = contestant(engine, "terraform-provider-kafka", &folder.join("bound"))?;
    bound.govern(under_rules)?;
    let mut runs = Vec::new();
    for round in 0..ROUNDS {
        progress(&format!("round {} of {ROUNDS}", round + 1));
        let first = if round.is_multiple_of(2) { Some(bound.apply(under_rules)?) } else { None };
        let floor = free.apply(broker)?;
        let ours = first.map_or_else(|| bound.apply(under_rules), Ok)?;
        runs.push(Pair { ours, floor });
        bound.clear(under_rules)?;
        free.destroy(broker)?;
    }
    table.head(&format!("apply of {TOPICS} new topics, ours under rules and without"));
    wall(table, "  wall", &runs, MOST_GOVERNED_WALL);
    Ok(())
}

/// Ours and the floor's.
struct Pair<T> {
    ours: T,
    floor: T,
}

impl Pair<Contestant> {
    /// Has both do the same, ours first in every other round.
    fn race<T>(&self, round: usize, run: impl Fn(&Contestant) -> io::Result<T>) -> io::Result<Pair<T>> {
        if round.is_multiple_of(2) {
            let ours = run(&self.ours)?;
            Ok(Pair { ours, floor: run(&self.floor)? })
        } else {
            let floor = run(&self.floor)?;
            Ok(Pair { ours: run(&self.ours)?, floor })
        }
    }
}

/// Runs everything and returns the table.
fn bench() -> io::Result<Table> {
    progress("a broker and an engine");
    let engine = Engine::open_tofu().map_err(io::Error::other)?;
    let stack = Stack::start().map_err(io::Error::other)?;
    let broker = address(&stack)?;
    let runtime = Runtime::new()?;
    let proxy = {
        let _inside = runtime.enter();
        WireProxy::start(broker)?
    };
    let contestants = contestants(&engine)?;
    let mut table = Table::default();
    handshakes(&contestants, &mut table)?;

    let (mut applies, mut beside, mut plans, mut took) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut broker_cpu = Vec::new();
    for round in 0..ROUNDS {
        progress(&format!("round {} of {ROUNDS}", round + 1));
        let before = measure::cpu_of_children(stack.watcher());
        let apply = contestants.race(round, |contestant| contestant.apply(broker))?;
        broker_cpu.push(measure::cpu_of_children(stack.watcher()).saturating_sub(before));
        plans.push(contestants.race(round, |contestant| contestant.plan(broker))?);
        contestants.race(round, |contestant| contestant.destroy(broker))?;

        let others = runtime.spawn(kafka::each(Deed::CreateTopic, broker, 0..TOPICS));
        beside.push(Pair { ours: apply.ours, floor: contestants.floor.apply(broker)? });
        runtime.block_on(others)??;
        contestants.floor.destroy(broker)?;
        runtime.block_on(kafka::each(Deed::DeleteTopic, broker, 0..TOPICS))?;
        took.push(runtime.block_on(kafka::each(Deed::CreateTopic, broker, 0..TOPICS))?);
        runtime.block_on(kafka::each(Deed::DeleteTopic, broker, 0..TOPICS))?;
        applies.push(apply);
    }
    progress("memory and requests");
    let apply = Watched::of(&contestants, &proxy, Contestant::apply_for_peak)?;
    let plan = Watched::of(&contestants, &proxy, Contestant::plan_for_peak)?;
    contestants.race(0, |contestant| contestant.destroy(broker))?;

    let requests = Bound { is: count(plan.requests), most: MOST_PLAN_REQUESTS, unit: "" };
    report(&mut table, &format!("plan of {TOPICS} existing topics"), &plans, MOST_PLAN_WALL, &plan, Some(requests));
    report(&mut table, &format!("apply of {TOPICS} new topics"), &applies, MOST_APPLY_WALL, &apply, None);
    table.row("  CPU of the broker", (seconds(&broker_cpu), String::new()), None, None);
    alone(&mut table, &took);
    wall(&mut table, "  wall, Kafka beside the floor", &beside, MOST_APPLY_WALL);
    governed(&engine, broker, &mut table)?;
    schemas::plans(&engine, broker, &mut table)?;
    connectors::plans(&engine, broker, &mut table)?;
    journals(broker, &mut table)?;
    acls::measured(&contestants, broker, acls::PLANNED, &mut table)?;
    Ok(table)
}

/// What is measured in runs of their own.
struct Watched {
    peak: Pair<u64>,
    requests: u64,
}

impl Watched {
    /// Runs both through the proxy, of which only ours knows.
    fn of(
        contestants: &Pair<Contestant>,
        proxy: &WireProxy,
        run: impl Fn(&Contestant, SocketAddr) -> io::Result<u64>,
    ) -> io::Result<Self> {
        proxy.reset_counts();
        let peak = contestants.race(0, |contestant| run(contestant, proxy.address()))?;
        Ok(Self { peak, requests: proxy.total() })
    }
}

/// Where the broker speaks plain text.
fn address(stack: &Stack) -> io::Result<SocketAddr> {
    let mut addresses = stack.plaintext().to_socket_addrs()?;
    addresses.find(SocketAddr::is_ipv4).ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}

/// Both providers in new folders.
fn contestants(engine: &Engine) -> io::Result<Pair<Contestant>> {
    let folder = run_folder("plain")?;
    let ours = contestant(engine, "terraform-provider-kafka", &folder.join("ours"))?;
    Ok(Pair { ours, floor: contestant(engine, "floor-provider", &folder.join("floor"))? })
}

/// A new folder beside this executable.
fn run_folder(name: &str) -> io::Result<PathBuf> {
    let folder = built()?.join("bench-run").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    Ok(folder)
}

/// Where this executable and the providers are.
fn built() -> io::Result<PathBuf> {
    Ok(env::current_exe()?.parent().ok_or(io::ErrorKind::NotFound)?.to_owned())
}

fn contestant(engine: &Engine, executable: &str, folder: &Path) -> io::Result<Contestant> {
    Contestant::new(engine, &provider(executable)?, folder)
}

/// A provider's executable.
fn provider(executable: &str) -> io::Result<PathBuf> {
    let provider = built()?.join(executable);
    if provider.exists() {
        return Ok(provider);
    }
    Err(io::Error::other(format!("{} is not built; `make bench` builds it", provider.display())))
}

fn handshakes(contestants: &Pair<Contestant>, table: &mut Table) -> io::Result<()> {
    progress("starts");
    let mut starts = Vec::new();
    for round in 0..STARTS {
        starts.push(contestants.race(round, |contestant| measure::handshake(&contestant.provider))?);
    }
    let ours = median(starts.iter().map(|pair| milliseconds(pair.ours)));
    let floor = median(starts.iter().map(|pair| milliseconds(pair.floor)));
    let ratio = median(starts.iter().map(|pair| milliseconds(pair.ours) / milliseconds(pair.floor)));
    let bound = Bound { is: ours, most: MOST_HANDSHAKE_MS, unit: " ms" };
    table.row("start to handshake", (format!("{ours:.1} ms"), format!("{floor:.1} ms")), Some(ratio), Some(bound));
    Ok(())
}

/// The lines about one command.
fn report(
    table: &mut Table,
    what: &str,
    runs: &[Pair<Cost>],
    most_wall: f64,
    watched: &Watched,
    requests: Option<Bound>,
) {
    table.head(what);
    wall(table, "  wall", runs, most_wall);
    let (ours, floor, ratio) = medians(runs, |cost| cost.own);
    table.row("  CPU of the engine", cells(ours, floor), Some(ratio), None);
    let (ours, floor, ratio) = medians(runs, |cost| cost.children);
    table.row("  CPU of the provider", cells(ours, floor), Some(ratio), None);
    let each = |seconds: f64| seconds * 1_000.0 / f64::from(TOPICS);
    let bound = Bound { is: each(floor), most: MOST_FLOOR_CPU_PER_OBJECT_MS, unit: " ms, the floor" };
    table.row("  … per topic", (format!("{:.2} ms", each(ours)), format!("{:.2} ms", each(floor))), None, Some(bound));
    let peak = |kib: u64| format!("{:.1} MiB", count(kib) / 1024.0);
    table.row("  peak memory of the provider", (peak(watched.peak.ours), peak(watched.peak.floor)), None, None);
    table.row("  requests to the broker", (watched.requests.to_string(), "0".to_owned()), None, requests);
}

/// A line of the time that both took.
fn wall(table: &mut Table, what: &str, runs: &[Pair<Cost>], most: f64) {
    let (ours, floor, ratio) = medians(runs, |cost| cost.wall);
    table.row(what, cells(ours, floor), Some(ratio), Some(Bound { is: ratio, most, unit: " ×" }));
}

/// The line of the time that Kafka took without an engine.
fn alone(table: &mut Table, took: &[Duration]) {
    table.row("  Kafka alone, ten at a time", (String::new(), seconds(took)), None, None);
}

fn seconds(durations: &[Duration]) -> String {
    format!("{:.2} s", median(durations.iter().map(Duration::as_secs_f64)))
}

/// The medians of ours, of the floor's and of their ratio, in seconds.
fn medians(runs: &[Pair<Cost>], of: fn(&Cost) -> Duration) -> (f64, f64, f64) {
    let seconds = |cost: &Cost| of(cost).as_secs_f64();
    let ours = median(runs.iter().map(|pair| seconds(&pair.ours)));
    let floor = median(runs.iter().map(|pair| seconds(&pair.floor)));
    (ours, floor, median(runs.iter().map(|pair| seconds(&pair.ours) / seconds(&pair.floor))))
}

fn cells(ours: f64, floor: f64) -> (String, String) {
    (format!("{ours:.2} s"), format!("{floor:.2} s"))
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// A count as a number to reckon with.
fn count(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

/// Says on standard error what is being done.
fn progress(what: &str) {
    // The table is what matters, and is on standard output.
    let _ = writeln!(io::stderr(), "bench: {what}");
}
