//! Whose a decision is: a state answers for what it said itself, and takes nothing else back.

use serde_json::{Value as Json, json};

use super::AccessDecisionModel;
use crate::{
    clients::governed::Governed,
    framework::{Call, Diagnostic, Failure},
    governance::{
        request::{Decided, Request, RequestId},
        state::State,
    },
    resources::letters::{Outcome, is_awaited, letter, outcome, was_filed},
};

/// What the state said last, and when, as the journal has it: a private fact.
const SAID: &str = "said";

impl AccessDecisionModel {
    /// Remembers what the journal has of this decision as said by this state.
    pub(super) fn note_said(&self, found: &Request, call: &mut Call) {
        let held = self.held(found).filter(|it| Some(&it.choice) == self.decision.get());
        if let Some(Decided { choice, at, .. }) = held {
            call.private.set(SAID, json!({ "choice": choice, "at": at, "letter": letter(call) }));
        }
    }

    /// Remembers the same when it is first seen in the journal: of a letter that was folded, of what was imported, and of
    /// what an older release decided.
    pub(super) fn note_taken(&self, found: &Request, known: &State, call: &mut Call) {
        let is_noted = |it: &Json| it["letter"].as_str() == letter(call);
        if !call.private.get(SAID).is_some_and(is_noted) && !matches!(outcome(call, known), Some(Outcome::Refused(_))) {
            self.note_said(found, call);
        }
    }

    /// What somebody else decided about the same since, or said once more; `None` while what this state said holds.
    pub(super) fn overruled<'a>(&self, found: &'a Request, call: &Call) -> Option<&'a Decided> {
        let is_own = |it: &&Decided| match call.private.get(SAID) {
            Some(said) => said["choice"] == json!(it.choice) && said["at"] == json!(it.at),
            // What was only ever said by a letter that was refused is nowhere in the journal.
            None => !was_filed(call) || Some(&it.choice) == self.decision.get(),
        };
        self.held(found).filter(|it| !is_own(it))
    }

    /// The same of what the caller sees, to whom a letter of its own counts as done.
    pub(super) async fn overruled_since<'a>(
        &self,
        governed: &Governed,
        known: &'a State,
        call: &Call,
    ) -> Result<Option<(&'a Request, &'a Decided)>, Failure> {
        let found = known.request(self.request_id.value()?).filter(|it| !it.status.is_over());
        if is_awaited(governed, call).await? {
            return Ok(None);
        }
        Ok(found.and_then(|it| Some((it, self.overruled(it, call)?))))
    }
}

/// What a plan says of a decision that somebody else overruled.
pub(super) fn decided_otherwise(id: &RequestId, held: &Decided) -> Diagnostic {
    let detail = format!(
        "{} This state said otherwise before, and nothing of that holds any more; the plan leaves it so.\n\nWrite what holds, \
         or remove the decision: that changes nothing. To overrule the other decision, have this one replaced.",
        said_since(id, held)
    );
    Diagnostic::warning("Decided otherwise since", detail).at("decision")
}

/// What a destroy says of a decision that is not the state's own any more.
pub(super) fn left_to_other(id: &RequestId, held: &Decided) -> Diagnostic {
    let detail = format!(
        "{} To destroy this decision changes nothing of that.\n\nWho made the other decision takes it back.",
        said_since(id, held)
    );
    Diagnostic::warning("Decided otherwise since", detail)
}

fn said_since(id: &RequestId, held: &Decided) -> String {
    let who = held.application.as_ref().map_or_else(|| "the platform".to_owned(), |it| format!("`{}`", it.name));
    let actor = held.actor.as_ref().map(|it| format!(" (`{it}`)")).unwrap_or_default();
    let what = held.choice.word();
    format!("The request `{id}` was decided elsewhere on {} by {who}{actor}: `{what}`.", held.at.date())
}
