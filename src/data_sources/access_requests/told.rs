//! What only some may read of requests: free text, and history.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{EventModel, FoundRequestModel, shown::moment};
use crate::{
    clients::{
        journal::{Journal, JournalError, Recorded},
        kafka::KafkaError,
    },
    framework::{Call, Diagnostic, Failure, Nested},
    governance::{
        request::RequestId,
        state::{State, request_key},
    },
};

/// What was told; nothing to who may not read it.
pub(super) struct Told {
    texts: BTreeMap<String, Value>,
    history: Option<Vec<Recorded>>,
}

impl Told {
    /// Reads free text and, where it is asked for, history.
    pub(super) async fn read(journal: &Journal<State>, history: bool, call: &mut Call) -> Result<Self, Failure> {
        let texts = permitted(journal.texts(call.deadline).await)?.unwrap_or_default();
        if !history {
            return Ok(Self { texts, history: None });
        }
        let history = permitted(journal.history(0, call.deadline).await)?;
        if history.is_none() {
            let detail = "The provider's principal may not read the topic `_selfserve`, so that `events` is null.\n\nGive \
                          it `READ` on that topic, which is an auditor's right, or leave out `history`.";
            call.report.push(Diagnostic::warning("History not readable", detail).at("history"));
        }
        Ok(Self { texts, history })
    }

    /// A request, with what was told of it.
    pub(super) fn of(&self, id: &RequestId, model: FoundRequestModel) -> Nested<FoundRequestModel> {
        let key = request_key(id);
        let text = |part: &str| self.texts.get(&format!("{key}/{part}")).and_then(Value::as_str).map(str::to_owned);
        let said = self.texts.get(&key).and_then(|it| it.get("justification")).and_then(Value::as_str);
        let mut decisions = model.decisions.get().cloned().unwrap_or_default();
        for it in decisions.iter_mut().map(|it| &mut it.model) {
            it.reason = it.judge.get().and_then(|judge| text(judge)).into();
        }
        let events = self.history.as_ref().map(|it| it.iter().filter_map(|it| event(it, &key)).collect::<Vec<_>>());
        Nested::from(FoundRequestModel {
            decisions: decisions.into(),
            justification: said.map(str::to_owned).into(),
            revocation_reason: text("revocation").into(),
            failure: text("failure").into(),
            events: events.into(),
            ..model
        })
    }
}

/// What was read; `None` where the caller may not.
fn permitted<T>(read: Result<T, JournalError>) -> Result<Option<T>, Failure> {
    match read {
        Ok(it) => Ok(Some(it)),
        // A topic that one may not even describe looks as if it were not there.
        Err(JournalError::Kafka(KafkaError::Denied { .. } | KafkaError::NoTopic(_)) | JournalError::Incomplete(_)) => {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// What an event says of the request with this key; `None` if it is about others.
fn event(it: &Recorded, key: &str) -> Option<Nested<EventModel>> {
    let entity = it.event.entities.get(key)?;
    Some(Nested::from(EventModel {
        offset: it.offset.into(),
        at: moment(Some(it.at)).into(),
        kind: it.event.kind.clone().into(),
        status: entity.get("status").and_then(Value::as_str).map(str::to_owned).into(),
        principal: it.claims.principal.clone().into(),
        actor: it.claims.actor.clone().into(),
        change_url: it.claims.change_url.clone().into(),
        facts: Value::Object(it.event.facts.clone()).to_string().into(),
    }))
}
