//! Where a connector goes on from.

use serde_json::{Value as Json, json};

use super::told;
use crate::{
    clients::connect::Offset,
    framework::{Diagnostics, Model, Nested, Optional, Required, Unknown},
};

/// Where a connector goes on from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub(super) struct OffsetsModel {
    /// Any text; another one has the same done once more.
    version: Optional<String>,
    /// Whether it begins from the beginning. Not beside `positions`.
    reset: Optional<bool>,
    /// How far it has come in parts of what it reads, as its class tells them apart. Parts that are not named stay.
    positions: Optional<Vec<Nested<PositionModel>>>,
}

/// How far a connector has come in a part of what it reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub(super) struct PositionModel {
    /// Which part, as an object in JSON, such as `jsonencode({ filename = "/var/log/app.log" })`; of a sink,
    /// `jsonencode({ kafka_topic = "billing.orders", kafka_partition = 0 })`.
    partition: Required<String>,
    /// How far, as an object in JSON, such as `jsonencode({ position = 0 })`; of a sink, `jsonencode({ kafka_offset = 0 })`.
    /// Without it, that part begins from the beginning.
    offset: Optional<String>,
}

/// What is done with offsets.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wanted {
    /// All of them are forgotten.
    Reset,
    /// These are set.
    Set(Vec<Offset>),
}

impl OffsetsModel {
    /// What is wrong by itself.
    pub(super) fn check(&self, report: &mut Diagnostics) {
        let resets = self.reset.get() == Some(&true);
        let sets = self.positions.get().is_some_and(|it| !it.is_empty());
        let is_open = self.reset.known().is_err() || self.positions.known().is_err();
        if resets == sets && !is_open {
            report.push(told::reset_or_set(resets));
        }
        for (at, it) in self.positions.get().into_iter().flatten().enumerate() {
            for (name, text) in [("partition", it.model.partition.get()), ("offset", it.model.offset.get())] {
                if text.is_some_and(|it| object(it).is_none()) {
                    report.push(told::no_object(at, name));
                }
            }
        }
    }

    /// What is to be done.
    pub(super) fn wanted(&self) -> Result<Wanted, Unknown> {
        if self.reset.known()? == Some(&true) {
            return Ok(Wanted::Reset);
        }
        let positions = self.positions.known()?.into_iter().flatten().map(|it| {
            let offset = it.model.offset.known()?.and_then(|it| object(it)).unwrap_or(Json::Null);
            Ok(Offset { partition: object(it.model.partition.value()?).unwrap_or(Json::Null), offset })
        });
        positions.collect::<Result<_, _>>().map(Wanted::Set)
    }

    /// All of it, to be agreed to.
    pub(super) fn whole(&self) -> Result<Json, Unknown> {
        let mut positions = Vec::new();
        for it in self.positions.known()?.into_iter().flatten() {
            positions.push((it.model.partition.value()?, it.model.offset.known()?));
        }
        Ok(json!([self.version.known()?, self.reset.known()?, positions]))
    }
}

fn object(text: &str) -> Option<Json> {
    serde_json::from_str::<Json>(text).ok().filter(Json::is_object)
}
