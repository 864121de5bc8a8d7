//! Teams whose pipelines have credentials of their own: all that they want goes by letter, and the broker's authorizer keeps
//! them from doing it themselves.

use std::{process::Command, time::Duration};

use acceptance_tests::{Engine, Outcome, Stack, Workspace, binary, hcl, run};

use crate::{
    access::{
        DECISION, REQUEST, TOPIC, decision, granted, is_refused, platform_of, reads, reconcile, refreshed, request,
        topic,
    },
    connections::sasl,
    until, workspace_on, workspace_with,
};

const OWN: &str = "kafka_application.own";
const RULES: &str = "platform_principals = [\"User:ANONYMOUS\"]";

/// The pipelines of `billing` and `shipping`, each with a state and credentials of its own.
fn teams(engine: &Engine, stack: &Stack) -> [Workspace; 2] {
    Stack::PIPELINES.map(|it| workspace_with(engine, &sasl(stack, "SCRAM-SHA-512", it)))
}

/// A platform that declares nothing but the environment.
fn environment(engine: &Engine, stack: &Stack, rules: &str) -> Workspace {
    let platform = workspace_on(engine, stack);
    platform.write(
        "main.tf",
        &format!("resource \"kafka_environment\" \"dev\" {{\n name = \"dev\"\n{RULES}\n{rules}\n}}\n"),
    );
    platform.applies();
    platform
}

/// A team's own application, as its pipeline declares it.
fn own(name: &str, rest: &str) -> String {
    format!(
        "resource \"kafka_application\" \"own\" {{\n name = {}\n owner = {{ team = {} }}\n deployers = \
         [\"User:{name}-ci\"]\n{rest}\n}}\n",
        hcl(name),
        hcl(name)
    )
}

/// A run of the platform's command, whatever comes of it.
#[track_caller]
fn reconcile_with(stack: &Stack, option: &str) -> Outcome {
    let mut command = Command::new(binary());
    command.args(["reconcile", option]).env("KAFKA_BOOTSTRAP_SERVERS", stack.plaintext());
    run(&mut command, Duration::from_mins(1)).expect("it ends")
}

#[track_caller]
fn is_quiet(stack: &Stack, teams: &[Workspace]) {
    reconcile(stack).says(&["Nothing to do."]);
    for team in teams {
        team.plans_nothing();
    }
}

/// The broker lets neither pipeline do by itself what it asks for.
#[track_caller]
fn nobody_helps_themselves(stack: &Stack) {
    for user in Stack::PIPELINES {
        for topic in [TOPIC, "_selfserve"] {
            let words = stack.produce_as(user, topic).words();
            assert!(words.contains("AuthorizationException") || words.contains("Not authorized"), "{words}");
        }
    }
}

#[test]
fn access_is_asked_for_agreed_to_amended_and_expires_by_letter() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let shipping = "principals = [\"User:team\"]\n deployers = [\"User:shipping-ci\"]";
        let platform = platform_of(&engine, &stack, RULES, shipping);
        let declared = std::fs::read_to_string(platform.path().join("main.tf")).expect("it was written");
        let billing = "principals = [\"User:billing\"]";
        platform
            .write("main.tf", &declared.replace(billing, &format!("{billing}\n deployers = [\"User:billing-ci\"]")));
        platform.applies();
        let teams = teams(&engine, &stack);
        let [billing, shipping] = &teams;
        billing.write("topic.tf", &topic(""));
        shipping.write("main.tf", &request("read", ""));
        billing.applies();
        shipping.applies();
        assert_eq!((stack.topic(TOPIC), &billing.attributes("kafka_topic.it")["status"]), (None, &"requested".into()));
        reconcile(&stack);
        stack.produce_as(Stack::ADMIN, TOPIC).says(&["3 records sent"]);
        assert_eq!(refreshed(billing, "kafka_topic.it"), "ready");
        assert_eq!(refreshed(shipping, REQUEST), "pending");
        nobody_helps_themselves(&stack);

        agrees(&stack, &teams, &["READ"], |billing| {
            assert_eq!(granted(&stack), Vec::<String>::new(), "a letter does nothing by itself");
            is_refused(&stack);
            billing.plans_nothing();
        });
        reads(&stack, "shipping.first");

        shipping.write("main.tf", &request("read_write", ""));
        shipping.applies();
        shipping.plans_nothing();
        reconcile(&stack);
        assert_eq!(refreshed(shipping, REQUEST), "pending");
        billing.plan().says(&["Request amended since"]);
        agrees(&stack, &teams, &["READ", "WRITE"], |_| {
            assert_eq!(granted(&stack), ["READ"], "what was agreed to holds");
        });
        stack.produce_as(Stack::TEAM, TOPIC).says(&["3 records sent"]);

        what_somebody_removed_is_made_again(&stack);
        it_expires(&stack, &teams);
        for team in &teams {
            team.destroy().success();
        }
        reconcile(&stack);
        assert_eq!(stack.topic(TOPIC), None);
        platform.destroy().success();
    }
}

/// The owner agrees to what is asked for now, by letter, and the platform does it.
#[track_caller]
fn agrees(stack: &Stack, teams: &[Workspace; 2], rules: &[&str], before: impl FnOnce(&Workspace)) {
    let [billing, shipping] = teams;
    billing.write("main.tf", &decision(&shipping.attributes(REQUEST), "approve", ""));
    billing.applies();
    before(billing);
    reconcile(stack);
    assert_eq!(granted(stack), rules);
    assert_eq!(refreshed(billing, DECISION), "active");
    assert_eq!(refreshed(shipping, REQUEST), "active");
    is_quiet(stack, teams);
}

#[track_caller]
fn what_somebody_removed_is_made_again(stack: &Stack) {
    let rule = ["--remove", "--force", "--allow-principal", "User:team", "--operation", "Read", "--topic", TOPIC];
    stack.tool("org.apache.kafka.tools.AclCommand", &rule);
    assert_eq!(granted(stack), ["WRITE"]);
    let foreseen = reconcile_with(stack, "--dry-run");
    assert_eq!(foreseen.code(), Some(2), "{foreseen}");
    foreseen.says(&[&format!("Would make again the rule `TOPIC|LITERAL|{TOPIC}|User:team|*|READ|ALLOW`")]);
    assert_eq!(granted(stack), ["WRITE"], "a dry run does nothing");
    reconcile(stack).says(&["Make again the rule", "begun, for somebody removed it"]);
    assert_eq!(granted(stack), ["READ", "WRITE"]);
    reads(stack, "shipping.again");
}

/// Rule 20 of governance.
#[track_caller]
fn it_expires(stack: &Stack, teams: &[Workspace; 2]) {
    let [billing, shipping] = teams;
    let end = time::OffsetDateTime::now_utc() + Duration::from_secs(40);
    let end = end.format(&time::format_description::well_known::Rfc3339).expect("a time can be written");
    shipping.write("main.tf", &request("read", &format!("expires_at = {}", hcl(&end))));
    shipping.applies();
    reconcile(stack);
    agrees(stack, teams, &["READ"], |_| {});
    until("the access ends", Duration::from_mins(2), || refreshed(shipping, REQUEST) == "expiring_overdue");
    assert_eq!(granted(stack), ["READ"], "nobody reconciles");
    reconcile(stack);
    assert_eq!(granted(stack), Vec::<String>::new());
    is_refused(stack);
    assert_eq!(refreshed(shipping, REQUEST), "expired");
    shipping.plan().says(&["Request over", "expired"]);
    billing.plan().says(&["Request over"]);
    is_quiet(stack, teams);
}

#[test]
fn a_topic_that_the_brokers_refuse_is_told_to_its_team() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let shipping = "deployers = [\"User:shipping-ci\"]";
        platform_of(&engine, &stack, RULES, shipping);
        let [_, team] = teams(&engine, &stack);
        let topic = |rest: &str| topic(rest).replace(TOPIC, "shipping.parcels");
        team.write("main.tf", &topic("replication_factor = 3\n partitions = 4"));
        team.applies();
        let said = reconcile_with(&stack, "--timeout=60");
        assert_eq!(said.code(), Some(2), "{said}");
        said.says(&["topic `shipping.parcels`: failed"]);
        reconcile(&stack).says(&["Nothing to do."]);
        assert_eq!(refreshed(&team, "kafka_topic.it"), "refused");
        team.plan().says(&["Topic refused", "replication factor"]);
        team.write("main.tf", &topic("partitions = 2"));
        team.applies();
        team.plans_nothing();
        reconcile(&stack);
        assert_eq!(stack.topic("shipping.parcels").expect("it is made").partitions, 2);
        assert_eq!(refreshed(&team, "kafka_topic.it"), "ready");
        team.write("main.tf", &topic("partitions = 2\n config = { \"segment.bytes\" = \"2\" }"));
        team.applies();
        assert_eq!(reconcile_with(&stack, "--timeout=60").code(), Some(2));
        team.plan().says(&["Topic refused", "segment.bytes"]);
        team.write("main.tf", &topic("partitions = 2"));
        team.applies();
        reconcile(&stack);
        assert_eq!(refreshed(&team, "kafka_topic.it"), "ready");
        is_quiet(&stack, &[team]);
    }
}

/// Rule 19 of governance.
#[test]
fn a_newcomer_asks_in_the_inbox_and_the_platform_agrees() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let rules = "inbox = true\n approval = { applications = \"platform\" }";
        let platform = environment(&engine, &stack, rules);
        let [billing, stranger] = teams(&engine, &stack);
        billing.write("main.tf", &own("billing", "principals = [\"User:billing\"]"));
        billing.apply().success().says(&["Application asked for"]);
        assert_eq!(billing.attributes(OWN)["status"], "requested");
        billing.plans_nothing();
        reconcile(&stack).says(&["1 letters, 0 refused"]);
        assert_eq!(refreshed(&billing, OWN), "pending");
        assert!(!stack.rules("User:billing").contains("billing."), "nobody agreed");

        // Who asks for what another asks for already is told.
        stranger.write("main.tf", &own("billing", "principals = [\"User:stranger\"]"));
        stranger.apply().failure(&["billing"]);

        platform_agrees(&platform, &billing);
        reconcile(&stack);
        assert!(stack.rules("User:billing").contains("billing."), "{}", stack.rules("User:billing"));
        assert_eq!(refreshed(&billing, OWN), "ready");
        billing.plans_nothing();

        // It is a deployer like others now, with a mailbox of its own; and what it changes waits for the platform.
        billing.write("main.tf", &own("billing", "principals = [\"User:billing\", \"User:more\"]"));
        billing.applies();
        billing.plans_nothing();
        reconcile(&stack);
        assert!(!stack.rules("User:more").contains("billing."), "nobody agreed");
        refreshed(&billing, OWN);
        billing.plans_nothing();
        platform_agrees(&platform, &billing);
        reconcile(&stack);
        assert!(stack.rules("User:more").contains("billing."), "{}", stack.rules("User:more"));
        assert_eq!(refreshed(&billing, OWN), "ready");
        is_quiet(&stack, &[billing]);
    }
}

/// The platform agrees to what is asked for an application now.
#[track_caller]
fn platform_agrees(platform: &Workspace, team: &Workspace) {
    let asked = "data \"kafka_access_requests\" \"asked\" {\n kind = \"application\"\n}\n\
                 output \"asked\" {\n value = data.kafka_access_requests.asked.requests\n}\n";
    platform.write("asked.tf", asked);
    platform.applies();
    let id = team.attributes(OWN)["request_id"].clone();
    let state = platform.state_file();
    let all = state["outputs"]["asked"]["value"].as_array().expect("a list").clone();
    let it = all.iter().find(|it| it["id"] == id).expect("the platform sees the request");
    let request = serde_json::json!({ "request_id": id, "revision": it["revision"] });
    platform.remove("asked.tf");
    platform.write("decision.tf", &decision(&request, "approve", "as = \"platform\""));
    platform.applies();
    platform.plans_nothing();
}

/// Rule 21 of governance.
#[test]
fn a_prefix_goes_from_one_team_to_another_by_letter() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        environment(&engine, &stack, "inbox = true");
        let teams = teams(&engine, &stack);
        let [billing, shipping] = &teams;
        let gives = "principals = [\"User:billing\"]\n prefixes = { topic = [\"billing.\", \"billing-spare.\"] }";
        let takes = "principals = [\"User:team\"]";
        billing.write("main.tf", &own("billing", gives));
        shipping.write("main.tf", &own("shipping", takes));
        for team in &teams {
            team.applies();
        }
        reconcile(&stack);
        for team in &teams {
            assert_eq!(refreshed(team, OWN), "ready");
        }
        is_quiet(&stack, &teams);

        let offer = "transfer = { to = \"shipping\", prefixes = { topic = [\"billing.\"] } }";
        billing.write("main.tf", &own("billing", &format!("{gives}\n{offer}")));
        billing.applies();
        billing.plans_nothing();
        reconcile(&stack);
        assert!(!stack.rules("User:team").contains("resourceType=TOPIC, name=billing.,"), "an offer gives nothing");
        shipping.write("main.tf", &own("shipping", &format!("{takes}\n take_over_from = [\"billing\"]")));
        shipping.applies();
        assert!(
            !stack.rules("User:team").contains("resourceType=TOPIC, name=billing.,"),
            "a letter does nothing by itself"
        );
        reconcile(&stack);
        assert!(
            stack.rules("User:team").contains("resourceType=TOPIC, name=billing.,"),
            "{}",
            stack.rules("User:team")
        );
        assert!(
            !stack.rules("User:billing").contains("resourceType=TOPIC, name=billing.,"),
            "{}",
            stack.rules("User:billing")
        );
        assert!(stack.rules("User:billing").contains("name=billing-spare.,"), "{}", stack.rules("User:billing"));
        billing.write("main.tf", &own("billing", &gives.replace("\"billing.\", ", "")));
        for team in &teams {
            team.applies();
            reconcile(&stack);
            assert_eq!(refreshed(team, OWN), "ready");
        }
        is_quiet(&stack, &teams);
    }
}
