//! Which broker coordinates a consumer group or a transactional id: asked of any broker, and remembered until it turns
//! out to be wrong.

use std::{collections::BTreeMap, sync::Mutex, time::Instant};

use kafka_protocol::messages::{
    FindCoordinatorRequest, FindCoordinatorResponse, find_coordinator_response::Coordinator,
};

use crate::clients::kafka::{
    HostPort, KafkaError,
    client::{Client, Target},
    locked,
    requests::wire_text,
    trouble::{Asked, Trouble},
};

/// What has a coordinator, as Kafka's `CoordinatorType` numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Coordinated {
    /// A consumer group, by its id.
    Group = 0,
    /// The transactions of a transactional id.
    Transaction = 1,
}

/// The first version that asks for many keys at once.
const MANY_KEYS: i16 = 4;

/// Node ids of the coordinators that were found.
#[derive(Debug, Default)]
pub(super) struct Coordinators(Mutex<BTreeMap<(Coordinated, String), i32>>);

impl Client {
    /// The node id of the broker that coordinates a group or an id, which the directory knows then.
    pub(super) async fn coordinator(&self, kind: Coordinated, name: &str, deadline: Instant) -> Result<i32, Trouble> {
        let key = (kind, name.to_owned());
        let known = locked(&self.coordinators.0).get(&key).copied();
        if let Some(id) = known {
            return Ok(id);
        }
        let answer = self.call(Target::Any, deadline, |version| Ok(search(kind, name, version))).await?;
        let found = found(answer, name)?;
        let asked = Asked { operation: "DESCRIBE", name };
        if let Some(trouble) = Trouble::of_code(found.error_code, found.error_message.as_deref(), asked) {
            return Err(trouble);
        }
        let id = found.node_id.0;
        let port = u16::try_from(found.port).map_err(|_| nowhere(name))?;
        self.learn_broker(id, HostPort { host: found.host.to_string(), port });
        locked(&self.coordinators.0).insert(key, id);
        Ok(id)
    }

    /// Asks for a coordinator anew before the next request to it.
    pub(super) fn forget_coordinator(&self, kind: Coordinated, name: &str) {
        locked(&self.coordinators.0).remove(&(kind, name.to_owned()));
    }
}

fn search(kind: Coordinated, name: &str, version: i16) -> FindCoordinatorRequest {
    let request = FindCoordinatorRequest::default().with_key_type(kind as i8);
    if version < MANY_KEYS {
        request.with_key(wire_text(name))
    } else {
        request.with_coordinator_keys(vec![wire_text(name)])
    }
}

/// What an answer says of a name. Older versions answer for one key, and do not name it.
fn found(answer: FindCoordinatorResponse, name: &str) -> Result<Coordinator, Trouble> {
    if let Some(it) = answer.coordinators.into_iter().find(|it| it.key.as_str() == name) {
        return Ok(it);
    }
    if answer.error_code == 0 && answer.host.is_empty() {
        return Err(nowhere(name));
    }
    let coordinator = Coordinator::default().with_node_id(answer.node_id).with_host(answer.host).with_port(answer.port);
    Ok(coordinator.with_error_code(answer.error_code).with_error_message(answer.error_message))
}

/// An answer that leaves the place out.
fn nowhere(name: &str) -> Trouble {
    let message = format!("it did not say where the coordinator of `{name}` is");
    Trouble::Final(KafkaError::Broker { code: "UNKNOWN_SERVER_ERROR".to_owned(), message })
}
