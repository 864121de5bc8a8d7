//! ACLs on a cluster that holds many: what a block costs must not depend on how many there are.

use std::{io, net::SocketAddr, time::Duration};

use terraform_provider_kafka::governance::acl::{AclBinding, Operation};
use tokio::runtime::Runtime;

use crate::{
    Pair,
    contestant::Contestant,
    kafka::{self, Deed},
    measure::Cost,
    table::{Bound, Table},
};

/// ACLs that are there, and nobody here manages.
const OTHERS: usize = 50_000;
/// Blocks that are applied, and that are planned, unless fewer are asked for.
const APPLIED: u32 = 1_000;
pub(crate) const PLANNED: u32 = 10_000;
/// Blocks at once, for an apply with more than an engine's ten: Kafka copies all its rules for each request, and as many
/// blocks as are at once share one.
const AT_ONCE: u32 = 50;
/// Pairs of each.
const ROUNDS: usize = 3;

const MOST_PLAN_CPU: f64 = 2.0;
const MOST_PLAN_WALL: f64 = 1.2;
const MOST_APPLY_WALL: f64 = 1.3;

/// The lines about ACLs, of at most so many blocks.
pub(crate) fn measured(
    contestants: &Pair<Contestant>,
    broker: SocketAddr,
    most: u32,
    table: &mut Table,
) -> io::Result<()> {
    let (applied, planned) = (APPLIED.min(most), PLANNED.min(most));
    crate::progress(&format!("{OTHERS} ACLs"));
    let runtime = Runtime::new()?;
    runtime.block_on(fill(broker))?;

    // What Kafka does for each request grows with what there is, and Kafka walks all its rules for each that is deleted: so
    // nothing is deleted, and what is bound comes first.
    let (mut made, mut beside, mut many, mut alone) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut starts = (0..).step_by(applied as usize);
    let mut new = || starts.next().map_or(0..0, |it| it..it + applied);
    for round in 0..ROUNDS {
        crate::progress(&format!("ACLs, round {} of {ROUNDS}", round + 1));
        let numbers = new();
        contestants.race(round, |it| it.declare_acls(numbers.clone()))?;
        let apply = contestants.race(round, |it| it.apply(broker))?;
        contestants.floor.declare_acls(numbers)?;
        let others = runtime.spawn(kafka::each(Deed::CreateAcls, broker, new()));
        beside.push(Pair { ours: apply.ours, floor: contestants.floor.apply(broker)? });
        runtime.block_on(others)??;
        made.push(apply);
    }
    for round in 0..ROUNDS {
        crate::progress(&format!("many ACLs at once, round {} of {ROUNDS}", round + 1));
        let numbers = new();
        contestants.race(round, |it| it.declare_acls(numbers.clone()))?;
        many.push(contestants.race(round, |it| it.apply_at_once(broker, AT_ONCE))?);
        alone.push(runtime.block_on(kafka::each(Deed::CreateAcls, broker, new()))?);
    }

    let mut looked = Vec::new();
    let start = new().start;
    contestants.race(0, |it| it.declare_acls(start..start + planned))?;
    contestants.race(0, |it| it.apply(broker))?;
    for round in 0..ROUNDS {
        crate::progress(&format!("plans of ACLs, round {} of {ROUNDS}", round + 1));
        looked.push(contestants.race(round, |it| it.plan(broker))?);
    }

    table.head(&format!("apply of {applied} new blocks of ACLs among {OTHERS} others"));
    line(table, "  wall", &made, |it| it.wall, Some(MOST_APPLY_WALL));
    line(table, "  CPU of the provider", &made, |it| it.children, None);
    crate::alone(table, &alone);
    line(table, "  wall, Kafka beside the floor", &beside, |it| it.wall, Some(MOST_APPLY_WALL));
    line(table, &format!("  wall, -parallelism={AT_ONCE}"), &many, |it| it.wall, Some(MOST_APPLY_WALL));
    table.head(&format!("plan of {planned} existing blocks of ACLs among {OTHERS} others"));
    line(table, "  wall", &looked, |it| it.wall, Some(MOST_PLAN_WALL));
    line(table, "  CPU of the provider", &looked, |it| it.children, Some(MOST_PLAN_CPU));
    Ok(())
}

fn line(table: &mut Table, what: &str, runs: &[Pair<Cost>], of: fn(&Cost) -> Duration, most: Option<f64>) {
    let (ours, floor, ratio) = crate::medians(runs, of);
    let bound = most.map(|most| Bound { is: ratio, most, unit: " ×" });
    table.row(what, crate::cells(ours, floor), Some(ratio), bound);
}

/// Has a cluster hold rules of others, for as many resources.
async fn fill(broker: SocketAddr) -> io::Result<()> {
    let kafka = kafka::client(broker)?;
    let rules: Vec<AclBinding> =
        (0..OTHERS).map(|number| kafka::acl(format!("others.{number:06}"), "others", Operation::Read)).collect();
    for part in rules.chunks(5_000) {
        let failures = kafka.create_acls(part, kafka::soon()).await.map_err(io::Error::other)?;
        if let Some((rule, error)) = failures.into_iter().next() {
            return Err(io::Error::other(format!("{rule}: {error}")));
        }
    }
    Ok(())
}
