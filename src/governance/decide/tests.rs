//! Tests of decisions, one story each.

use std::collections::BTreeMap;

use serde_json::json;

use super::fixtures::{World, change, declare, environment, named, start};
use crate::governance::{
    application::Status,
    binding::Holder,
    check_topic::TopicRequest,
    client_quota::QuotaUser,
    command::{Command, Holding, Provisioning, SeenRules, Takeover, TopicFound, Transfer},
    kind::Kind,
    probe::Probed,
    record::Fold,
};

fn status(world: &World, name: &str) -> Status {
    world.state.application(&named(name)).unwrap().status
}

fn topic(name: &str, partitions: i64) -> Box<TopicRequest> {
    Box::new(TopicRequest { partitions: Some(partitions), ..TopicRequest::new(name.parse().unwrap()) })
}

#[test]
fn an_application_gets_exactly_what_it_needs() {
    let mut world = World::new(&json!({}));
    world.ask("nobody", &declare("pay", json!({"principals": ["User:pay"], "deployers": ["User:ci"]}))).unwrap();
    assert_eq!(status(&world, "pay"), Status::Approved);
    world.provision("pay");
    assert_eq!(status(&world, "pay"), Status::Ready);
    assert_eq!(
        world.rules(),
        [
            "TOPIC|LITERAL|_selfserve.mailbox.pay|User:ci|*|READ|ALLOW",
            "TOPIC|LITERAL|_selfserve.mailbox.pay|User:ci|*|WRITE|ALLOW",
            "TOPIC|LITERAL|_selfserve.state|User:ci|*|READ|ALLOW",
            "TOPIC|PREFIXED|pay.|User:ci|*|DESCRIBE|ALLOW",
            "TOPIC|PREFIXED|pay.|User:ci|*|DESCRIBE_CONFIGS|ALLOW",
            "TOPIC|PREFIXED|pay.|User:pay|*|READ|ALLOW",
            "TOPIC|PREFIXED|pay.|User:pay|*|WRITE|ALLOW",
            "GROUP|PREFIXED|pay.|User:ci|*|DESCRIBE|ALLOW",
            "GROUP|PREFIXED|pay.|User:pay|*|READ|ALLOW",
            "TRANSACTIONAL_ID|PREFIXED|pay.|User:pay|*|WRITE|ALLOW",
        ]
    );
}

/// Rule 22: a Streams program makes topics, and reads and writes them under its id.
#[test]
fn a_streams_program_gets_its_internal_topics_and_nothing_twice() {
    let mut world = World::new(&json!({}));
    let parts = json!({"principals": ["User:pay"], "streams": ["pay.sums"]});
    world.ask("platform", &declare("pay", parts)).unwrap();
    world.provision("pay");
    let own: Vec<String> = world.rules().into_iter().filter(|it| it.contains("pay.sums")).collect();
    assert_eq!(
        own,
        [
            "TOPIC|PREFIXED|pay.sums-|User:pay|*|CREATE|ALLOW",
            "TOPIC|PREFIXED|pay.sums-|User:pay|*|DELETE|ALLOW",
            "TOPIC|PREFIXED|pay.sums-|User:pay|*|DESCRIBE_CONFIGS|ALLOW",
        ]
    );
    let outside = world.refused("platform", &change("pay", json!({"streams": ["sums"]})));
    assert_eq!(outside, [("streams[\"sums\"]".to_owned(), "Streams program outside the prefixes")]);
}

#[test]
fn who_is_nobody_in_particular_changes_no_application() {
    for approval in ["none", "platform"] {
        let mut world = World::new(&json!({"approval": {"applications": approval}}));
        let own = declare("pay", json!({"principals": ["User:pay"]}));
        world.ask("nobody", &own).unwrap();
        let told = world.refused("nobody", &declare("pay", json!({"principals": ["User:thief"]})));
        assert_eq!(told, [("name".to_owned(), "Application exists")]);
        assert_eq!(world.ask("nobody", &own).unwrap(), [], "asking again for the same is no harm");
    }
}

/// Rule 6: principals that everybody has, or somebody else.
#[test]
fn principals_that_are_not_the_applications_own_are_refused() {
    let mut world = World::new(&json!({}));
    world.ask("nobody", &declare("a", json!({"principals": ["User:p"]}))).unwrap();
    let taken = ["User:*", "User:ANONYMOUS", "User:super", "User:broker", "User:platform", "User:p"];
    let told = world.refused("nobody", &declare("b", json!({"principals": taken, "deployers": ["User:p"]})));
    assert_eq!(told.len(), 7, "{told:?}");
    assert!(told.iter().all(|(_, summary)| *summary == "Principal refused"), "{told:?}");
}

/// Rule 8: everything that is wrong with prefixes is told at once.
#[test]
fn prefixes_that_overlap_or_are_reserved_are_refused_with_the_owner() {
    let mut world = World::new(&json!({"reserved_prefixes": ["audit."]}));
    world.ask("nobody", &declare("a", json!({"prefixes": {"topic": ["pay.card."], "group": []}}))).unwrap();
    let claimed = ["", "*", "_x.", "connect-x-", "audit.x.", "pay.", "pay.card.x.", "pay", "p y."];
    let told = world.refused("nobody", &declare("b", json!({"prefixes": {"topic": claimed, "group": []}})));
    let at = |it: &str| format!("prefixes.topic[{it:?}]");
    let mut summaries: Vec<&str> =
        told.iter().filter(|(it, _)| it.starts_with("prefixes.topic")).map(|it| it.1).collect();
    summaries.sort_unstable();
    assert_eq!(
        summaries,
        [
            "Invalid prefix",
            "Prefix owned by another application",
            "Prefix owned by another application",
            "Prefix reserved",
            "Prefix reserved",
            "Prefix reserved",
            "Prefix too wide",
            "Prefix too wide",
            "Prefix without separator",
        ]
    );
    assert!(told.contains(&(at("pay."), "Prefix owned by another application")));
    let refusal =
        world.ask("nobody", &declare("b", json!({"prefixes": {"topic": ["pay."], "group": []}}))).unwrap_err();
    assert!(refusal.0[0].detail.contains("`pay.card.`, which the application `a` owns"), "{}", refusal.0[0]);
}

#[test]
fn a_claim_over_what_is_there_lists_it_and_needs_adopt() {
    let mut world = World::new(&json!({}));
    let command = |adopt| {
        let Command::DeclareApplication(mut request) = declare("pay", json!({})) else { panic!("a declaration") };
        request.existing = [(Kind::Topic, ["pay.old".to_owned(), "strange".to_owned()].into())].into();
        request.adopt = adopt;
        Command::DeclareApplication(request)
    };
    let refusal = world.ask("nobody", &command(false)).unwrap_err();
    assert_eq!(refusal.0.len(), 1);
    assert!(refusal.0[0].detail.contains("`pay.old`.") && !refusal.0[0].detail.contains("strange"), "{refusal:?}");
    world.ask("nobody", &command(true)).unwrap();
}

#[test]
fn where_the_platform_must_agree_an_application_waits_and_its_changes_too() {
    let mut world = World::new(&json!({"approval": {"applications": "platform"}}));
    world.ask("nobody", &declare("pay", json!({"principals": ["User:pay"]}))).unwrap();
    assert_eq!(status(&world, "pay"), Status::Pending);
    assert!(world.ask("platform", &start("pay")).is_err());
    world.ask("platform", &change("pay", json!({"principals": ["User:pay"]}))).unwrap();
    world.provision("pay");
    let before = world.rules();
    world.ask("pay", &change("pay", json!({"principals": ["User:pay", "User:more"]}))).unwrap();
    let it = world.state.application(&named("pay")).unwrap();
    assert!(it.status == Status::Ready && it.amendment.is_some(), "{it:?}");
    world.provision("pay");
    assert_eq!(world.rules(), before, "what was agreed to holds until the change is");
    // A word that gives no rights needs nobody's leave, and withdraws the change.
    world.ask("pay", &change("pay", json!({"principals": ["User:pay"], "team": "y"}))).unwrap();
    let it = world.state.application(&named("pay")).unwrap();
    assert!(it.amendment.is_none() && it.spec.team == "y", "{it:?}");
}

#[test]
fn a_change_makes_before_it_removes() {
    let mut world = World::new(&json!({}));
    let parts = |prefix: &str| json!({"principals": ["User:p"], "prefixes": {"topic": [prefix], "group": []}});
    world.ask("nobody", &declare("pay", parts("pay.x."))).unwrap();
    world.provision("pay");
    world.ask("pay", &change("pay", parts("pay."))).unwrap();
    world.ask("platform", &start("pay")).unwrap();
    assert!(
        world.rules().iter().any(|it| it.starts_with("TOPIC|PREFIXED|pay.x.|")),
        "the narrow rule stays until the wide one is there"
    );
    world.provision("pay");
    assert!(!world.rules().iter().any(|it| it.starts_with("TOPIC|PREFIXED|pay.x.|")), "{:?}", world.rules());
}

#[test]
fn what_is_not_its_own_any_more_is_released_at_once() {
    let mut world = World::new(&json!({}));
    world.ask("nobody", &declare("pay", json!({"principals": ["User:p", "User:q"]}))).unwrap();
    world.provision("pay");
    let rule = "TOPIC|LITERAL|pay.t|User:q|*|READ|ALLOW".parse().unwrap();
    let hold = Holding::new(Holder::Declared("pay/x".to_owned()), [rule]);
    world.ask("pay", &Command::HoldBindings(hold)).unwrap();
    world.ask("pay", &change("pay", json!({"principals": ["User:p"]}))).unwrap();
    assert!(!world.rules().iter().any(|it| it.contains("User:q")), "{:?}", world.rules());
    assert_eq!(status(&world, "pay"), Status::Ready, "nothing is missing");
}

/// Rule 10: rules that were there before stay when nobody here needs them.
#[test]
fn what_was_on_the_cluster_before_is_never_removed() {
    let mut world = World::new(&json!({}));
    let rule = "TOPIC|PREFIXED|pay.|User:p|*|READ|ALLOW";
    world.ask("platform", &declare("pay", json!({"principals": ["User:p"]}))).unwrap();
    let on_cluster = [rule.parse().unwrap()].into();
    world
        .ask(
            "platform",
            &Command::StartProvisioning(Provisioning {
                application: named("pay"),
                on_cluster,
                unruled: [].into(),
                limits: [].into(),
            }),
        )
        .unwrap();
    world.work();
    world.ask("platform", &Command::FinishProvisioning(named("pay"))).unwrap();
    world.ask("platform", &Command::DeleteApplication(named("pay"))).unwrap();
    assert_eq!(world.rules(), [rule]);
    assert!(world.ask("platform", &Command::FinishDeletion(named("pay"))).is_err(), "others are to be removed first");
    world.work();
    world.ask("platform", &Command::FinishDeletion(named("pay"))).unwrap();
    assert_eq!(status(&world, "pay"), Status::Deleted);
}

#[test]
fn a_rule_that_vanished_is_made_again() {
    let mut world = World::new(&json!({}));
    world.ask("platform", &declare("pay", json!({"principals": ["User:p"]}))).unwrap();
    world.provision("pay");
    let rule = "TOPIC|PREFIXED|pay.|User:p|*|READ|ALLOW".parse().unwrap();
    let seen = SeenRules::since(&world.state, [], [rule]);
    world.ask("platform", &Command::MarkBindings(seen)).unwrap();
    assert_eq!(status(&world, "pay"), Status::Provisioning);
    assert_eq!(world.state.deeds().len(), 1);
    world.provision("pay");
    assert_eq!(status(&world, "pay"), Status::Ready);
}

/// Rule 23: what one application may use is divided among its principals.
#[test]
fn a_client_quota_is_divided_and_removed_with_the_application() {
    let mut world = World::new(&json!({}));
    let quota = json!({"producer_byte_rate_per_broker": 100.0});
    let parts = |principals: &[&str]| json!({"principals": principals, "client_quota": quota});
    world.ask("platform", &declare("pay", parts(&["User:p", "User:q"]))).unwrap();
    world.provision("pay");
    let rates = |world: &World| -> Vec<(String, Option<f64>)> {
        let there =
            world.state.quotas().filter(|(_, it)| it.status == crate::governance::client_quota::QuotaStatus::Present);
        there.map(|(user, it)| (user.to_string(), it.limits.producer_byte_rate_per_broker)).collect()
    };
    assert_eq!(rates(&world), [("p".to_owned(), Some(50.0)), ("q".to_owned(), Some(50.0))]);
    world.ask("pay", &change("pay", parts(&["User:p"]))).unwrap();
    assert_eq!(status(&world, "pay"), Status::Approved, "the other has a larger share now");
    world.provision("pay");
    assert_eq!(rates(&world), [("p".to_owned(), Some(100.0))]);
    world.ask("pay", &Command::DeleteApplication(named("pay"))).unwrap();
    world.work();
    world.ask("platform", &Command::FinishDeletion(named("pay"))).unwrap();
    assert_eq!(rates(&world), []);
}

#[test]
fn a_transfer_has_two_steps_and_moves_topics_and_rights() {
    let mut world = World::new(&json!({}));
    world.ask("nobody", &declare("old", json!({"principals": ["User:old"]}))).unwrap();
    world.ask("nobody", &declare("new", json!({"principals": ["User:new"]}))).unwrap();
    world.provision("old");
    world.provision("new");
    world.ask("old", &Command::ReserveTopic(topic("old.t", 1))).unwrap();
    let prefixes = world.state.application(&named("old")).unwrap().spec.prefixes.clone();
    let offer = |prefixes| Command::OfferTransfer(Transfer { application: named("old"), to: named("new"), prefixes });
    let confirm = || Command::ConfirmTransfer(Takeover { application: named("new"), from: named("old") });
    assert!(world.ask("new", &confirm()).is_err(), "nothing is offered yet");
    assert!(world.ask("new", &offer(prefixes.clone())).is_err(), "only the owner offers");
    world.ask("old", &offer(prefixes)).unwrap();
    assert_eq!(world.state.owner_of(Kind::Topic, "old.t").unwrap().spec.name, named("old"));
    world.ask("new", &confirm()).unwrap();
    let moved = world.state.topic(&"old.t".parse().unwrap()).unwrap();
    assert_eq!(moved.application, Some(named("new")));
    assert!(!world.rules().iter().any(|it| it.contains("User:old")), "{:?}", world.rules());
    world.provision("new");
    assert!(world.rules().contains(&"TOPIC|PREFIXED|old.|User:new|*|WRITE|ALLOW".to_owned()));
    world.ask("old", &Command::DeleteApplication(named("old"))).unwrap();
}

#[test]
fn an_application_with_topics_is_not_deleted_and_a_name_used_again_is_another_life() {
    let mut world = World::new(&json!({}));
    world.ask("nobody", &declare("pay", json!({}))).unwrap();
    world.ask("pay", &Command::ReserveTopic(topic("pay.t", 1))).unwrap();
    let refusal = world.ask("pay", &Command::DeleteApplication(named("pay"))).unwrap_err();
    assert!(refusal.0[0].detail.contains("owns topics: `pay.t`."), "{refusal:?}");
    let lost = world.refused("pay", &change("pay", json!({"prefixes": {"topic": ["pay.x."]}})));
    assert_eq!(lost, [("prefixes.topic".to_owned(), "Prefix in use")]);
    world
        .ask("pay", &Command::DeleteTopic("pay.t".parse::<crate::governance::topic::TopicName>().unwrap().into()))
        .unwrap();
    assert!(world.ask("pay", &Command::DeleteApplication(named("pay"))).is_err(), "it is still there");
    world.ask("pay", &Command::MarkTopicDeleted("pay.t".parse().unwrap())).unwrap();
    world.ask("pay", &Command::DeleteApplication(named("pay"))).unwrap();
    world.ask("nobody", &declare("pay", json!({}))).unwrap();
    assert_eq!(world.state.application(&named("pay")).unwrap().uid().to_string(), "pay#2");
}

/// Rule 5 of governance: on an open cluster, a first rule locks out whoever used what was everybody's.
#[test]
fn rules_that_would_close_what_everybody_may_use_are_refused_unless_that_is_meant() {
    let of = |mode: &str| World::new(&json!({"acl_mode": mode}));
    let adopting = |parts| {
        let Command::DeclareApplication(mut request) = declare("pay", parts) else { panic!("a declaration") };
        request.adopt = true;
        request.unruled = [(Kind::Topic, ["pay.old".to_owned(), "strange".to_owned()].into())].into();
        Command::DeclareApplication(request)
    };
    let command = adopting(json!({"principals": ["User:p"]}));
    let refusal = of("open").ask("platform", &command).unwrap_err();
    let [wrong] = &refusal.0[..] else { panic!("{refusal:?}") };
    assert_eq!(
        (wrong.at.to_string().as_str(), wrong.summary),
        ("prefixes.topic", "Rules would close existing objects")
    );
    assert!(
        wrong.detail.contains("topics `pay.old` have no rule") && wrong.detail.contains("`acl_mode = \"closing\"`")
    );
    of("closed").ask("platform", &command).unwrap();
    of("closing").ask("platform", &command).unwrap();
    of("open").ask("platform", &adopting(json!({}))).expect("without a principal there are no rules");
    of("open").ask("platform", &declare("pay", json!({"principals": ["User:p"]}))).expect("nothing is there yet");
}

/// Rule 5 of governance: what an application waits with, its rights are refused for as well.
#[test]
fn rights_are_not_made_where_they_would_close_what_came_meanwhile() {
    let mut world = World::new(&json!({"acl_mode": "open"}));
    world.ask("nobody", &declare("pay", json!({"principals": ["User:p"]}))).unwrap();
    let start = |names: &[&str]| {
        let names = names.iter().map(|it| (*it).to_owned()).collect();
        let unruled = [(Kind::Topic, names)].into();
        Command::StartProvisioning(Provisioning {
            application: named("pay"),
            on_cluster: [].into(),
            unruled,
            limits: [].into(),
        })
    };
    let expected = [("prefixes.topic".to_owned(), "Rules would close existing objects")];
    assert_eq!(world.refused("platform", &start(&["pay.new"])), expected);
    world.ask("platform", &start(&["other"])).unwrap();
    world.ask("platform", &start(&["pay.new"])).expect("rules that it holds are made again");
}

/// Rule 23 of governance: limits of others are no quota of the application, also those that came while it waited.
#[test]
fn limits_that_somebody_else_set_are_not_taken_over() {
    let mut world = World::new(&json!({}));
    let parts = json!({"principals": ["User:a", "User:b"], "client_quota": {"producer_byte_rate_per_broker": 100.0}});
    let limits =
        |of: &str, limit| [(QuotaUser(of.to_owned()), [("producer_byte_rate".to_owned(), limit)].into())].into();
    let declaring = |limits| {
        let Command::DeclareApplication(mut request) = declare("pay", parts.clone()) else { panic!("a declaration") };
        request.limits = limits;
        Command::DeclareApplication(request)
    };
    let starting = |limits| {
        let Command::StartProvisioning(it) = start("pay") else { panic!("rights to be made") };
        Command::StartProvisioning(Provisioning { limits, ..it })
    };
    let expected = [("client_quota".to_owned(), "Quota set by somebody else")];
    assert_eq!(world.refused("platform", &declaring(limits("a", 9.0))), expected);
    world.ask("platform", &declaring(limits("a", 50.0))).expect("it is the share of each");
    assert_eq!(world.refused("platform", &starting(limits("b", 1.0))), expected);
    world.ask("platform", &starting(limits("c", 1.0))).unwrap();
    world.ask("platform", &starting(limits("b", 1.0))).expect("what it holds is its own, whoever changed it");
}

/// Rule 5 of governance: the removal of the last rule lets everybody in.
#[test]
fn what_is_there_is_not_opened_by_the_end_of_its_last_rule() {
    let mut world = World::new(&json!({"acl_mode": "open"}));
    world.ask("nobody", &declare("pay", json!({"principals": ["User:p"]}))).unwrap();
    world.provision("pay");
    world.ask("pay", &Command::ReserveTopic(topic("pay.t", 1))).unwrap();
    let ended = world.refused("pay", &Command::DeleteApplication(named("pay")));
    assert_eq!(ended, [(String::new(), "Application in use")]);
    let lost = world.refused("pay", &change("pay", json!({"principals": []})));
    assert_eq!(lost, [("principals".to_owned(), "Rules would open existing objects")]);
    world
        .ask("pay", &change("pay", json!({"principals": ["User:q"]})))
        .expect("the rules of another one keep it closed");
    world.ask("nobody", &declare("other", json!({"principals": ["User:o"]}))).unwrap();
    let prefixes = [(Kind::Topic, ["pay.".to_owned()].into())].into();
    let offer = Transfer { application: named("pay"), to: named("other"), prefixes };
    world.ask("pay", &Command::OfferTransfer(offer)).unwrap();
    let takeover = Command::ConfirmTransfer(Takeover { application: named("other"), from: named("pay") });
    assert_eq!(world.refused("platform", &takeover), [("from".to_owned(), "Rules would open existing objects")]);
    let closing = environment(&json!({"acl_mode": "closing"}));
    world.ask("platform", &Command::ChangeEnvironment(Box::new(closing))).unwrap();
    world.ask("platform", &takeover).unwrap();
}

/// Rule 17 of governance: what was found holds for as long as it is what is counted on.
#[test]
fn what_a_try_of_the_authorizer_found_is_kept_and_forgotten_with_other_means() {
    let mut world = World::new(&json!({}));
    let probed = |it| Command::MarkEnforcement(it);
    let found = |world: &World| world.state.environment().unwrap().probe.map(|it| it.found);
    assert_eq!(world.ask("platform", &probed(Probed::Enforced)).unwrap()[0].kind, "environment.probed");
    assert_eq!(world.ask("platform", &probed(Probed::Enforced)).unwrap(), [], "it is known");
    let change = |policy| Command::ChangeEnvironment(Box::new(environment(&policy)));
    world.ask("platform", &change(json!({"quota": {"topics": 1}}))).unwrap();
    assert_eq!(found(&world), Some(Probed::Enforced));
    world.ask("platform", &change(json!({"enforcement": "external"}))).unwrap();
    assert_eq!(found(&world), None);
    assert_eq!(world.refused("platform", &probed(Probed::Enforced)), [(String::new(), "Nothing to try")]);
}

/// Rule 23: sums are decided with the place, so that two plans cannot exceed together.
#[test]
fn the_place_of_a_topic_is_taken_before_it_is_made() {
    let mut world = World::new(&json!({"quota": {"partitions": 5}}));
    world.ask("nobody", &declare("pay", json!({}))).unwrap();
    world.ask("pay", &Command::ReserveTopic(topic("pay.a", 3))).unwrap();
    let told = world.refused("pay", &Command::ReserveTopic(topic("pay.b", 3)));
    assert_eq!(told, [("partitions".to_owned(), "Capacity of the application exceeded")]);
    // A run that was killed, and whose declaration was edited since.
    world.ask("pay", &Command::ReserveTopic(topic("pay.a", 2))).unwrap();
    world.ask("pay", &Command::ReserveTopic(topic("pay.b", 3))).unwrap();
    let found = TopicFound::new("pay.a".parse().unwrap(), Some("id".to_owned()));
    world.ask("pay", &Command::MarkTopicCreated(found)).unwrap();
    let told = world.refused("pay", &Command::ChangeTopic(topic("pay.a", 4)));
    assert_eq!(told, [("partitions".to_owned(), "Capacity of the application exceeded")]);
}

#[test]
fn a_second_environment_is_refused_with_the_name_of_the_first() {
    let mut world = World::new(&json!({}));
    let mut spec = environment(&json!({}));
    spec.name = "pro".parse().unwrap();
    let refusal = world.ask("platform", &Command::DeclareEnvironment(Box::new(spec))).unwrap_err();
    assert!(refusal.0[0].detail.starts_with("The cluster is the environment `pre`"), "{refusal:?}");
    world.ask("nobody", &declare("pay", json!({}))).unwrap();
    let refusal = world.ask("platform", &Command::DestroyEnvironment(())).unwrap_err();
    assert!(refusal.0[0].detail.contains("`pay`"), "{refusal:?}");
}

#[test]
fn a_policy_that_tightens_is_applied_and_says_what_it_breaks() {
    let mut world = World::new(&json!({}));
    world.ask("nobody", &declare("pay", json!({}))).unwrap();
    world.ask("pay", &Command::ReserveTopic(topic("pay.a", 12))).unwrap();
    let tight = environment(&json!({"topics": {"partitions": {"max": 6}}}));
    let broken = super::broken_by(&world.state, &tight, &BTreeMap::new());
    let expected = "topic `pay.a`: `partitions` is 12, and the environment permits at most 6. Keep `partitions = 12`, for \
                    Kafka takes no partitions away; or move to a new topic of another name with `partitions = 6`.";
    assert_eq!(broken, [expected]);
    world.ask("platform", &Command::ChangeEnvironment(Box::new(tight.clone()))).unwrap();
    assert_eq!(super::broken_by(&world.state, &tight, &BTreeMap::new()), Vec::<String>::new(), "told once");
    let tighter = environment(&json!({"topics": {"partitions": {"max": 5}, "config": {"retention.ms": {"max": 5}}}}));
    assert_eq!(super::broken_by(&world.state, &tighter, &BTreeMap::new()), Vec::<String>::new(), "it is not new");
    let configs = [("pay.a".parse().unwrap(), [("retention.ms".to_owned(), "6".to_owned())].into())].into();
    let broken = super::broken_by(&world.state, &tighter, &configs);
    assert!(matches!(&broken[..], [it] if it.contains("`retention.ms` is `6`")), "{broken:?}");
    let named = environment(&json!({"naming": {"templates": {"topic": "a.{application}.{x:.*}"}}}));
    let broken = super::broken_by(&world.state, &named, &BTreeMap::new());
    assert!(broken.iter().any(|it| it.starts_with("application `pay`")), "{broken:?}");
    world.ask("platform", &Command::ChangeEnvironment(Box::new(named.clone()))).unwrap();
    assert_eq!(super::broken_by(&world.state, &named, &BTreeMap::new()), Vec::<String>::new(), "told once");
}

#[test]
fn a_trial_that_is_over_is_not_declared() {
    let mut world = World::new(&json!({}));
    let told = world.refused("nobody", &declare("pay", json!({"expires_at": 999})));
    assert_eq!(told, [("expires_at".to_owned(), "Expired already")]);
    world.ask("nobody", &declare("pay", json!({"expires_at": 2_000}))).unwrap();
}

#[test]
fn a_secret_in_a_text_is_refused_and_texts_are_kept_apart() {
    let mut world = World::new(&json!({}));
    let with_text = |text: &str| {
        let Command::DeclareApplication(mut request) = declare("pay", json!({})) else { panic!("a declaration") };
        request.texts.insert("description".to_owned(), text.to_owned());
        Command::DeclareApplication(request)
    };
    let told = world.refused("nobody", &with_text("use password=hunter2"));
    assert_eq!(told, [("description".to_owned(), "Secret in a text")]);
    let events = world.ask("nobody", &with_text("Takes payments.")).unwrap();
    assert_eq!(events[0].texts["application/pay"], Some(json!({"description": "Takes payments."})));
    assert!(!serde_json::to_string(&events[0].entities).unwrap().contains("Takes"));
    assert_eq!(world.ask("nobody", &with_text("Takes payments.")).unwrap(), []);
    assert_eq!(world.ask("pay", &with_text("Takes cards.")).unwrap().len(), 1);
}

#[test]
fn an_event_says_who_asked_and_what_a_newer_release_wrote_survives() {
    let mut world = World::new(&json!({}));
    let events = world.ask("nobody", &declare("pay", json!({}))).unwrap();
    assert_eq!(events[0].kind, "application.declared");
    assert_eq!(events[0].facts["acting_as"], "nobody");
    let mut newer = events[0].entities["application/pay"].clone();
    newer["color"] = "red".into();
    world.state.put("application/pay", &newer).unwrap();
    let events = world.ask("pay", &change("pay", json!({"team": "x"}))).unwrap();
    assert_eq!(events[0].entities["application/pay"]["color"], "red");
}
