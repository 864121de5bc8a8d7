//! The deed: an application is declared, and what follows from that is made.

use std::{collections::BTreeMap, sync::Arc};

use super::{AMENDED, ApplicationModel, Entry, INCARNATION, PrefixesModel, inbox, rejection, rejection::status};
use crate::{
    clients::{governed::Governed, journal::Snapshot},
    framework::{Block, Call, Diagnostic, Failure},
    governance::{
        application::Status,
        command::{ApplicationRequest, Command, Takeover, TopicFound, Transfer},
        names::ApplicationName,
        state::State,
        violation::listed,
    },
    resources::{
        governed::{known, remember, tell_unenforced},
        letters::{REQUESTED, ask, is_awaited},
    },
};

impl ApplicationModel {
    /// Declares the application and makes its rights.
    pub(super) async fn declare(
        &self,
        plan: Self,
        governed: &Governed,
        command: impl Fn(ApplicationRequest) -> Command,
        call: &mut Call,
    ) -> Result<Self, Failure> {
        let name = self.name.value()?.clone();
        let mut there = known(governed, call.deadline).await?;
        let is_new = there.state.application(&name).is_none_or(|it| !it.status.is_in_force());
        if !is_new && !self.take_over_from.is_null() {
            self.take_over(&name, governed, call).await?;
            there = known(governed, call.deadline).await?;
        }
        let request = self.request(governed, &there.state, call).await?;
        if inbox::is_used(governed, &there.state) {
            return self.ask_for(plan, governed, &there.state, request, call).await;
        }
        let declared = ask(governed, &there.state, command(request.clone()), call).await?.snapshot;
        adopt_rest(governed, &request, declared, call).await?;
        if is_new {
            self.take_over(&name, governed, call).await?;
        }
        let offered = there.state.application(&name).and_then(|it| it.offer.as_ref());
        let offer = match self.transfer.known()? {
            Some(it) => Some((it.model.to.value()?.clone(), it.model.prefixes.value()?.model.prefixes()?)),
            None => offered.map(|it| (it.to.clone(), BTreeMap::new())),
        };
        if let Some((to, prefixes)) = offer {
            let offer = Command::OfferTransfer(Transfer { application: name.clone(), to, prefixes });
            governed.command(offer, call.deadline).await?;
        }
        let made = governed.provision(&name, call.deadline).await?;
        remember(call, &made);
        tell_unenforced(&made.state, call);
        let found = made.state.application(&name).ok_or_else(|| {
            Failure::from(Diagnostic::bug(format!(
                "The application `{name}` is not in the journal that it was written to."
            )))
        })?;
        call.private.set(INCARNATION, found.incarnation);
        call.private.set(AMENDED, found.amendment.is_some());
        if found.status == Status::Pending {
            let detail = format!(
                "`{name}` waits for the platform to agree; until then it has no rights.\n\nThe platform agrees with \
                 `kafka_access_decision` to `request_id`, or by declaring the same."
            );
            call.report.push(Diagnostic::warning("Application pending", detail));
        }
        tell_asked(governed, &made.state, found, call).await;
        let declared = found.amendment.as_ref().unwrap_or(&found.spec);
        let now = if is_awaited(governed, call).await? { REQUESTED } else { status(found, &made.state) };
        Ok(Self {
            prefixes: PrefixesModel::of(&declared.prefixes).into(),
            status: plan.status.get().map_or(now, String::as_str).to_owned().into(),
            request_id: found.waits_by().map(ToString::to_string).into(),
            ..plan
        })
    }

    /// Whether anything but timeouts is another than before.
    pub(super) fn changes(&self, prior: &Self) -> bool {
        Self { timeouts: Block::default(), ..self.clone() } != Self { timeouts: Block::default(), ..prior.clone() }
    }

    /// Takes what others offer.
    async fn take_over(&self, name: &ApplicationName, governed: &Governed, call: &Call) -> Result<(), Failure> {
        for from in self.take_over_from.known()?.into_iter().flat_map(|it| &it.0) {
            let takeover = Takeover { application: name.clone(), from: from.clone() };
            governed.command(Command::ConfirmTransfer(takeover), call.deadline).await?;
            governed.settle_rights(from, call.deadline).await?;
        }
        Ok(())
    }
}

/// Has the topics adopted that did not fit into the decision before.
async fn adopt_rest(
    governed: &Governed,
    request: &ApplicationRequest,
    mut known: Arc<Snapshot<State>>,
    call: &Call,
) -> Result<(), Failure> {
    let left =
        |known: &State| known.application(&request.spec.name).map_or(0, |it| request.to_adopt(known, it).count());
    let own = Some(&request.spec.name);
    let is_adopted = |it: &TopicFound| known.state.topic(&it.name).is_some_and(|it| it.application.as_ref() == own);
    // Nothing is adopted for who waits for the platform, however often it is asked for.
    let mut before = if request.topics.iter().any(is_adopted) { usize::MAX } else { 0 };
    loop {
        let now = left(&known.state);
        if now == 0 || before <= now {
            return Ok(());
        }
        before = now;
        known = governed.command(Command::ChangeApplication(Box::new(request.clone())), call.deadline).await?;
    }
}

/// Tells what of an application waits for the platform, or was rejected.
pub(super) async fn tell_asked(governed: &Governed, state: &State, it: &Entry, call: &mut Call) {
    if rejection::stands(state, it) {
        return rejection::tell(governed, state, it, call).await;
    }
    let waiting = it.waiting();
    if waiting.is_empty() {
        return;
    }
    let detail = format!(
        "What `{}` changes in {} waits for the platform to agree; until then what was agreed to before holds.\n\nThe \
         platform agrees with `kafka_access_decision` to `request_id`, or by declaring the same.",
        it.spec.name,
        listed(waiting)
    );
    call.report.push(Diagnostic::warning("Change pending", detail));
}
