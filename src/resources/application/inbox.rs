//! Applications of teams that have none yet, and ask for their first one where everybody may.

use super::{ApplicationModel, INCARNATION, PrefixesModel};
use crate::{
    clients::governed::Governed,
    framework::{Call, Diagnostic, Failure},
    governance::{
        application::Status,
        command::{ApplicationRequest, Command},
        mailbox::MailboxOf,
        request::RequestId,
        state::State,
    },
    resources::letters::{Outcome, REFUSED, REQUESTED, ask, outcome},
};

/// Whether the caller asks where everybody may.
pub(super) fn is_used(governed: &Governed, state: &State) -> bool {
    governed.mailbox(state) == Some(MailboxOf::Everybody)
}

impl ApplicationModel {
    /// Asks for the application. Nobody reads back what is asked where everybody may write, so that the state says what
    /// was asked.
    pub(super) async fn ask_for(
        &self,
        plan: Self,
        governed: &Governed,
        known: &State,
        request: ApplicationRequest,
        call: &mut Call,
    ) -> Result<Self, Failure> {
        let name = self.name.value()?.clone();
        let command = Command::DeclareApplication(Box::new(request));
        let wanted = governed.application_after(known, &command, &name)?;
        ask(governed, known, command, call).await?;
        // It is another one than the one that was rejected before.
        call.private.take(INCARNATION);
        let prefixes = wanted.map(|it| PrefixesModel::of(&it.spec.prefixes));
        let detail = format!("`{name}` was asked for in the inbox; until the platform looks there it has no rights.");
        call.report.push(Diagnostic::warning("Application asked for", detail));
        Ok(Self { prefixes: prefixes.into(), status: REQUESTED.to_owned().into(), request_id: None.into(), ..plan })
    }

    /// The state of an application that is not there: as it was asked for, while nobody looked at that, or if it was refused
    /// or rejected; else nothing.
    pub(super) fn not_there(self, rejected: Option<RequestId>, known: &State, call: &mut Call) -> Option<Self> {
        let status = match outcome(call, known).filter(|_| self.was_asked_for(call)) {
            Some(Outcome::Awaited) => REQUESTED,
            Some(Outcome::Refused(why)) => {
                let detail = format!("The platform did not take the application that was asked for. {why}");
                call.report.push(Diagnostic::warning("Application refused", detail));
                REFUSED
            }
            Some(Outcome::Taken) | None => {
                let request_id = rejected?.to_string().into();
                return Some(Self { status: Status::Rejected.word().to_owned().into(), request_id, ..self });
            }
        };
        Some(Self { status: status.to_owned().into(), ..self })
    }

    /// Tells, where the application is given up before anybody looked, that it may still come.
    pub(super) fn tell_asked(&self, known: &State, call: &mut Call) {
        if self.was_asked_for(call) && outcome(call, known) == Some(Outcome::Awaited) {
            let detail = "The application was asked for in the inbox, where nothing is taken back: the platform may still \
                          make it.\n\nTell the platform, which can reject or delete it.";
            call.report.push(Diagnostic::warning("Application may still come", detail));
        }
    }

    /// Whether all that is known of the application is that it was asked for.
    fn was_asked_for(&self, call: &Call) -> bool {
        let is_known = call.private.get(INCARNATION).is_some();
        !is_known && self.status.get().is_some_and(|it| it == REQUESTED || it == REFUSED)
    }
}
