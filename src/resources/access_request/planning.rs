//! What a plan of a request says of the request that is there.

use super::AccessRequestModel;
use crate::{
    clients::governed::Governed,
    framework::{Call, Change, Computed, Diagnostic, Failure, Path, Plan},
    governance::{
        acl::Principal,
        command::Command,
        request::{AccessTo, Request, RequestId, RequestStatus},
        state::State,
        violation::listed,
    },
    provider::{Context, Governing},
    resources::{
        letters::REFUSED,
        place::environment_of_plan,
        requests::{ended, is_left_to_grant, tell_lost},
    },
};

/// The word for an access of which somebody took rules away behind its back.
const DRIFTED: &str = "drifted";

impl Plan<AccessRequestModel> {
    /// Another way to write the same application is no change, and another application is another request.
    pub(super) fn keep_words(&mut self) {
        let Some(prior) = &self.prior else { return };
        let (Some(before), Some(now)) = (prior.application.get(), self.state.application.get()) else { return };
        if before.name == now.name {
            self.state.application = prior.application.clone();
        } else {
            self.replace.push(Path::attribute("application"));
        }
    }

    /// Leaves open what an amendment, and rules that are still to be made, will change; has a request that is over replaced
    /// where it is asked otherwise.
    pub(super) async fn plan_amendment(&mut self, ctx: &Context, call: &mut Call) -> Result<(), Failure> {
        let Some(prior) = self.prior.clone().filter(|_| self.replace.is_empty()) else { return Ok(()) };
        let Some(id) = prior.request_id.get() else { return Ok(()) };
        let (Ok(before), Ok(now)) = (prior.filing(id.clone()), self.config.filing(id.clone())) else {
            self.state.leave_open();
            return Ok(());
        };
        let is_amended = (&before.subject, before.expires_at) != (&now.subject, now.expires_at);
        if is_amended || prior.status.get().is_some_and(|it| it == REFUSED && before != now) {
            self.state.leave_open();
        }
        let environment = environment_of_plan(ctx, &self.state)?;
        let Governing::Journal(governance) = environment.governance_if_told(call.deadline).await? else {
            return Ok(());
        };
        let (governed, known) = (&governance.governed, &governance.snapshot.state);
        let Some(found) = known.request(id) else { return Ok(()) };
        let lives = known.application(&found.applicant().name).filter(|it| it.status.is_in_force());
        if lives.is_some_and(|it| it.uid() != *found.applicant()) {
            // What an application asked for ended with it, and this is another one of its name.
            self.replace.push(Path::attribute("application"));
            return Ok(());
        }
        if is_closed(found) && before != now {
            self.replace.push(Path::attribute(changed(&prior, &self.state)));
            return Ok(());
        }
        // Nobody asks again for what was rejected but by a change.
        let asks = before != now || found.status != RequestStatus::Rejected;
        let command = Command::FileRequest(Box::new(now));
        let after = governed.request_after(known, &command, id).ok().flatten();
        if asks && after.is_some_and(|it| it.revision != found.revision) {
            self.state.leave_open();
        }
        let is_drifted = prior.status.get().is_some_and(|it| it == DRIFTED);
        if is_left_to_grant(governed, known, id) || (is_drifted && governed.mailbox(known).is_none()) {
            self.state.status = Computed::unknown();
        }
        Ok(())
    }
}

/// Whether nothing revives a request: another one must be filed.
fn is_closed(it: &Request) -> bool {
    matches!(it.status, RequestStatus::Withdrawn | RequestStatus::Revoking | RequestStatus::Revoked)
}

/// The first attribute that is asked otherwise.
fn changed(prior: &AccessRequestModel, now: &AccessRequestModel) -> &'static str {
    let attributes = [
        ("access", prior.access != now.access),
        ("operations", prior.operations != now.operations),
        ("expires_at", prior.expires_at != now.expires_at),
        ("justification", prior.justification != now.justification),
        ("ticket", prior.ticket != now.ticket),
    ];
    attributes.iter().find(|(_, is_changed)| *is_changed).map_or("approver", |(name, _)| name)
}

impl AccessRequestModel {
    fn leave_open(&mut self) {
        self.revision = Computed::unknown();
        self.owner = Computed::unknown();
        self.status = Computed::unknown();
    }

    /// Tells that somebody took rules of the access away, and has the next plan of who may make them again. Who may not
    /// see rules is told nothing.
    pub(super) async fn tell_lost(
        &mut self,
        id: &RequestId,
        found: &Request,
        known: &State,
        governed: &Governed,
        call: &mut Call,
    ) -> Result<(), Failure> {
        let is_made_again = found.status == RequestStatus::Active && governed.mailbox(known).is_none();
        let is_lost = tell_lost(id, known, governed, is_made_again, call).await?;
        if is_lost && found.status == RequestStatus::Active {
            self.status = DRIFTED.to_owned().into();
        }
        Ok(())
    }
}

impl Change<AccessRequestModel> {
    /// Tells what became of a request that nobody changes, and what of it is not asked for yet.
    pub(super) fn tell_life(&self, id: &RequestId, state: &State, call: &mut Call) {
        let Some(found) = state.request(id) else { return };
        if self.plan.as_ref().is_some_and(|it| it.revision.get().is_none()) {
            tell_newcomers(id, found, state, call);
        } else if let Some(what) = ended(id, found) {
            let remedy = if is_closed(found) {
                "Remove the resource. Or change what it asks for, such as its `ticket`: that files another request."
            } else {
                "Remove the resource. Or write a later `expires_at`: that asks again."
            };
            call.report.push(Diagnostic::warning("Request over", format!("{what}\n\n{remedy}")));
        } else if found.status == RequestStatus::Rejected {
            let holds = match found.live_grant() {
                Some(_) => " What was granted before the amendment holds.",
                None => "",
            };
            let detail = format!(
                "The request `{id}` was rejected.{holds}\n\nChange what it asks for, which asks again; or remove it."
            );
            call.report.push(Diagnostic::warning("Request rejected", detail));
        }
    }
}

/// Tells which principals are asked for that were not there when the request was filed.
fn tell_newcomers(id: &RequestId, found: &Request, state: &State, call: &mut Call) {
    let newcomers = newcomers(found, state);
    if found.status.is_over() || newcomers.is_empty() {
        return;
    }
    let detail = format!(
        "The application `{}` has principals that `{id}` was not filed for: {}. It is filed again and asks for them, too; \
         what was granted holds until that is decided.",
        found.applicant().name,
        listed(newcomers)
    );
    call.report.push(Diagnostic::warning("Request filed again", detail));
}

/// The principals of the applicant that the request is not for.
fn newcomers<'a>(it: &'a Request, state: &'a State) -> Vec<&'a Principal> {
    let applicant =
        state.application(&it.applicant().name).filter(|_| it.content.access().is_some_and(AccessTo::has_rules));
    let runs = applicant.into_iter().flat_map(|it| &it.spec.principals);
    runs.filter(|runs| !it.content.principals.contains(*runs)).collect()
}
