//! Whether there is room for a topic.

use super::TopicRequest;
use crate::governance::{
    application::Application,
    capacity::{Capacity, Totals},
    policy::CapacityRule,
    state::State,
    violation::{At, Violation, Weight},
};

/// What speaks against what a topic takes.
pub(super) fn violations(state: &State, wanted: &TopicRequest, owner: Option<&Application>) -> Vec<Violation> {
    let Some(policy) = state.policy() else { return Vec::new() };
    let at = At::attribute("capacity");
    let mut res = wanted.capacity.check(&at);
    if let Some(weight) = weight(policy.topics.capacity).filter(|_| wanted.capacity == Capacity::default()) {
        let what = "The environment asks what a topic carries and keeps, so that there is room for all.";
        let remedy = "Write `capacity` with what is known of `messages_in_per_second`, `messages_out_per_second`, \
                      `message_bytes` and `disk_bytes`: at least one of them.";
        res.push(Violation::new(at.clone(), "Capacity missing", what, remedy).weighing(weight));
    }
    if let (Some(bytes), Some(most)) = (wanted.capacity.message_bytes, policy.topics.max_message_bytes)
        && most < bytes
    {
        let what = format!("Messages have {bytes} bytes, and the environment permits at most {most}.");
        let remedy = format!("Write `message_bytes = {most}` or less, and make the messages so.");
        res.push(Violation::new(at.clone().then("message_bytes"), "Messages too large", what, remedy));
    }
    res.extend(retained(wanted));
    res.extend(owner.into_iter().flat_map(|it| exceeded(state, wanted, it)));
    res
}

fn weight(rule: CapacityRule) -> Option<Weight> {
    match rule {
        CapacityRule::Required => Some(Weight::Refuse),
        CapacityRule::Warned => Some(Weight::Warn),
        CapacityRule::Off => None,
    }
}

/// Whether what is written within the retention fits on the disk that is asked for.
fn retained(wanted: &TopicRequest) -> Option<Violation> {
    let milliseconds: i64 = wanted.config.get("retention.ms")?.trim().parse().ok().filter(|it| 0 <= *it)?;
    let (rate, disk) = (wanted.capacity.bytes_in_per_second()?, wanted.capacity.disk_bytes?);
    if wanted.config.get("cleanup.policy").is_some_and(|it| it.contains("compact")) {
        return None;
    }
    let copies = wanted.replication_factor.unwrap_or(1);
    let needed = i128::from(rate) * i128::from(milliseconds) / 1000 * i128::from(copies);
    let by_size = wanted.config.get("retention.bytes").and_then(|it| it.trim().parse::<i64>().ok());
    let by_size = by_size.filter(|it| 0 <= *it).zip(wanted.partitions);
    let most = by_size.map(|(bytes, partitions)| i128::from(bytes) * i128::from(partitions) * i128::from(copies));
    let needed = most.map_or(needed, |it| it.min(needed));
    if needed <= i128::from(disk) {
        return None;
    }
    let what = format!(
        "{rate} bytes a second, kept for {milliseconds} ms in {copies} copies, are {needed} bytes, and `disk_bytes` is \
         {disk}."
    );
    let remedy = format!("Write `disk_bytes = {needed}`, or keep less with `retention.ms`.");
    Some(Violation::new(At::attribute("capacity.disk_bytes"), "Disk too small for the retention", what, remedy))
}

/// What an application's topics may take together.
pub(super) fn limits(state: &State, owner: &Application) -> Totals {
    owner.spec.capacity.or(state.policy().map(|it| it.quota).unwrap_or_default())
}

/// What a topic takes, with the partitions that the policy gives where none are declared.
pub(super) fn takes(state: &State, wanted: &TopicRequest) -> Totals {
    let default = state.policy().and_then(|it| it.topics.partitions.default);
    Totals::of_topic(wanted.partitions.or(default).unwrap_or(1), &wanted.capacity)
}

/// The attribute that a total depends on.
pub(super) fn at(total: &str) -> At {
    match total {
        "topics" => At::attribute("name"),
        "partitions" => At::attribute("partitions"),
        "disk_bytes" => At::attribute("capacity.disk_bytes"),
        "bytes_in_per_second" => At::attribute("capacity.messages_in_per_second"),
        _ => At::attribute("capacity.messages_out_per_second"),
    }
}

/// The totals that the application would exceed.
fn exceeded(state: &State, wanted: &TopicRequest, owner: &Application) -> Vec<Violation> {
    let limits = limits(state, owner);
    let name = &owner.spec.name;
    let own = takes(state, wanted);
    let others = state.taken(name, Some(&wanted.name));
    let over = limits.exceeded_by(&others.plus(own));
    over.into_iter()
        .map(|(total, limit, sum)| {
            let taken = others.named().into_iter().find(|(it, _)| *it == total).and_then(|(_, it)| it).unwrap_or(0);
            let what = format!(
                "The application `{name}` may take {limit} ({total}), its other topics take {taken}, and with this one it \
                 would be {sum}."
            );
            let remedy = "Take less, free what is not needed, or ask the platform for a larger `capacity`.";
            Violation::new(at(total), "Capacity of the application exceeded", what, remedy)
        })
        .collect()
}
