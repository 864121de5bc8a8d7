//! What nobody can ask for: told in the plan, all at once, at the attribute to blame.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{Here, REQUEST, in_milliseconds, nothing, reading};
use crate::{
    framework::{Diagnostics, Severity, Value},
    governance::policy::{AccessApproval, Approval, Policy},
};

/// What was told: how badly, what, and where.
fn told(diagnostics: &Diagnostics) -> Vec<(Severity, &str, String)> {
    let at = |path: &Option<_>| path.as_ref().map(ToString::to_string).unwrap_or_default();
    diagnostics.0.iter().map(|it| (it.severity, it.summary.as_str(), at(&it.path))).collect()
}

fn asking(parts: &Json) -> Json {
    let mut res = reading();
    let attributes = res.as_object_mut().unwrap();
    for (name, value) in parts.as_object().unwrap() {
        attributes.insert(name.clone(), value.clone());
    }
    res
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused_in_plan_and_apply() {
    let here = Here::new().await;
    for (parts, summary, at) in [
        (json!({"resource_name": "shop.orders"}), "Request for one's own", "resource_name"),
        (json!({"resource_name": "__consumer_offsets"}), "Internal topic", "resource_name"),
        (json!({"resource_name": "_selfserve"}), "Internal topic", "resource_name"),
        (json!({"resource_name": "*"}), "Wildcard refused", "resource_name"),
        (json!({"resource_name": "", "pattern_type": "prefixed"}), "Name missing", "resource_name"),
        (json!({"resource_name": ""}), "Name missing", "resource_name"),
        (json!({"resource_name": "p", "pattern_type": "prefixed"}), "Wider than one owner", "resource_name"),
        (json!({"resource_name": "pay orders"}), "Invalid topic name", "resource_name"),
        (json!({"expires_at": in_milliseconds(-1_000)}), "Expired already", "expires_at"),
        (json!({"justification": "password = hunter2"}), "Secret in a text", "justification"),
        (json!({"ticket": "token: abcdef"}), "Secret in a text", "ticket"),
        (json!({"resource_type": "connector"}), "Not to be asked for yet", "resource_type"),
        (json!({"resource_type": "subject", "access": "manage"}), "Nothing asked for", "access"),
        (json!({"resource_type": "subject", "resource_name": ".."}), "Invalid subject", "resource_name"),
        (json!({"resource_type": "subject", "resource_name": ":.eu:pay.x"}), "Invalid subject", "resource_name"),
        (json!({"resource_type": "group", "access": "write"}), "Nothing asked for", "access"),
        (json!({"access": null, "operations": ["CREATE"]}), "Operation refused", "operations"),
        (json!({"access": null, "operations": []}), "Nothing asked for", "operations"),
    ] {
        let config = asking(&parts);
        let planned = here.asking().plan(&nothing(), &config).await;
        let expected = [(Severity::Error, summary, at.to_owned())];
        assert_eq!(told(&planned.diagnostics), expected, "{config}");
        // A plan that was made before the rule holds is refused in apply.
        let fine = here.asking().plan(&nothing(), &reading()).await.planned;
        let outcome = here.asking().apply(&nothing(), fine, &config).await;
        assert_eq!(told(&outcome.diagnostics), expected, "{config}");
        assert_eq!(outcome.stored.state, Value::Null);
    }
    let known = here.asking().governed().snapshot(crate::resources::testing::soon()).await.unwrap();
    assert_eq!(known.state.requests().count(), 0);
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let here = Here::new().await;
    let config = asking(&json!({
        "resource_name": "shop.orders", "expires_at": in_milliseconds(-1_000), "ticket": "secret=x", "access": null,
        "operations": ["CREATE"],
    }));
    let planned = here.asking().plan(&nothing(), &config).await;
    let all = told(&planned.diagnostics);
    let mut at: Vec<&str> = all.iter().map(|(_, _, at)| at.as_str()).collect();
    at.sort_unstable();
    assert_eq!(at, ["expires_at", "operations", "resource_name", "ticket"], "{all:?}");
}

#[tokio::test]
async fn who_is_not_the_applicant_asks_for_nothing() {
    let here = Here::new().await;
    let planned = here.run(REQUEST, Some("pay")).plan(&nothing(), &reading()).await;
    assert_eq!(told(&planned.diagnostics), [(Severity::Error, "Not yours to decide", String::new())]);
    // An application that is not there may be made in the same run.
    let planned = here.run(REQUEST, None).plan(&nothing(), &asking(&json!({"application": "ghost"}))).await;
    assert_eq!(told(&planned.diagnostics), [(Severity::Warning, "Application missing", "application".to_owned())]);
    // The platform asks for whom it likes.
    let planned = here.run(REQUEST, None).plan(&nothing(), &reading()).await;
    assert_eq!(told(&planned.diagnostics), []);
}

#[tokio::test]
async fn where_people_must_differ_somebody_asks() {
    let approval = Approval { access: AccessApproval::Owner, distinct_actors: true, ..Approval::default() };
    let here = Here::under(Policy { approval, ..Policy::default() }).await;
    let planned = here.asking().plan(&nothing(), &reading()).await;
    assert_eq!(told(&planned.diagnostics), [(Severity::Error, "Actor unknown", String::new())]);
    let planned = here.person(REQUEST, "shop", "ann").plan(&nothing(), &reading()).await;
    assert_eq!(told(&planned.diagnostics), []);
}

#[test]
fn one_of_two_ways_says_what_is_asked_for() {
    use crate::{
        framework::{
            Provider,
            codec::json::{Unexpected, from_json},
        },
        provider::KafkaProvider,
    };
    let resource = KafkaProvider::registry().resources.remove(REQUEST).unwrap();
    let validate = |config: &Json| {
        let config = from_json(config, resource.ty(), Unexpected::Refuse).unwrap();
        resource.validate(config).0.into_iter().map(|it| it.summary).collect::<Vec<_>>()
    };
    assert_eq!(validate(&reading()), Vec::<String>::new());
    assert_eq!(validate(&asking(&json!({"operations": ["READ"]}))), ["Access or operations"]);
    assert_eq!(validate(&asking(&json!({"access": null}))), ["Access or operations"]);
    let wrong = BTreeMap::from([
        ("application", "Invalid application"),
        ("resource_type", "Invalid resource type"),
        ("pattern_type", "Invalid pattern type"),
        ("access", "Invalid access"),
        ("expires_at", "Invalid date and time"),
        ("on_destroy", "Invalid choice for the end"),
    ]);
    for (attribute, summary) in wrong {
        assert_eq!(validate(&asking(&json!({ attribute: "No" }))), [summary]);
    }
}
