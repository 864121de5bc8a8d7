//! One team asks, another one agrees, and Kafka's own client reads what it could not before.

use std::{process::Command, time::Duration};

use acceptance_tests::{Engine, Outcome, Stack, Workspace, binary, hcl, run};
use serde_json::Value;

use crate::{connections::sasl, until, workspace_on, workspace_with};

pub(crate) const TOPIC: &str = "billing.invoices.v1";
pub(crate) const REQUEST: &str = "kafka_access_request.it";
pub(crate) const DECISION: &str = "kafka_access_decision.it";

/// Somebody with a state of their own, whose pipeline acts as an application.
pub(crate) fn acting(engine: &Engine, stack: &Stack, application: &str) -> Workspace {
    let mut workspace = workspace_on(engine, stack);
    workspace.set_variable("KAFKA_ACTING_APPLICATION", application);
    workspace
}

/// The platform, which declares the environment and two applications: `billing`, and `shipping`, which runs as the user
/// that a test can be.
pub(crate) fn platform(engine: &Engine, stack: &Stack, rules: &str) -> Workspace {
    platform_of(engine, stack, rules, "principals = [\"User:team\"]")
}

/// The same, where `shipping` runs, or is deployed, otherwise.
pub(crate) fn platform_of(engine: &Engine, stack: &Stack, rules: &str, shipping: &str) -> Workspace {
    let platform = workspace_on(engine, stack);
    let application = |name: &str, programs: &str| {
        format!(
            "resource \"kafka_application\" {name} {{\n name = {name}\n environment = kafka_environment.dev.id\n owner = \
             {{ team = {name} }}\n{programs}\n}}\n",
            name = hcl(name)
        )
    };
    platform.write(
        "main.tf",
        &format!(
            "resource \"kafka_environment\" \"dev\" {{\n name = \"dev\"\n{rules}\n}}\n{}{}",
            application("billing", "principals = [\"User:billing\"]"),
            application("shipping", shipping)
        ),
    );
    platform.applies();
    platform
}

/// The topic of `billing`, as its pipeline declares it.
pub(crate) fn topic(rest: &str) -> String {
    format!("resource \"kafka_topic\" \"it\" {{\n name = {}\n{rest}\n}}\n", hcl(TOPIC))
}

/// `billing` makes the topic, and three records are in it.
#[track_caller]
pub(crate) fn has_topic(stack: &Stack, billing: &Workspace, rest: &str) {
    billing.write("topic.tf", &topic(rest));
    billing.applies();
    stack.produce_as(Stack::ADMIN, TOPIC).says(&["3 records sent"]);
}

pub(crate) fn request(access: &str, rest: &str) -> String {
    format!(
        "resource \"kafka_access_request\" \"it\" {{\n application = \"shipping\"\n resource_type = \"topic\"\n \
         resource_name = {}\n access = {}\n{rest}\n}}\n",
        hcl(TOPIC),
        hcl(access)
    )
}

pub(crate) fn decision(request: &Value, decision: &str, rest: &str) -> String {
    let of = |attribute: &str| hcl(request[attribute].as_str().expect("a request has it"));
    format!(
        "resource \"kafka_access_decision\" \"it\" {{\n request_id = {}\n revision = {}\n decision = {}\n{rest}\n}}\n",
        of("request_id"),
        of("revision"),
        hcl(decision)
    )
}

/// What `User:team` may do with the topic, in Kafka's own words.
#[track_caller]
pub(crate) fn granted(stack: &Stack) -> Vec<String> {
    granted_to(stack, "User:team")
}

#[track_caller]
fn granted_to(stack: &Stack, principal: &str) -> Vec<String> {
    granted_for(stack, principal, TOPIC)
}

/// What somebody may do with a topic.
#[track_caller]
pub(crate) fn granted_for(stack: &Stack, principal: &str, topic: &str) -> Vec<String> {
    let rules = stack.rules(principal);
    let of_topic = rules.split("Current ACLs for resource").find(|it| it.contains(&format!("name={topic},")));
    let mut res: Vec<String> = of_topic
        .into_iter()
        .flat_map(|it| it.split("operation=").skip(1))
        .filter_map(|it| it.split(',').next())
        .map(str::to_owned)
        .collect();
    res.sort();
    res
}

/// What a refresh tells of a status, without an apply.
#[track_caller]
pub(crate) fn refreshed(workspace: &Workspace, address: &str) -> Value {
    workspace.run(&["apply", "-refresh-only", "-auto-approve", "-no-color", "-input=false"]).success();
    workspace.attributes(address)["status"].clone()
}

#[track_caller]
pub(crate) fn reads(stack: &Stack, group: &str) {
    stack.consume_as(Stack::TEAM, TOPIC, group).says(&["Processed a total of 3 messages"]);
}

#[track_caller]
pub(crate) fn is_refused(stack: &Stack) {
    let words = stack.consume_as(Stack::TEAM, TOPIC, "shipping.refused").words();
    assert!(words.contains("TopicAuthorizationException") || words.contains("Not authorized"), "{words}");
}

#[test]
fn what_is_asked_for_is_what_the_owner_gives_and_takes_back() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let platform = platform(&engine, &stack, "");
        let (billing, shipping) = (acting(&engine, &stack, "billing"), acting(&engine, &stack, "shipping"));
        has_topic(&stack, &billing, "");

        shipping.write("main.tf", &request("read", ""));
        shipping.applies();
        shipping.plans_nothing();
        assert_eq!(granted(&stack), Vec::<String>::new());
        is_refused(&stack);

        nobody_else_agrees(&engine, &stack, &shipping);
        billing.write("main.tf", &decision(&shipping.attributes(REQUEST), "approve", "reason = \"They deliver.\""));
        billing.applies();
        billing.plans_nothing();
        assert_eq!(billing.attributes(DECISION)["status"], "active");
        assert_eq!(granted(&stack), ["READ"]);
        reads(&stack, "shipping.first");
        let refused = stack.produce_as(Stack::TEAM, TOPIC).words();
        assert!(refused.contains("TopicAuthorizationException") || refused.contains("Not authorized"), "{refused}");
        assert_eq!(refreshed(&shipping, REQUEST), "active");
        shipping.plans_nothing();

        an_amendment_is_agreed_to_anew(&stack, &billing, &shipping);
        a_topic_that_others_read_stays(&billing);

        billing.remove("main.tf");
        billing.plan().says(&["Access revoked", "from `shipping`"]);
        billing.applies();
        assert_eq!(granted(&stack), Vec::<String>::new());
        is_refused(&stack);
        assert_eq!(refreshed(&shipping, REQUEST), "revoked");
        shipping.plan().says(&["Request over", "was revoked"]);
        shipping.plans_nothing();
        shipping.destroy().success();
        billing.destroy().success();
        platform.destroy().success();
    }
}

/// Rule 1 of governance: neither who asks nor a pipeline that names nobody decides as the owner.
#[track_caller]
fn nobody_else_agrees(engine: &Engine, stack: &Stack, shipping: &Workspace) {
    let approval = decision(&shipping.attributes(REQUEST), "approve", "");
    for other in [workspace_on(engine, stack), acting(engine, stack, "shipping")] {
        other.write("main.tf", &approval);
        other.plan().failure(&["Not yours to decide"]);
        other.apply().failure(&["Not yours to decide"]);
    }
    assert_eq!(granted(stack), Vec::<String>::new());
}

#[track_caller]
fn an_amendment_is_agreed_to_anew(stack: &Stack, billing: &Workspace, shipping: &Workspace) {
    shipping.write("main.tf", &request("read_write", ""));
    shipping.applies();
    shipping.plans_nothing();
    assert_eq!(shipping.attributes(REQUEST)["status"], "pending");
    assert_eq!(granted(stack), ["READ"], "what was agreed to holds");
    reads(stack, "shipping.second");
    billing.plan().says(&["Request amended since"]);
    billing.plans_nothing();
    billing.write("main.tf", &decision(&shipping.attributes(REQUEST), "approve", ""));
    billing.applies();
    billing.plans_nothing();
    assert_eq!(granted(stack), ["READ", "WRITE"]);
    stack.produce_as(Stack::TEAM, TOPIC).says(&["3 records sent"]);
}

/// Rule 9 of governance.
#[track_caller]
fn a_topic_that_others_read_stays(billing: &Workspace) {
    billing.remove("topic.tf");
    billing.apply().failure(&["shipping"]);
    billing.write("topic.tf", &topic(""));
    billing.plans_nothing();
}

/// Rule 9 of governance: ACLs outlive a topic.
#[test]
fn the_acls_of_others_go_before_the_topic_and_stay_where_other_tools_made_it_anew() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        platform(&engine, &stack, "approval = { access = \"none\" }");
        let (billing, shipping) = (acting(&engine, &stack, "billing"), acting(&engine, &stack, "shipping"));
        has_topic(&stack, &billing, "revoke_grants_on_delete = true");
        shipping.write("main.tf", &request("read", ""));
        shipping.applies();
        assert_eq!(granted(&stack), ["READ"]);

        stack.delete_topic(TOPIC);
        stack.create_topic(TOPIC, 1);
        reconcile(&stack).says(&["was made anew", "`shipping`"]);
        billing.plan().says(&["Access to a topic made anew", "`shipping`"]);
        billing.run(&["state", "rm", "kafka_topic.it"]).success();
        billing.run(&["import", "-no-color", "-input=false", "kafka_topic.it", &format!("dev/{TOPIC}")]).success();
        billing.applies();
        billing.plans_nothing();
        let said = reconcile(&stack);
        assert!(!said.words().contains("made anew"), "{said}");
        assert_eq!(granted(&stack), ["READ"]);

        billing.destroy().success();
        assert_eq!((stack.topic(TOPIC), granted(&stack)), (None, vec![]));
        assert_eq!(refreshed(&shipping, REQUEST), "revoked");
        reconcile(&stack).says(&["Nothing to do."]);
    }
}

/// One state of a platform that asks and decides itself, in one apply.
#[test]
fn request_and_decision_are_made_and_ended_together() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let platform = platform(&engine, &stack, "approval = { access = \"platform\" }");
        let both = |access: &str| {
            format!(
                "{}resource \"kafka_access_decision\" \"it\" {{\n request_id = {REQUEST}.request_id\n revision = \
                 {REQUEST}.revision\n decision = \"approve\"\n as = \"platform\"\n}}\n",
                request(access, "").replace("\"shipping\"", "kafka_application.shipping.id")
            )
        };
        for (access, rules) in [("read", vec!["READ"]), ("read_write", vec!["READ", "WRITE"]), ("write", vec!["WRITE"])]
        {
            platform.write("access.tf", &both(access));
            platform.applies();
            platform.plans_nothing();
            assert_eq!(granted(&stack), rules);
        }
        for (target, is_left) in [(DECISION, false), (REQUEST, false)] {
            let option = format!("-target={target}");
            platform.run(&["destroy", "-auto-approve", "-no-color", "-input=false", &option]).success();
            assert_eq!(!granted(&stack).is_empty(), is_left);
            // Asked otherwise, it is filed and decided anew.
            platform.write("access.tf", &both("write").replace("access = ", "ticket = \"OPS-1\"\n access = "));
            platform.applies();
            platform.plans_nothing();
            assert_eq!(granted(&stack), ["WRITE"]);
        }
        platform.remove("access.tf");
        platform.applies();
        assert_eq!(granted(&stack), Vec::<String>::new());
        platform.destroy().success();
    }
}

/// A team whose pipeline has credentials of its own writes no journal: it asks by letter, and the platform does the rest.
#[test]
fn a_team_with_its_own_credentials_asks_by_letter() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let rules = "platform_principals = [\"User:ANONYMOUS\"]";
        platform_of(&engine, &stack, rules, "principals = [\"User:shipping\"]\n deployers = [\"User:team\"]");
        let team = workspace_with(&engine, &sasl(&stack, "SCRAM-SHA-512", Stack::TEAM));
        team.write("main.tf", &request("read", ""));
        team.applies();
        assert_eq!(team.attributes(REQUEST)["status"], "requested");
        team.plans_nothing();
        reconcile(&stack);
        team.plans_nothing();

        let billing = acting(&engine, &stack, "billing");
        billing.write("main.tf", &decision(&team.attributes(REQUEST), "approve", ""));
        billing.applies();
        billing.plans_nothing();
        assert_eq!(granted_to(&stack, "User:shipping"), ["READ"]);
        assert_eq!(refreshed(&team, REQUEST), "active");
        team.plans_nothing();

        team.destroy().success();
        assert_eq!(granted_to(&stack, "User:shipping"), ["READ"], "a letter does nothing by itself");
        reconcile(&stack);
        assert_eq!(granted_to(&stack, "User:shipping"), Vec::<String>::new());
        billing.plan().says(&["Request over"]);
        billing.plans_nothing();
        billing.destroy().success();
    }
}

/// What whoever runs it on a schedule does.
#[track_caller]
pub(crate) fn reconcile(stack: &Stack) -> Outcome {
    let mut command = Command::new(binary());
    command.arg("reconcile").env("KAFKA_BOOTSTRAP_SERVERS", stack.plaintext());
    run(&mut command, Duration::from_mins(1)).expect("it ends").success()
}

/// Rule 16 of Terraform's core: the day on which an access ends turns no plan red.
#[test]
fn access_that_is_overdue_is_told_and_ends_with_the_next_reconcile() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        platform(&engine, &stack, "approval = { access = \"none\" }");
        let shipping = acting(&engine, &stack, "shipping");
        let end = time::OffsetDateTime::now_utc() + Duration::from_secs(20);
        let end = end.format(&time::format_description::well_known::Rfc3339).expect("a time can be written");
        shipping.write("main.tf", &request("read", &format!("expires_at = {}", hcl(&end))));
        shipping.applies();
        assert_eq!(granted(&stack), ["READ"]);
        until("the access ends", Duration::from_mins(2), || refreshed(&shipping, REQUEST) == "expiring_overdue");
        shipping.plan().says(&["Access overdue", "reconcile"]);
        shipping.plans_nothing();
        assert_eq!(granted(&stack), ["READ"], "nobody reconciles");
        reconcile(&stack);
        assert_eq!(granted(&stack), Vec::<String>::new());
        assert_eq!(refreshed(&shipping, REQUEST), "expired");
        shipping.plan().says(&["Request over", "expired"]);
        shipping.plans_nothing();
        // A later end asks again.
        shipping.write("main.tf", &request("read", "expires_at = \"2099-01-01T00:00:00Z\""));
        shipping.applies();
        shipping.plans_nothing();
        assert_eq!(granted(&stack), ["READ"]);
        shipping.destroy().success();
        assert_eq!(granted(&stack), Vec::<String>::new());
    }
}

#[test]
fn what_nobody_can_ask_for_is_told_in_the_plan() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        platform(&engine, &stack, "");
        let shipping = acting(&engine, &stack, "shipping");
        let of = |name: &str| request("read", "").replace(&hcl(TOPIC), &hcl(name));
        for (name, summary) in [
            ("shipping.parcels", "Request for one's own"),
            ("__consumer_offsets", "Internal topic"),
            ("*", "Wildcard refused"),
        ] {
            shipping.write("main.tf", &of(name));
            shipping.plan().failure(&[summary, "resource_name"]);
        }
        shipping.write("main.tf", &of("nobody.orders"));
        shipping.plan().says(&["Owner unknown"]);
        shipping.apply().failure(&["Owner unknown"]);
        let wrong = "expires_at = \"2020-01-01T00:00:00Z\"\n justification = \"password: hunter2\"";
        shipping.write("main.tf", &request("read", wrong));
        shipping.plan().failure(&["Expired already", "Secret in a text"]);
        assert_eq!(shipping.addresses(), Vec::<String>::new());
    }
}
