//! What was asked and granted is seen by whom it concerns: by the platform in full, by a team as far as it may.

use acceptance_tests::{Engine, Stack, Workspace};
use serde_json::Value;

use crate::access::{REQUEST, TOPIC, acting, decision, has_topic, platform, request};

const LOOKING: &str = r#"
data "kafka_access_requests" "it" {
  owner   = "billing"
  status  = "active"
  history = true
}

data "kafka_grants" "it" {
  resource_name = "billing.invoices.v1"
}
"#;

#[test]
fn who_may_read_a_topic_and_who_agreed_is_seen() {
    let engine = Engine::at_hand().expect("an engine");
    let stack = Stack::start().expect("a broker starts");
    let platform = platform(&engine, &stack, "");
    let (billing, shipping) = (acting(&engine, &stack, "billing"), acting(&engine, &stack, "shipping"));
    has_topic(&stack, &billing, "");
    shipping.write("main.tf", &request("read", "justification = \"They deliver.\""));
    shipping.applies();
    let asked = shipping.attributes(REQUEST);
    billing.write("main.tf", &decision(&asked, "approve", ""));
    billing.applies();

    let auditor = acting(&engine, &stack, "billing");
    auditor.write("main.tf", LOOKING);
    auditor.applies();
    let found = &auditor.attributes("data.kafka_access_requests.it")["requests"][0];
    assert_eq!(found["id"], asked["request_id"]);
    assert_eq!(found["justification"], "They deliver.");
    let rule = "TOPIC|LITERAL|billing.invoices.v1|User:team|*|READ|ALLOW";
    assert_eq!(found["acls"][0], rule);
    let statuses: Vec<&Value> = found["events"].as_array().expect("a list").iter().map(|it| &it["status"]).collect();
    assert_eq!((statuses.first(), statuses.last()), (Some(&&"pending".into()), Some(&&"active".into())));
    let granted = granted(&auditor, rule);
    assert_eq!((&granted["status"], &granted["effective"]), (&"present".into(), &true.into()));
    assert_eq!(granted["because"][0]["id"], asked["request_id"]);

    stack.deny("team", "Read", &["--topic", TOPIC]);
    auditor.applies();
    let granted = self::granted(&auditor, rule);
    assert_eq!(granted["effective"], false, "{granted}");
    assert_eq!(granted["forbidden_by"][0], rule.replace("ALLOW", "DENY"));
    stack.deny_no_more("team", "Read", &["--topic", TOPIC]);

    billing.remove("main.tf");
    billing.applies();
    for it in [&shipping, &billing, &platform] {
        it.destroy().success();
    }
}

/// A rule of the topic, as the data source tells it.
fn granted(workspace: &Workspace, rule: &str) -> Value {
    let grants = workspace.attributes("data.kafka_grants.it");
    assert_eq!((&grants["source"], &grants["owner"]), (&"cluster".into(), &"billing".into()));
    let rules = grants["rules"].as_array().expect("a list");
    rules.iter().find(|it| it["acl"] == rule).cloned().unwrap_or_default()
}
