//! Decisions about requests, made and taken back.

use super::{change, declaration, draft::Draft, grant, request::settle, request_unknown, topic};
use crate::governance::{
    application::{Application, ApplicationUid, Status},
    changes,
    check_request::{self, judges, secret},
    command::{Decision, Retraction, Role},
    request::{Choice, Decided, Judge, Request, RequestId, RequestStatus, Revision, Subject, Verb},
    state::{State, request_key},
    violation::{At, Refusal, Violation, Weight},
};

pub(super) fn decide(draft: &mut Draft<'_>, it: &Decision) -> Result<(), Refusal> {
    let Decision { request: id, revision, judge, choice, reason } = it;
    let there = draft.state.request(id).ok_or_else(|| request_unknown(id))?;
    let application = as_judge(draft, there, *judge)?;
    let said = there.decisions.get(judge).filter(|it| it.revision == *revision);
    let is_lost = *choice == Choice::Approve && there.status.is_over();
    if said.is_some_and(|it| it.choice == *choice && it.application == application) && !is_lost {
        return Ok(());
    }
    if *choice == Choice::Approve && there.status.is_approved() && said.is_none() && there.revision == *revision {
        // Nobody had to agree when it was filed; that somebody does now changes nothing.
        if !judges(draft.state, &there.content).contains(judge) {
            return Ok(());
        }
    }
    let is_earlier = *choice == Choice::Reject && there.revision != *revision;
    if is_earlier && (has(there, revision) || said_before(there, it).is_some()) {
        // An amendment that waits is no reason to keep what is not to be had any more.
        return reject_earlier(draft, there, it, application);
    }
    Refusal::of(stale(id, there, revision).into_iter().collect())?;
    if grant::is_done(there) {
        let what = format!("What the request `{id}` asked for is done.");
        let remedy = "Change or delete what was made; a decision does not undo it.";
        return Err(Violation::new(At::attribute("decision"), "Decided already", what, remedy).into());
    }
    // Who owns a thing, and the platform, may always take away what is given.
    let is_end = *choice == Choice::Reject && gives(there, revision);
    let mut wrong: Vec<Violation> = not_asked(draft, there, *judge).filter(|_| !is_end).into_iter().collect();
    wrong.extend(reason.as_deref().and_then(|it| secret("reason", it)));
    if *choice == Choice::Approve {
        wrong.extend(against(draft, there));
        wrong.extend(same_actor(draft, there, *judge));
    }
    Refusal::of(wrong)?;

    let mut next = there.clone();
    let actor = draft.actor.claimed.clone();
    let decided = Decided { revision: revision.clone(), choice: *choice, application, actor, at: draft.now };
    next.decisions.insert(*judge, decided);
    next.set_aside.remove(judge);
    say(draft, id, *judge, reason.as_deref());
    match choice {
        Choice::Approve => {
            if next.status == RequestStatus::Rejected && !next.decisions.values().any(|it| it.choice == Choice::Reject)
            {
                next.status = RequestStatus::Pending;
                reopen(draft, &next)?;
            }
            settle(draft, &mut next);
            match next.content.subject {
                Subject::Application(_) if next.status == RequestStatus::Approved => {
                    declaration::agreed(draft, &mut next)?;
                }
                Subject::Change(_) if next.status == RequestStatus::Approved => change::agreed(draft, &mut next)?,
                _ => {}
            }
        }
        Choice::Reject if gives(&next, revision) => {
            draft.set_request(id.clone(), next);
            grant::end(draft, id, RequestStatus::Revoking);
            return Ok(());
        }
        Choice::Reject => {
            next.status = RequestStatus::Rejected;
            if matches!(next.content.subject, Subject::Application(_)) {
                declaration::rejected(draft, &next);
            }
        }
    }
    draft.set_request(id.clone(), next);
    Ok(())
}

/// Takes back what was agreed to of a revision before, and what that gives: also if it is asked for again.
fn reject_earlier(
    draft: &mut Draft<'_>,
    there: &Request,
    it: &Decision,
    application: Option<ApplicationUid>,
) -> Result<(), Refusal> {
    let Decision { request: id, revision, judge, choice, reason } = it;
    if !gives(there, revision) && !has_agreed_to(there, it) {
        return Ok(());
    }
    Refusal::of(reason.as_deref().and_then(|it| secret("reason", it)).into_iter().collect())?;
    say(draft, id, *judge, reason.as_deref());
    if gives(there, revision) {
        grant::end_granted(draft, id);
    }
    let Some(mut next) = draft.request(id).cloned() else { return Ok(()) };
    if !next.decisions.contains_key(judge) {
        let actor = draft.actor.claimed.clone();
        let decided = Decided { revision: revision.clone(), choice: *choice, application, actor, at: draft.now };
        next.set_aside.insert(*judge, decided);
    }
    draft.set_request(id.clone(), next);
    Ok(())
}

/// Puts the reason for a decision where it can be erased.
fn say(draft: &mut Draft<'_>, id: &RequestId, judge: Judge, reason: Option<&str>) {
    if let Some(reason) = reason {
        draft.texts.insert(format!("{}/{}", request_key(id), judge.word()), Some(reason.into()));
    }
}

/// Has what was rejected asked for again.
fn reopen(draft: &mut Draft<'_>, it: &Request) -> Result<(), Refusal> {
    match it.content.subject {
        Subject::Application(_) => declaration::reopened(draft, it),
        Subject::Access(_) | Subject::Change(_) => Ok(()),
    }
}

/// Whether what was rejected can be asked for again. A rejection of what nobody asks for any more, or what somebody else has
/// by now, stays.
fn is_asked_again(draft: &mut Draft<'_>, it: &mut Request) -> bool {
    match it.content.subject {
        Subject::Access(_) => true,
        Subject::Application(_) => reopen(draft, it).is_ok() && declaration::is_asked_of(draft, it),
        Subject::Change(_) => it.status != RequestStatus::Approved || change::agreed(draft, it).is_ok(),
    }
}

pub(super) fn retract(draft: &mut Draft<'_>, it: &Retraction) -> Result<(), Refusal> {
    let Retraction { request: id, revision, judge } = it;
    let there = draft.state.request(id).ok_or_else(|| request_unknown(id))?;
    if is_former_owner(draft, there) {
        return Ok(());
    }
    as_judge(draft, there, *judge)?;
    let is_of = |it: &Decided| it.revision == *revision;
    let granted = there.live_grant().and_then(|it| it.decisions.get(judge)).is_some_and(is_of);
    let Some(decided) = there.decisions.get(judge).filter(|it| is_of(it)) else {
        if !there.status.is_over() {
            let mut next = there.clone();
            if next.set_aside.get(judge).is_some_and(is_of) {
                next.set_aside.remove(judge);
                draft.set_request(id.clone(), next);
            }
            if granted {
                grant::end_granted(draft, id);
            }
        }
        return Ok(());
    };
    if there.status.is_over() || (grant::is_done(there) && !topic::taken_back(draft, there, decided.at)) {
        return Ok(());
    }
    if decided.choice == Choice::Approve && gives(there, revision) {
        grant::end(draft, id, RequestStatus::Revoking);
        return Ok(());
    }
    let mut next = there.clone();
    next.decisions.remove(judge);
    if decided.choice == Choice::Reject && is_end(there) {
        // It may be declared again by now: who wants the end still asks for it anew.
        next.status = RequestStatus::Withdrawn;
        next.ended_at = Some(draft.now);
    } else if !next.decisions.values().any(|it| it.choice == Choice::Reject) {
        next.status = RequestStatus::Pending;
        settle(draft, &mut next);
        if decided.choice == Choice::Reject && !is_asked_again(draft, &mut next) {
            return Ok(());
        }
    }
    let is_revoked = decided.choice == Choice::Reject && agreed_before(there, *judge);
    draft.set_request(id.clone(), next);
    if is_revoked {
        grant::end_granted(draft, id);
    }
    Ok(())
}

/// Whether a request is for the end of something.
fn is_end(it: &Request) -> bool {
    changes::change(it).is_some_and(|it| it.verb == Verb::Delete)
}

/// Whether somebody agreed to what is given by now, and to nothing that was asked for since.
fn agreed_before(it: &Request, judge: Judge) -> bool {
    it.live_grant().is_some_and(|it| it.decisions.contains_key(&judge))
}

/// Whether who asks handed over what the request is about: nothing that they decided holds any more.
fn is_former_owner(draft: &Draft<'_>, there: &Request) -> bool {
    let Role::Application(acting) = &draft.actor.role else { return false };
    there.owner() != Some(acting) && there.former_owners.iter().any(|it| it.name == *acting)
}

/// Whether that very revision gives something already.
fn gives(it: &Request, revision: &Revision) -> bool {
    it.live_grant().is_some_and(|it| it.revision == *revision)
}

/// Whether who decides agreed to that very revision before it was amended.
fn has_agreed_to(it: &Request, said: &Decision) -> bool {
    said_before(it, said).is_some_and(|it| it.choice == Choice::Approve)
}

/// What who decides said of that very revision before it was amended.
fn said_before<'a>(it: &'a Request, said: &Decision) -> Option<&'a Decided> {
    it.set_aside.get(&said.judge).filter(|it| it.revision == said.revision)
}

/// Whether that very revision gives something, or did until a moment ago.
fn has(it: &Request, revision: &Revision) -> bool {
    it.grant.as_ref().is_some_and(|it| it.revision == *revision)
}

/// Who decides: nobody decides as somebody else, and the platform not as the owner.
fn as_judge(draft: &Draft<'_>, there: &Request, judge: Judge) -> Result<Option<ApplicationUid>, Refusal> {
    let (what, remedy) = match (judge, &draft.actor.role, &there.content.owner) {
        (Judge::Platform, Role::Platform, _) => return Ok(None),
        (Judge::Owner, Role::Application(acting), Some(owner)) if *acting == owner.name => {
            return Ok(Some(owner.clone()));
        }
        (Judge::Owner, Role::Platform, Some(owner)) => (
            format!("The owner decides as the application `{}`, and you act as the platform.", owner.name),
            "Set `KAFKA_ACTING_APPLICATION` to it where its pipeline runs; or write `as = \"platform\"` where the \
             environment asks the platform, too.",
        ),
        (Judge::Owner, Role::Platform, None) => {
            let what = "No application owns what the request is for: it is yours to decide, as the platform.";
            let remedy = "Write `as = \"platform\"`.";
            return Err(Violation::new(At::attribute("as"), "Not decided as an owner", what, remedy).into());
        }
        (Judge::Owner, _, None) => {
            ("This is the platform's to decide.".to_owned(), "Have the platform decide, as the platform.")
        }
        (Judge::Platform | Judge::Owner, ..) => {
            ("An application decides as the owner, of what it owns.".to_owned(), "Decide as the owner.")
        }
    };
    Err(Violation::new(At::attribute("as"), "Not yours to decide", what, remedy).into())
}

/// Nothing is decided that was not seen, and nothing that is over.
pub fn stale(id: &RequestId, there: &Request, revision: &Revision) -> Option<Violation> {
    let told =
        |at: &str, summary, what: String, remedy: &str| Some(Violation::new(At::attribute(at), summary, what, remedy));
    if there.status.is_over() {
        let what = format!("The request `{id}` is `{}`.", there.status);
        return told(
            "request_id",
            "Request over",
            what,
            "There is nothing to decide any more: remove the decision, or have the request filed anew.",
        );
    }
    if there.revision == *revision {
        return None;
    }
    let what = format!(
        "The request `{id}` was amended since: it is `{}` now, and this is about `{revision}`.",
        there.revision
    );
    told("revision", "Request amended since", what, "Plan again, look at what it asks for now, and decide about that.")
}

/// Whether somebody is asked at all.
fn not_asked(draft: &Draft<'_>, there: &Request, judge: Judge) -> Option<Violation> {
    let judges = judges(draft.state, &there.content);
    if judges.contains(&judge) || there.decisions.contains_key(&judge) {
        return None;
    }
    let asked: Vec<&str> = judges.iter().map(|it| it.word()).collect();
    let what = format!(
        "The environment has this decided by {}, and you decide as {}.",
        crate::governance::violation::listed(asked),
        judge.word()
    );
    let remedy = "Leave it to them. What is granted, the owner and the platform can revoke.";
    Some(Violation::new(At::attribute("as"), "Not asked to decide", what, remedy))
}

/// What speaks against agreeing now, whoever does.
fn against(draft: &Draft<'_>, there: &Request) -> Vec<Violation> {
    let mut res = Vec::new();
    let content = &there.content;
    if content.is_expired(draft.now) {
        let what = "The time for which it was asked is over.";
        res.push(Violation::new(At::attribute("request_id"), "Request expired", what, "Have it filed again."));
    }
    res.extend(out_of_date(draft.state, there));
    res
}

/// Why what was asked for is not there to be given any more.
pub(super) fn out_of_date(state: &State, there: &Request) -> Option<Violation> {
    let content = &there.content;
    let applicant = state.application(&content.applicant.name);
    let at = At::attribute("request_id");
    let access = content.access()?;
    if !applicant.is_some_and(|it| it.uid() == content.applicant && it.status.is_in_force()) {
        let what = format!("The application `{}` that asks is not in force.", content.applicant.name);
        let told = Violation::new(at, "Application not in force", what, "Wait until it is, or reject the request.");
        return Some(told.weighing(Weight::Wait));
    }
    // A trial that ended owns what it did, and who was given access to that keeps it.
    let is_there = |it: &&Application| it.status.is_in_force() || it.status == Status::Expired;
    let owner = check_request::owner(state, access).filter(is_there);
    if owner.map(Application::uid) != content.owner {
        let what = format!("The {} `{}` has another owner by now, or none.", access.kind, access.name);
        return Some(Violation::new(at, "Owner changed", what, "Have the request filed again."));
    }
    None
}

/// Where the environment wants them to be different people: who asks, and each who agrees.
fn same_actor(draft: &Draft<'_>, there: &Request, judge: Judge) -> Option<Violation> {
    if !draft.policy().approval.distinct_actors {
        return None;
    }
    let others = there.decisions.iter().filter(|(it, _)| **it != judge).map(|(_, it)| &it.actor);
    let others: Vec<&Option<String>> = others.chain([&there.filed_by]).collect();
    let (summary, what, remedy) = match &draft.actor.claimed {
        None => (
            "Actor unknown",
            "Who asks and who agrees must be different people here, and nothing says who you are.".to_owned(),
            "Set `KAFKA_ACTOR`, as continuous integration does.",
        ),
        Some(_) if others.iter().any(|it| it.is_none()) => (
            "Actor unknown",
            "Who asks and who agrees must be different people here, and nothing says who asked.".to_owned(),
            "Have the request withdrawn and filed again by somebody who says so.",
        ),
        Some(me) if others.iter().any(|it| it.as_ref() == Some(me)) => (
            "Another person must agree",
            format!("Who asks and each who agrees must be different people here, and `{me}` is one of them already."),
            "Have somebody else agree.",
        ),
        Some(_) => return None,
    };
    Some(Violation::new(At::all(), summary, what, remedy))
}
