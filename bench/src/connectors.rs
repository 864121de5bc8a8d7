//! Plans of connectors, on workers that answer at once and on ones that are far away.

use std::{io, net::SocketAddr, time::Duration};

use acceptance_tests::{Engine, FakeConnect};

use crate::{
    Pair, ROUNDS,
    contestant::{CONNECTORS, Contestant},
    progress, provider, run_folder,
    schemas::{over_the_floor, raced},
    table::Table,
    wall,
};

const MOST_WALL: f64 = 1.2;
/// The time of a request and its answer, where the workers are far away.
const FAR: Duration = Duration::from_millis(50);
/// Seconds more than the floor there.
const MOST_SECONDS: f64 = 5.0;

/// The lines about plans of connectors that exist.
pub(crate) fn plans(engine: &Engine, broker: SocketAddr, table: &mut Table) -> io::Result<()> {
    progress("workers");
    let connect = FakeConnect::start();
    let folder = run_folder("connectors")?;
    let of = |executable: &str, name: &str| {
        Contestant::of_connectors(engine, &provider(executable)?, &folder.join(name), connect.url())
    };
    let both = Pair { ours: of("terraform-provider-kafka", "ours")?, floor: of("floor-provider", "floor")? };
    both.race(0, |it| it.apply(broker))?;
    let near = raced(&both, broker, ROUNDS)?;
    table.head(&format!("plan of {CONNECTORS} existing connectors"));
    wall(table, "  wall", &near, MOST_WALL);
    connect.delay(FAR);
    progress("workers that are far away");
    over_the_floor(table, "  wall, 50 ms away", &raced(&both, broker, ROUNDS)?, MOST_SECONDS);
    Ok(())
}
