//! Tests of folding.

use serde_json::json;

use super::*;
use crate::governance::{
    check_topic::TopicRequest,
    decide::fixtures::{NOW, World, declare, named},
    owned_topic::TopicStatus,
};

const ID: &str = "box-1";

/// A world with the application `a`, and its mailbox.
fn world() -> (World, MailboxOf) {
    let mut world = World::new(&json!({"topics": {"partitions": {"max": 12}}}));
    world.ask("platform", &declare("a", json!({"prefixes": {"topic": ["a."]}}))).unwrap();
    world.ask("platform", &declare("b", json!({"prefixes": {"topic": ["b."]}}))).unwrap();
    (world, MailboxOf::Application(named("a")))
}

fn topic(name: &str, partitions: i64) -> Wish {
    let topic = TopicRequest { partitions: Some(partitions), ..TopicRequest::new(name.parse().unwrap()) };
    Wish::AskTopic(Box::new(TopicAsk { topic, reset: [].into() }))
}

fn filed(id: &str, wish: Wish) -> Letter {
    let (claimed, change_url) = (Some("ann".to_owned()), None);
    Letter { form: FORM, id: id.to_owned(), mailbox: ID.to_owned(), wish, claimed, change_url }
}

fn posted(offset: i64, letter: Result<Letter, &str>) -> Posted {
    let letter = letter.map_err(str::to_owned);
    Posted { offset, written_at: NOW, digest: format!("digest of {offset}"), letter, found: Found::default() }
}

/// One that was written so many milliseconds after another.
fn posted_at(offset: i64, later: i64, letter: Letter) -> Posted {
    Posted { written_at: Timestamp(NOW.0 + later), ..posted(offset, Ok(letter)) }
}

impl World {
    fn fold(&mut self, of: &MailboxOf, topic_id: &str, posted: &[Posted]) -> Vec<Event> {
        let events = fold(&self.state, of, topic_id, posted, NOW).unwrap();
        for it in &events {
            self.keep(it);
        }
        events
    }
}

#[test]
fn what_is_filed_is_decided_once_and_cites_its_record() {
    let (mut world, of) = world();
    let records = [posted(3, Ok(filed("one", topic("a.x", 3))))];
    let events = world.fold(&of, ID, &records);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind, "topic.asked");
    let expected = json!({
        "topic": "_selfserve.mailbox.a", "topic_id": ID, "partition": 0, "offset": 3, "digest": "digest of 3", "id": "one",
    });
    assert_eq!(events[0].facts["filed"], expected);
    assert_eq!(events[0].facts["acting_as"], "application/a");
    assert_eq!(events[0].facts["claimed_actor"], "ann");
    let asked = world.state.topic(&"a.x".parse().unwrap()).unwrap();
    assert_eq!((asked.status, asked.asked.as_ref().unwrap().partitions), (TopicStatus::Reserved, Some(3)));
    assert_eq!(world.state.mailbox(&of).unwrap().next, 4);
    assert_eq!(world.fold(&of, ID, &records), vec![], "a record that was folded is nothing new");
    let again = [posted(4, Ok(filed("one", topic("a.x", 9))))];
    world.fold(&of, ID, &again);
    assert_eq!(world.state.topic(&"a.x".parse().unwrap()).unwrap().partitions, 3, "the same letter has one fate");
}

#[test]
fn a_refusal_is_the_fate_of_a_filing_and_holds_up_nothing() {
    let (mut world, of) = world();
    let foreign = posted(0, Ok(filed("foreign", topic("b.x", 1))));
    let large = posted(1, Ok(filed("large", topic("a.x", 40))));
    let good = posted(2, Ok(filed("good", topic("a.y", 1))));
    world.fold(&of, ID, &[foreign, large, good]);
    let fates = &world.state.mailbox(&of).unwrap().fates;
    let refused = |id: &str| fates[id].refused.clone().unwrap_or_default();
    assert!(refused("foreign").contains("Not yours to decide"), "{fates:?}");
    assert!(refused("large").contains("Number of partitions refused"), "{fates:?}");
    assert_eq!(refused("good"), "");
    let names: Vec<_> = world.state.topics().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a.y"]);
}

#[test]
fn garbage_and_what_is_meant_for_another_mailbox_are_set_aside() {
    let (mut world, of) = world();
    let elsewhere = Letter { mailbox: "box-0".to_owned(), ..filed("replayed", topic("a.x", 1)) };
    let records =
        [posted(0, Err("it is no JSON")), posted(1, Ok(elsewhere)), posted(2, Ok(filed("b", topic("a.y", 1))))];
    world.fold(&of, ID, &records);
    let mailbox = world.state.mailbox(&of).unwrap();
    let aside: Vec<_> = mailbox.set_aside.iter().map(|(offset, why)| (*offset, why.as_str())).collect();
    assert_eq!(aside, [(0, "it is no JSON"), (1, "it was written for another mailbox")]);
    assert_eq!(mailbox.next, 3);
    assert!(world.state.topic(&"a.x".parse().unwrap()).is_none());
    assert!(world.state.topic(&"a.y".parse().unwrap()).is_some());
}

#[test]
fn a_mailbox_that_was_made_anew_is_read_from_its_beginning_and_repeats_nothing() {
    let (mut world, of) = world();
    world.fold(&of, ID, &[posted(7, Ok(filed("old", topic("a.x", 1))))]);
    let renewed = |id: &str, wish| Letter { mailbox: "box-2".to_owned(), ..filed(id, wish) };
    let restored = [
        posted(0, Ok(renewed("old", topic("a.x", 9)))),
        posted(1, Ok(filed("from a backup", topic("a.z", 1)))),
        posted(2, Ok(renewed("new", topic("a.y", 1)))),
    ];
    world.fold(&of, "box-2", &restored);
    let names: Vec<_> = world.state.topics().map(|(name, it)| (name.as_str(), it.partitions)).collect();
    assert_eq!(names, [("a.x", 1), ("a.y", 1)]);
    assert_eq!(world.state.mailbox(&of).unwrap().topic_id, "box-2");
}

#[test]
fn everybodys_mailbox_takes_new_applications_alone() {
    let (mut world, _) = world();
    let declared = |name: &str| {
        let spec = ApplicationSpec::new(named(name));
        Wish::DeclareApplication(Box::new(ApplicationWish { spec, texts: BTreeMap::new(), adopt: false }))
    };
    let records = [
        posted(0, Ok(filed("new", declared("c")))),
        posted(1, Ok(filed("known", declared("a")))),
        posted(2, Ok(filed("topic", topic("a.x", 1)))),
    ];
    world.fold(&MailboxOf::Everybody, ID, &records);
    let fates = &world.state.mailbox(&MailboxOf::Everybody).unwrap().fates;
    assert_eq!(fates["new"].refused, None);
    assert!(world.state.application(&named("c")).is_some());
    assert!(fates["topic"].refused.as_ref().unwrap().contains("Wrong mailbox"), "{fates:?}");
    assert!(world.state.topic(&"a.x".parse().unwrap()).is_none());
}

#[test]
fn a_change_that_is_asked_for_is_judged_by_what_it_sets() {
    let mut world = World::new(&json!({"topics": {"config": {
        "retention.ms": {"max": 1000, "required": true}, "cleanup.policy": {"required": true},
    }}}));
    world.ask("platform", &declare("a", json!({"prefixes": {"topic": ["a."]}}))).unwrap();
    let of = MailboxOf::Application(named("a"));
    let ask = |config: &[(&str, &str)], reset: &[&str]| {
        let config = config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let topic = TopicRequest { partitions: Some(1), config, ..TopicRequest::new("a.x".parse().unwrap()) };
        Wish::AskTopic(Box::new(TopicAsk { topic, reset: reset.iter().map(|it| (*it).to_owned()).collect() }))
    };
    let both = [("retention.ms", "10"), ("cleanup.policy", "delete")];
    world.fold(
        &of,
        ID,
        &[
            posted(0, Ok(filed("lacks", ask(&both[..1], &[])))),
            posted(1, Ok(filed("made", ask(&both, &[])))),
            posted(2, Ok(filed("set", ask(&[("retention.ms", "20")], &[])))),
            posted(3, Ok(filed("too much", ask(&[("retention.ms", "2000")], &[])))),
            posted(4, Ok(filed("dropped", ask(&[], &["cleanup.policy"])))),
        ],
    );
    let fates = &world.state.mailbox(&of).unwrap().fates;
    let refused: Vec<_> =
        ["lacks", "made", "set", "too much", "dropped"].map(|it| fates[it].refused.is_some()).to_vec();
    assert_eq!(refused, [true, false, false, true, true], "{fates:?}");
    let asked = world.state.topic(&"a.x".parse().unwrap()).unwrap().asked.clone().unwrap();
    assert_eq!(asked.config["retention.ms"], "20");
    assert_eq!(asked.config["cleanup.policy"], "delete");
}

#[test]
fn only_the_newest_fates_are_remembered() {
    let (mut world, of) = world();
    let wish = topic("b.x", 1);
    let records: Vec<_> = (0..600).map(|it| posted(it, Ok(filed(&format!("f{it}"), wish.clone())))).collect();
    world.fold(&of, ID, &records);
    let fates = &world.state.mailbox(&of).unwrap().fates;
    assert_eq!(fates.len(), MOST_FOLDED);
    assert!(fates.contains_key("f599") && !fates.contains_key("f99"));
}

#[test]
fn a_record_is_read_or_told() {
    let wrong = |value: Option<&[u8]>| Letter::read(value).unwrap_err();
    assert_eq!(wrong(None), "it is empty");
    assert!(wrong(Some(b"{")).starts_with("it is no JSON"));
    assert_eq!(wrong(Some(b"{}")), "it does not say its form");
    assert!(wrong(Some(br#"{"form": 2}"#)).contains("newer release"));
    assert!(
        wrong(Some(br#"{"form": 1, "id": "a", "mailbox": "b", "wish": {"fly": {}}}"#)).starts_with("it is no letter")
    );
    assert!(wrong(Some(&vec![b' '; LARGEST + 1])).contains("65536 are the most"));
    let letter = filed("one", topic("a.x", 3));
    assert_eq!(Letter::read(Some(&serde_json::to_vec(&letter).unwrap())), Ok(letter));
}

/// Two ways at once: what was said last holds, in whichever order it takes effect.
#[test]
fn a_letter_is_out_of_date_once_something_newer_was_said_of_the_same() {
    let (mut world, of) = world();
    world.fold(&of, ID, &[posted_at(0, -90, filed("first", topic("a.x", 3)))]);
    let letters = [
        posted_at(1, -80, filed("old", topic("a.x", 9))),
        posted_at(2, 10, filed("newer", topic("a.x", 5))),
        posted_at(3, 20, filed("newest", topic("a.x", 6))),
    ];
    let wanted = TopicRequest { partitions: Some(4), ..TopicRequest::new("a.x".parse().unwrap()) };
    let direct = Command::AskTopic(Box::new(TopicAsk { topic: wanted, reset: [].into() }));
    world.ask("a", &direct).unwrap();
    world.fold(&of, ID, &letters[..1]);
    let asked = |world: &World| world.state.topic(&"a.x".parse().unwrap()).unwrap().partitions;
    assert_eq!(asked(&world), 4);
    let refused = world.state.mailbox(&of).unwrap().fates["old"].refused.clone().unwrap();
    assert!(refused.contains("Out of date") && refused.contains("Plan again"), "{refused}");
    // Letters are told from one another by when they were written, and not by when somebody came to them.
    world.fold(&of, ID, &letters);
    assert_eq!(asked(&world), 6);
    let again = posted_at(4, -80, filed("same", topic("a.x", 6)));
    world.fold(&of, ID, &[again]);
    assert_eq!(world.state.mailbox(&of).unwrap().fates["same"].refused, None, "it is as it was asked for");
}
