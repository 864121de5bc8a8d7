//! `reconcile`: all that is outstanding in an environment, done once.

use std::{io, process::ExitCode, time::Instant};

use serde_json::{Map, Value, json};
use tokio::runtime::Builder;

use super::{
    LEFT,
    arguments::{Format, ReconcileCommand},
    failed::Failed,
    governance,
    progress::Progress,
    tell, tell_missed,
};
use crate::{
    clients::governed::{Folded, Foreseen, Noticed, Reconciled, Step, Work},
    governance::{
        astray::Astray, grants::MadeAnew, mailbox::MailboxOf, outstanding::Task, schema_demand::SchemaDemand,
    },
};

/// Does it, and gives the exit code.
pub(super) fn run(command: &ReconcileCommand) -> ExitCode {
    let done = Builder::new_current_thread().enable_all().build().map_err(Failed::from);
    match done.and_then(|it| it.block_on(perform(command))) {
        Ok(code) => code,
        Err(Failed(text)) => tell(&mut io::stderr(), &text, ExitCode::FAILURE),
    }
}

async fn perform(command: &ReconcileCommand) -> Result<ExitCode, Failed> {
    let ReconcileCommand { environment, is_dry_run, format, timeout } = command;
    let deadline = Instant::now() + *timeout;
    let governed = governance(environment.as_deref(), deadline).await?;
    let progress = Progress::new(*format == Format::Text);
    if *is_dry_run {
        let foreseen = governed.foresee(deadline).await?;
        tell_foreseen(&foreseen, *format, &progress);
        return Ok(if foreseen.is_complete() { ExitCode::SUCCESS } else { ExitCode::from(LEFT) });
    }
    let mut told = |it: &Step| progress.line(&step(it, *format), it.done, it.of);
    let res = governed.reconcile(deadline, &mut told).await;
    progress.clear();
    tell_missed(&governed);
    let res = res?;
    for it in &res.noticed {
        progress.line(&noticed(it, *format), 0, 0);
    }
    progress.line(&summary(&res, *format), 0, 0);
    Ok(if res.is_complete() { ExitCode::SUCCESS } else { ExitCode::from(LEFT) })
}

/// What became of one thing, in a line.
fn step(it: &Step, format: Format) -> String {
    let problem = it.result.as_ref().err().map(problem);
    let folded = it.result.as_ref().ok().and_then(Option::as_ref);
    match format {
        Format::Json => {
            let mut line = named(&it.work);
            line.insert("status".to_owned(), if problem.is_some() { "failed" } else { "done" }.into());
            line.extend(problem.map(|it| ("problem".to_owned(), it.into())));
            line.extend(folded.into_iter().flat_map(counts));
            Value::Object(line).to_string()
        }
        Format::Text => {
            let text = sentence(&it.work);
            match (problem, folded) {
                (None, _) if matches!(it.work, Work::MakeAgain(_)) => {
                    format!("{text}: begun, for somebody removed it.")
                }
                (Some(problem), _) => format!("{text}: failed. {problem}"),
                (None, Some(it)) => format!("{text}: {}.", counted(it)),
                (None, None) => format!("{text}: done."),
            }
        }
    }
}

fn summary(res: &Reconciled, format: Format) -> String {
    let Reconciled { done, failed, left, unread, noticed: _ } = res;
    match format {
        Format::Json => {
            let left: Vec<Value> = left.iter().map(|it| named(&Work::Do(it.clone())).into()).collect();
            json!({"step": "summary", "done": done, "failed": failed, "left": left, "unread": unread.len()}).to_string()
        }
        Format::Text if *done == 0 && res.is_complete() => "Nothing to do.".to_owned(),
        Format::Text => {
            let mailboxes = unread.len();
            format!("Done: {done}. Failed: {failed}. Left: {}. Mailboxes with more: {mailboxes}.", left.len())
        }
    }
}

/// What an owner is to see to, in a line.
fn noticed(it: &Noticed, format: Format) -> String {
    match it {
        Noticed::MadeAnew(it) => anew(it, format),
        Noticed::Astray(it) => astray(it, format),
        Noticed::WithoutSchema(it) => without_schema(it, format),
    }
}

fn without_schema(it: &SchemaDemand, format: Format) -> String {
    match format {
        Format::Json => json!({"step": "without_schema", "topic": it.topic().as_str(), "status": "told"}).to_string(),
        Format::Text => format!(
            "The topic `{}` has no schema, and the environment demands one: its team registers {}.",
            it.topic(),
            it.wanted()
        ),
    }
}

fn astray(it: &Astray, format: Format) -> String {
    let Astray { topic, application, is_declared, problems } = it;
    match format {
        Format::Json => json!({
            "step": "astray", "topic": topic.as_str(), "application": application.as_str(), "status": "told",
            "declared": is_declared, "problems": problems,
        })
        .to_string(),
        Format::Text => {
            let (what, remedy) = if *is_declared {
                ("was changed with other tools to what the rules do not permit", "")
            } else {
                (
                    "was made with other tools, and nobody declared it",
                    " Its team declares and imports it, or deletes it.",
                )
            };
            let problems = problems.iter().map(|it| format!(" {it}")).collect::<Vec<_>>().concat();
            format!("The topic `{topic}` of `{application}` {what}.{problems}{remedy}")
        }
    }
}

fn anew(it: &MadeAnew, format: Format) -> String {
    match format {
        Format::Json => {
            let granted: Vec<String> = it.granted.keys().map(ToString::to_string).collect();
            json!({"step": "made_anew", "topic": it.topic.as_str(), "status": "told", "granted": granted}).to_string()
        }
        Format::Text => format!(
            "The topic `{}` was made anew by somebody else, and others have access to it still: {it}. Its owner revokes \
             that; or whoever may write the journal imports the topic and applies.",
            it.topic
        ),
    }
}

fn tell_foreseen(it: &Foreseen, format: Format, progress: &Progress) {
    let Foreseen { folded, lost, tasks, noticed: seen } = it;
    for it in folded {
        let work = Work::Fold(it.of.clone());
        let line = match format {
            Format::Json => {
                let mut line = named(&work);
                line.insert("status".to_owned(), "would".into());
                line.extend(counts(it));
                Value::Object(line).to_string()
            }
            Format::Text => format!("Would {}: {}.", lower(&sentence(&work)), counted(it)),
        };
        progress.line(&line, 0, 0);
    }
    let lost = lost.iter().map(|it| Work::MakeAgain(it.clone()));
    for work in lost.chain(tasks.iter().map(|it| Work::Do(it.clone()))) {
        let line = match format {
            Format::Json => {
                let mut line = named(&work);
                line.insert("status".to_owned(), "would".into());
                Value::Object(line).to_string()
            }
            Format::Text => format!("Would {}.", lower(&sentence(&work))),
        };
        progress.line(&line, 0, 0);
    }
    for it in seen {
        progress.line(&noticed(it, format), 0, 0);
    }
    match format {
        Format::Json => {
            let count = folded.len() + it.lost.len() + tasks.len();
            progress.line(&json!({"step": "summary", "would": count}).to_string(), 0, 0);
        }
        Format::Text if it.is_complete() => progress.line("Nothing to do.", 0, 0),
        Format::Text => {}
    }
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|it| it.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn problem(error: &crate::clients::governed::GovernedError) -> String {
    // A line of its own for each is what readers of logs count on.
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn counts(it: &Folded) -> [(String, Value); 3] {
    [("letters", it.fates.len()), ("refused", it.refused()), ("set_aside", it.set_aside)]
        .map(|(name, count)| (name.to_owned(), count.into()))
}

fn counted(it: &Folded) -> String {
    format!("{} letters, {} refused, {} records set aside", it.fates.len(), it.refused(), it.set_aside)
}

/// A thing by its words and what it is about.
fn words(work: &Work) -> (&'static str, &'static str, Option<(&'static str, String)>) {
    let application = |name: &crate::governance::names::ApplicationName| Some(("application", name.to_string()));
    match work {
        Work::Fold(MailboxOf::Application(name)) => ("fold", "Fold the mailbox of", application(name)),
        Work::Fold(MailboxOf::Everybody) => ("fold", "Fold everybody's mailbox", None),
        Work::Look => ("look", "Look for what somebody else did", None),
        Work::MakeAgain(rule) => ("make_again", "Make again the rule", Some(("rule", rule.to_string()))),
        Work::Do(task) => match task {
            Task::Expire(id) => ("expire", "Take away for its time is over", Some(("request", id.to_string()))),
            Task::EndTrial(name) => ("end_trial", "End for its time is over", application(name)),
            Task::CleanUp(name) => ("clean_up", "Forget what was refused of", application(name)),
            Task::Provision(name) => ("provision", "Make the rights of", application(name)),
            Task::Grant(id) => ("grant", "Grant", Some(("request", id.to_string()))),
            Task::Rules => ("rules", "Make and remove rules", None),
            Task::MakeTopic(name) => ("make_topic", "Make or change the topic", Some(("topic", name.to_string()))),
            Task::DeleteTopic(name) => ("delete_topic", "Delete the topic", Some(("topic", name.to_string()))),
            Task::FinishDeletion(name) => ("finish_deletion", "Take the rights of", application(name)),
            Task::FinishRevocation(id) => ("finish_revocation", "Take away", Some(("request", id.to_string()))),
        },
    }
}

fn sentence(work: &Work) -> String {
    match words(work) {
        (_, words, Some((_, name))) => format!("{words} `{name}`"),
        (_, words, None) => words.to_owned(),
    }
}

fn named(work: &Work) -> Map<String, Value> {
    let (step, _, about) = words(work);
    let mut res = Map::from_iter([("step".to_owned(), step.into())]);
    res.extend(about.map(|(kind, name)| (kind.to_owned(), name.into())));
    res
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::{governed::GovernedError, kafka::KafkaError};

    fn done(work: Work) -> Step {
        Step { work, result: Ok(None), done: 1, of: 1 }
    }

    #[test]
    fn each_thing_is_a_line() {
        let grant = Work::Do(Task::Grant("shop-00000001".parse().unwrap()));
        assert_eq!(step(&done(grant.clone()), Format::Text), "Grant `shop-00000001`: done.");
        let json = r#"{"request":"shop-00000001","status":"done","step":"grant"}"#;
        assert_eq!(step(&done(grant.clone()), Format::Json), json);
        let error = GovernedError::Kafka(KafkaError::NoTopic("a".to_owned()));
        let failed = Step { result: Err(error), ..done(grant) };
        assert_eq!(step(&failed, Format::Text), "Grant `shop-00000001`: failed. topic `a` does not exist");
        assert!(step(&failed, Format::Json).contains(r#""problem":"topic `a` does not exist""#));
        let rule = Work::MakeAgain("TOPIC|LITERAL|pay.x|User:shop|*|READ|ALLOW".parse().unwrap());
        let text = "Make again the rule `TOPIC|LITERAL|pay.x|User:shop|*|READ|ALLOW`: begun, for somebody removed it.";
        assert_eq!(step(&done(rule), Format::Text), text);
        let folded = Folded { of: MailboxOf::Everybody, fates: vec![], set_aside: 2, is_more: false };
        let fold = Step { result: Ok(Some(folded)), ..done(Work::Fold(MailboxOf::Everybody)) };
        assert_eq!(step(&fold, Format::Text), "Fold everybody's mailbox: 0 letters, 0 refused, 2 records set aside.");
        let json = r#"{"letters":0,"refused":0,"set_aside":2,"status":"done","step":"fold"}"#;
        assert_eq!(step(&fold, Format::Json), json);
    }

    #[test]
    fn what_somebody_else_made_anew_is_told_to_its_owner() {
        let granted = [("shop-00000001".parse().unwrap(), "shop".parse().unwrap())].into();
        let it = MadeAnew { topic: "pay.x".parse().unwrap(), granted };
        assert!(anew(&it, Format::Text).contains("others have access to it still: `shop` (`shop-00000001`)."));
        let json = r#"{"granted":["shop-00000001"],"status":"told","step":"made_anew","topic":"pay.x"}"#;
        assert_eq!(anew(&it, Format::Json), json);
    }

    #[test]
    fn what_is_past_the_rules_is_told_to_its_team() {
        let (topic, application) = ("pay.x".parse().unwrap(), "pay".parse().unwrap());
        let it = Astray { topic, application, is_declared: false, problems: vec!["`partitions` is 20.".to_owned()] };
        let text = "The topic `pay.x` of `pay` was made with other tools, and nobody declared it. `partitions` is 20. Its \
                    team declares and imports it, or deletes it.";
        assert_eq!(astray(&it, Format::Text), text);
        let json = r#"{"application":"pay","declared":false,"problems":["`partitions` is 20."],"status":"told","step":"astray","topic":"pay.x"}"#;
        assert_eq!(astray(&it, Format::Json), json);
    }

    #[test]
    fn the_end_says_what_is_left() {
        assert_eq!(summary(&Reconciled::default(), Format::Text), "Nothing to do.");
        let left = Reconciled { done: 1, failed: 1, left: vec![Task::Rules], ..Reconciled::default() };
        assert_eq!(summary(&left, Format::Text), "Done: 1. Failed: 1. Left: 1. Mailboxes with more: 0.");
        let json = r#"{"done":1,"failed":1,"left":[{"step":"rules"}],"step":"summary","unread":0}"#;
        assert_eq!(summary(&left, Format::Json), json);
    }
}
