//! What applications of one plan claim together, and what they offer each other: the journal knows it only when the first
//! of them is made.

use super::ApplicationModel;
use crate::{
    framework::{Call, Diagnostic, Unknown},
    governance::{
        acl::Principal,
        application::ApplicationSpec,
        names::ApplicationName,
        state::State,
        violation::{At, Violation, Weight},
    },
    provider::Claimed,
};

/// What speaks against an application beside the others of the plan.
pub(super) fn check_claims(state: &State, others: &Claimed, wanted: &ApplicationSpec, moves: bool) -> Vec<Violation> {
    let mut res = Vec::new();
    for (other, (spec, other_moves)) in others.iter().filter(|(name, _)| **name != wanted.name) {
        // What the journal has already is told by the decision.
        let had = state.application(other).filter(|it| it.status.holds_prefixes()).map(|it| &it.spec);
        // What is taken over has two claimants until it is.
        let weight = if moves || *other_moves { Weight::Wait } else { Weight::Refuse };
        res.extend(overlap(had, other, spec, wanted).map(|it| it.weighing(weight)));
        res.extend(shared(had, other, spec, wanted));
    }
    res
}

/// The first prefix that overlaps: kinds without prefixes have those of topics, and one message is enough.
fn overlap(
    had: Option<&ApplicationSpec>,
    other: &ApplicationName,
    spec: &ApplicationSpec,
    wanted: &ApplicationSpec,
) -> Option<Violation> {
    let claims = wanted.prefixes.iter().flat_map(|(kind, all)| all.iter().map(|it| (*kind, it.as_str())));
    claims.into_iter().find_map(|(kind, prefix)| {
        let overlaps = |it: &&str| it.starts_with(prefix) || prefix.starts_with(*it);
        let is_new = |it: &&str| had.is_none_or(|had| had.prefixes(kind).all(|had| had != *it));
        let taken = spec.prefixes(kind).find(|it| overlaps(it) && is_new(it))?;
        let what = format!(
            "`{prefix}` overlaps with `{taken}`, which the application `{other}` of this plan claims for {kind}s too."
        );
        let at = At::attribute("prefixes").then(kind.word()).element(prefix);
        Some(Violation::new(
            at,
            "Prefix planned twice",
            what,
            "A prefix has one owner: claim another one in one of them.",
        ))
    })
}

fn shared(
    had: Option<&ApplicationSpec>,
    other: &ApplicationName,
    spec: &ApplicationSpec,
    wanted: &ApplicationSpec,
) -> Vec<Violation> {
    let has = |spec: &ApplicationSpec, it: &Principal| spec.principals.contains(it) || spec.deployers.contains(it);
    let is_shared = |it: &&Principal| has(spec, it) && !had.is_some_and(|had| has(had, it));
    let own = wanted.principals.iter().map(|it| ("principals", it));
    let own = own.chain(wanted.deployers.iter().map(|it| ("deployers", it)));
    own.filter(|(_, it)| is_shared(it))
        .map(|(attribute, it)| {
            let what = format!("`{it}` is a principal of the application `{other}` of this plan too.");
            let remedy = "A principal belongs to one application: use another one in one of them.";
            Violation::new(At::attribute(attribute).element(&it.to_string()), "Principal planned twice", what, remedy)
        })
        .collect()
}

impl ApplicationModel {
    /// Whether it gives something to another application, or takes something.
    pub(super) fn moves(&self) -> bool {
        !self.take_over_from.is_null() || !self.transfer.is_null()
    }

    /// Warns of a transfer that has no other side yet: another resource of the same run may bring it.
    pub(super) fn tell_transfers(
        &self,
        prior: Option<&Self>,
        state: &State,
        spec: &ApplicationSpec,
        call: &mut Call,
    ) -> Result<(), Unknown> {
        let name = &spec.name;
        // What was applied came true, whatever the other application offers by now.
        let takes = prior.is_none_or(|it| it.take_over_from != self.take_over_from);
        let gives = prior.is_none_or(|it| it.transfer != self.transfer);
        for from in self.take_over_from.known()?.into_iter().filter(|_| takes).flat_map(|it| &it.0) {
            let offer = state.application(from).and_then(|it| it.offer.as_ref());
            if offer.is_none_or(|it| it.to != *name) {
                let detail = format!(
                    "The application `{from}` offers nothing to `{name}` so far.\n\nHave its team write `transfer = {{ to = \
                     \"{name}\", prefixes = {{ … }} }}` and apply first. Apply refuses until then."
                );
                call.report.push(Diagnostic::warning("Nothing offered", detail).at("take_over_from"));
            }
        }
        let Some(transfer) = self.transfer.known()?.filter(|_| gives) else { return Ok(()) };
        let (to, offered) = (transfer.model.to.value()?, transfer.model.prefixes.value()?.model.prefixes()?);
        let done =
            state.application(name).and_then(|it| it.offer.as_ref()).filter(|it| it.is_confirmed && it.to == *to);
        let is_done = done.is_some_and(|it| it.prefixes == offered);
        for (kind, prefixes) in offered.iter().filter(|_| !is_done) {
            for prefix in prefixes.iter().filter(|it| spec.prefixes(*kind).all(|own| own != it.as_str())) {
                let detail = format!(
                    "`{prefix}` is no {kind} prefix of the application `{name}`, which can offer what it owns.\n\nCorrect \
                     it, or leave it out. Apply refuses it."
                );
                call.report.push(Diagnostic::warning("Prefix not owned", detail).at("transfer"));
            }
        }
        Ok(())
    }
}
