//! Prefixes that go from one application to another, in two steps: the one offers, the other takes.

use super::{declaration, draft::Draft, no_application, open_mode, ownership, provisioning};
use crate::governance::{
    application::{Application, ApplicationSpec, Offer, Prefixes},
    command::{Takeover, Transfer},
    kind::Kind,
    owned_topic::OwnedTopic,
    policy::ApplicationApproval,
    prefix::{self, Claimant, Existing, OVERLAP},
    violation::{At, Refusal, Violation, listed},
};

pub(super) fn offer(draft: &mut Draft<'_>, it: &Transfer) -> Result<(), Refusal> {
    let Transfer { application, to, prefixes } = it;
    let there = in_force(draft, application)?;
    let wanted =
        (!is_empty(prefixes)).then(|| Offer { to: to.clone(), prefixes: prefixes.clone(), is_confirmed: false });
    let confirmed = wanted.clone().map(|it| Offer { is_confirmed: true, ..it });
    if there.offer == wanted || (wanted.is_some() && there.offer == confirmed) {
        return Ok(());
    }
    let mut wrong = Vec::new();
    if to == application {
        let what = "An application offers nothing to itself.";
        wrong.push(Violation::new(At::attribute("to"), "Transfer to itself", what, "Name another one."));
    }
    for (kind, prefixes) in prefixes {
        for prefix in prefixes.iter().filter(|it| !there.spec.prefixes(*kind).any(|own| own == it.as_str())) {
            let what = format!("`{prefix}` is no {kind} prefix of the application `{application}`.");
            let own: Vec<&str> = there.spec.prefixes(*kind).collect();
            let remedy = format!("It can offer {}.", listed(own));
            let at = At::attribute("prefixes").then(kind.word()).element(prefix);
            wrong.push(Violation::new(at, "Prefix not owned", what, remedy));
        }
    }
    Refusal::of(wrong)?;
    draft.set_application(Application { offer: wanted, ..there.clone() });
    Ok(())
}

pub(super) fn confirm(draft: &mut Draft<'_>, it: &Takeover) -> Result<(), Refusal> {
    let Takeover { application, from } = it;
    let owner = draft.state.application(from).ok_or_else(|| no_application(from))?;
    let offer = owner.offer.as_ref().filter(|it| it.to == *application).ok_or_else(|| {
        let what = format!("The application `{from}` offers nothing to `{application}`.");
        Violation::new(At::attribute("from"), "Nothing offered", what, "Have it offered first.")
    })?;
    if offer.is_confirmed {
        return Ok(());
    }
    let owner = in_force(draft, from)?;
    let receiver = in_force(draft, application)?;
    let kept = without(&owner.spec, &offer.prefixes);
    let extended = with(&receiver.spec, &offer.prefixes);
    Refusal::of(against(draft, owner, receiver, &kept, &extended))?;

    let mut owner = Application {
        spec: kept,
        offer: Some(Offer { is_confirmed: true, ..offer.clone() }),
        amendment: None,
        ..owner.clone()
    };
    let mut receiver = Application { spec: extended, amendment: None, ..receiver.clone() };
    provisioning::adjust(draft, &mut owner);
    provisioning::adjust(draft, &mut receiver);
    let incarnation = receiver.incarnation;
    let topics = draft.state.topics_of(from).filter(|(name, _)| receiver.spec.covers(Kind::Topic, name.as_str()));
    for (name, topic) in topics {
        let topic = OwnedTopic { application: Some(application.clone()), incarnation, ..topic.clone() };
        draft.set_topic(name.clone(), topic);
    }
    declaration::follow(draft, &mut owner);
    declaration::follow(draft, &mut receiver);
    draft.set_application(owner.clone());
    draft.set_application(receiver.clone());
    ownership::handed_over(draft, &owner, &receiver);
    Ok(())
}

/// What speaks against taking what is offered.
fn against(
    draft: &Draft<'_>,
    owner: &Application,
    receiver: &Application,
    kept: &ApplicationSpec,
    extended: &ApplicationSpec,
) -> Vec<Violation> {
    let nothing = Existing::new();
    let claimant = Claimant {
        spec: extended,
        before: Some(receiver),
        is_platform: draft.is_platform(),
        adopt: true,
        existing: &nothing,
    };
    let mut res: Vec<Violation> = prefix::violations(draft.state, claimant);
    // What is offered belongs to its owner still, and to nobody else.
    res.retain(|it| it.summary != OVERLAP);
    for (kind, prefixes) in &extended.prefixes {
        for prefix in prefixes {
            let overlap = kept.prefixes(*kind).find(|it| it.starts_with(prefix) || prefix.starts_with(it));
            res.extend(overlap.map(|it| still_overlapping(*kind, prefix, it, kept)));
        }
    }
    if !draft.is_platform() && draft.policy().approval.applications == ApplicationApproval::Platform {
        let what = "The environment has the platform agree to what applications own.";
        res.push(Violation::new(At::all(), "Approval needed", what, "Have the platform confirm the transfer."));
    }
    res.extend(open_mode::moved(draft, owner, extended));
    let limits = extended.capacity.or(draft.policy().quota);
    let moved = draft.state.topics_of(&owner.spec.name).filter(|(name, _)| extended.covers(Kind::Topic, name.as_str()));
    let sum = moved.fold(draft.state.taken(&extended.name, None), |sum, (_, it)| sum.plus(it.totals()));
    for (total, limit, sum) in limits.exceeded_by(&sum) {
        let what = format!(
            "With what it would take over, the application `{}` would take {sum} ({total}), and may take {limit}.",
            extended.name
        );
        let remedy = "Free what is not needed, or ask the platform for a larger `capacity`.";
        res.push(Violation::new(At::attribute("from"), "Capacity of the application exceeded", what, remedy));
    }
    res
}

/// What the owner keeps would give its rights on what it gives away.
fn still_overlapping(kind: Kind, prefix: &str, kept: &str, owner: &ApplicationSpec) -> Violation {
    let what = format!("`{}` keeps the {kind} prefix `{kept}`, which overlaps with `{prefix}`.", owner.name);
    let remedy = "A prefix has one owner: have the wider one offered, or narrowed first.";
    Violation::new(At::attribute("from"), OVERLAP, what, remedy)
}

fn in_force<'a>(
    draft: &Draft<'a>,
    name: &crate::governance::names::ApplicationName,
) -> Result<&'a Application, Refusal> {
    let it = draft.state.application(name).ok_or_else(|| no_application(name))?;
    if it.status.is_in_force() {
        return Ok(it);
    }
    let what = format!("The application `{name}` is `{}`.", it.status);
    let remedy = "A transfer is between two applications that are in force.";
    Err(Violation::new(At::attribute("name"), "Application not in force", what, remedy).into())
}

fn is_empty(prefixes: &Prefixes) -> bool {
    prefixes.values().all(std::collections::BTreeSet::is_empty)
}

/// An application that gave prefixes away, and with them its Streams programs there.
fn without(spec: &ApplicationSpec, given: &Prefixes) -> ApplicationSpec {
    let mut res = spec.clone();
    for (kind, prefixes) in given {
        if let Some(own) = res.prefixes.get_mut(kind) {
            own.retain(|it| !prefixes.contains(it));
        }
    }
    let kept = res.clone();
    let kinds = [Kind::Topic, Kind::Group, Kind::TransactionalId];
    res.streams.retain(|id| kinds.into_iter().all(|kind| kept.covers(kind, id)));
    res
}

fn with(spec: &ApplicationSpec, taken: &Prefixes) -> ApplicationSpec {
    let mut res = spec.clone();
    for (kind, prefixes) in taken {
        res.prefixes.entry(*kind).or_default().extend(prefixes.iter().cloned());
    }
    res
}
