//! Letters that are out of date: what was said of the same since, and took effect sooner, is newer.
//!
//! A letter is folded when a platform writer comes to it, and others act at once. Without this, what a team wrote last
//! would be undone by what it wrote before.

use super::draft::Draft;
use crate::governance::{
    changes::waiting_of_topic,
    command::{Actor, Command},
    names::ApplicationName,
    record::Timestamp,
    request::{Judge, RequestId},
    state::State,
    topic::TopicName,
    violation::{At, Refusal, Violation},
};

/// What a command says something of.
enum About<'a> {
    Application(&'a ApplicationName),
    Topic(&'a TopicName),
    Request(&'a RequestId),
    Decision(&'a RequestId, Judge),
    /// Prefixes of an application, whose other side has requests of its own.
    Transfer(&'a ApplicationName),
}

fn about(command: &Command) -> Option<About<'_>> {
    Some(match command {
        Command::DeclareApplication(it) | Command::ChangeApplication(it) => About::Application(&it.spec.name),
        Command::DeleteApplication(it) => About::Application(it),
        Command::OfferTransfer(it) => About::Transfer(&it.application),
        Command::ConfirmTransfer(it) => About::Transfer(&it.application),
        Command::AskTopic(it) => About::Topic(&it.topic.name),
        Command::ReserveTopic(it) | Command::ChangeTopic(it) => About::Topic(&it.name),
        Command::DeleteTopic(it) => About::Topic(&it.name),
        Command::FileRequest(it) => About::Request(&it.id),
        Command::WithdrawRequest(it) => About::Request(it),
        Command::DecideRequest(it) => About::Decision(&it.request, it.judge),
        Command::RetractDecision(it) => About::Decision(&it.request, it.judge),
        _ => return None,
    })
}

/// Notes when what becomes of something was said: when its letter was written, or now.
pub(super) fn note(draft: &mut Draft<'_>, command: &Command) {
    let at = draft.actor.written_at.unwrap_or(draft.now);
    match about(command) {
        None => {}
        Some(About::Decision(id, judge)) => draft.note_judged(id, judge, at),
        Some(About::Transfer(_)) => draft.note_said(at, false),
        Some(About::Application(_) | About::Topic(_) | About::Request(_)) => draft.note_said(at, true),
    }
}

/// Refuses a letter about what was said otherwise since.
pub(super) fn refuse(state: &State, actor: &Actor, command: &Command) -> Result<(), Refusal> {
    let (Some(written_at), Some(about)) = (actor.written_at, about(command)) else { return Ok(()) };
    let said_at = match about {
        About::Application(name) | About::Transfer(name) => state.application(name).and_then(|it| it.said_at),
        About::Topic(name) => {
            let waiting = waiting_of_topic(state, name).and_then(|(_, it)| it.said_at);
            state.topic(name).and_then(|it| it.said_at).max(waiting)
        }
        About::Request(id) => state.request(id).and_then(|it| it.said_at),
        About::Decision(id, judge) => state.request(id).and_then(|it| it.judged_at.get(&judge).copied()),
    };
    match said_at.filter(|it| written_at < *it) {
        Some(said_at) => Err(out_of_date(written_at, said_at).into()),
        None => Ok(()),
    }
}

fn out_of_date(written_at: Timestamp, said_at: Timestamp) -> Violation {
    let what = format!(
        "This was asked for on {}, and something else was said of the same on {}, which holds.",
        written_at.date(),
        said_at.date()
    );
    let remedy = "Plan again for what holds now, and apply what you still want.";
    Violation::new(At::all(), "Out of date", what, remedy)
}
