//! Plans of schemas, on a registry that answers at once and on ones that are far away.

use std::{io, net::SocketAddr, time::Duration};

use acceptance_tests::{Engine, FakeRegistry};

use crate::{
    Pair, ROUNDS,
    contestant::{Contestant, SUBJECTS},
    measure::Cost,
    progress, provider, run_folder,
    table::{Bound, Table, median},
    wall,
};

const MOST_WALL: f64 = 1.2;
/// The time of a request and its answer, where a registry is far away.
const FAR: Duration = Duration::from_millis(50);
/// Seconds more than the floor, on a registry that is far away and lists its schemas, and on one that does not.
const MOST_SECONDS_OF_A_LIST: f64 = 10.0;
const MOST_SECONDS_WITHOUT_LIST: f64 = 35.0;
/// Far away, each plan takes long, and its time hardly differs.
const FAR_ROUNDS: usize = 3;

/// The lines about plans of subjects that exist.
pub(crate) fn plans(engine: &Engine, broker: SocketAddr, table: &mut Table) -> io::Result<()> {
    progress("a registry");
    let registry = FakeRegistry::start();
    let folder = run_folder("schemas")?;
    let of = |executable: &str, name: &str| {
        Contestant::of_schemas(engine, &provider(executable)?, &folder.join(name), registry.url())
    };
    let both = Pair { ours: of("terraform-provider-kafka", "ours")?, floor: of("floor-provider", "floor")? };
    both.race(0, |it| it.apply(broker))?;

    let near = raced(&both, broker, ROUNDS)?;
    table.head(&format!("plan of {SUBJECTS} existing subjects"));
    wall(table, "  wall", &near, MOST_WALL);
    registry.delay(FAR);
    for (what, lists, most) in [
        ("  wall, 50 ms away", true, MOST_SECONDS_OF_A_LIST),
        ("  … and nothing listed", false, MOST_SECONDS_WITHOUT_LIST),
    ] {
        progress(what.trim());
        registry.list(lists);
        over_the_floor(table, what, &raced(&both, broker, FAR_ROUNDS)?, most);
    }
    Ok(())
}

/// The line about how many seconds more than the floor were taken.
pub(crate) fn over_the_floor(table: &mut Table, what: &str, runs: &[Pair<Cost>], most: f64) {
    let seconds = |cost: &Cost| cost.wall.as_secs_f64();
    let (ours, floor) =
        (median(runs.iter().map(|it| seconds(&it.ours))), median(runs.iter().map(|it| seconds(&it.floor))));
    let bound = Bound { is: ours - floor, most, unit: " s over the floor" };
    table.row(what, (format!("{ours:.2} s"), format!("{floor:.2} s")), None, Some(bound));
}

pub(crate) fn raced(both: &Pair<Contestant>, broker: SocketAddr, rounds: usize) -> io::Result<Vec<Pair<Cost>>> {
    (0..rounds).map(|round| both.race(round, |it| it.plan(broker))).collect()
}
