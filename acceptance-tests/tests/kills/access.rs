//! Requests for access and decisions about them, killed at every turn.

use std::collections::BTreeMap;

use acceptance_tests::{Engine, Stack, Workspace, hcl};
use serde_json::Value;
use wire_proxy::{Action, ApiKey};

use super::{Kill, Site, kill, kill_apply_at};
use crate::access::{DECISION, REQUEST, decision, granted_for, platform};

/// The middles of a request that nobody must agree to: it is filed, its rules are announced, made, seen and told.
const OF_REQUEST: [Kill; 8] = [
    kill(ApiKey::InitProducerId, 0, Action::KillAfter),
    kill(ApiKey::EndTxn, 0, Action::KillBefore),
    kill(ApiKey::EndTxn, 0, Action::KillAfter),
    kill(ApiKey::EndTxn, 1, Action::KillAfter),
    kill(ApiKey::CreateAcls, 0, Action::KillBefore),
    kill(ApiKey::CreateAcls, 0, Action::KillAfter),
    kill(ApiKey::EndTxn, 2, Action::KillAfter),
    kill(ApiKey::EndTxn, 3, Action::KillBefore),
];

/// The middles of an amendment, by which a rule comes and another goes.
const OF_AMENDMENT: [Kill; 8] = [
    kill(ApiKey::EndTxn, 0, Action::KillBefore),
    kill(ApiKey::EndTxn, 0, Action::KillAfter),
    kill(ApiKey::EndTxn, 1, Action::KillAfter),
    kill(ApiKey::CreateAcls, 0, Action::KillBefore),
    kill(ApiKey::CreateAcls, 0, Action::KillAfter),
    kill(ApiKey::DeleteAcls, 0, Action::KillBefore),
    kill(ApiKey::DeleteAcls, 0, Action::KillAfter),
    kill(ApiKey::EndTxn, 2, Action::KillAfter),
];

/// The middles of an end: it is announced, the rules go, are seen to be gone, and that is told.
const OF_END: [Kill; 8] = [
    kill(ApiKey::EndTxn, 0, Action::KillBefore),
    kill(ApiKey::EndTxn, 0, Action::KillAfter),
    kill(ApiKey::DeleteAcls, 0, Action::KillBefore),
    kill(ApiKey::DeleteAcls, 0, Action::KillAfter),
    kill(ApiKey::EndTxn, 1, Action::KillBefore),
    kill(ApiKey::EndTxn, 1, Action::KillAfter),
    kill(ApiKey::EndTxn, 2, Action::KillBefore),
    kill(ApiKey::EndTxn, 2, Action::KillAfter),
];

fn topic(number: usize) -> String {
    format!("billing.killed{number}")
}

/// `shipping` asks for a topic.
fn asking(number: usize, access: &str) -> String {
    format!(
        "resource \"kafka_access_request\" \"it\" {{\n application = \"shipping\"\n resource_type = \"topic\"\n \
         resource_name = {}\n access = {}\n justification = \"It needs it.\"\n}}\n",
        hcl(&topic(number)),
        hcl(access)
    )
}

impl Site {
    /// A pipeline of an application whose provider may be killed at its requests.
    fn acting(&self, engine: &Engine, application: &str) -> Workspace {
        let mut workspace = self.workspace(engine);
        workspace.set_variable("KAFKA_ACTING_APPLICATION", application);
        workspace
    }

    fn granted(&self, number: usize) -> Vec<String> {
        granted_for(&self.stack, "User:team", &topic(number))
    }
}

/// The status of each request by the name of the topic, as the journal's state has it: one for each.
#[track_caller]
fn statuses(stack: &Stack) -> BTreeMap<String, String> {
    let lines = stack.read("_selfserve.state");
    let newest: BTreeMap<String, String> = lines.into_iter().map(|it| (it.key, it.value)).collect();
    let mut res = BTreeMap::new();
    for (_, value) in newest.into_iter().filter(|(key, _)| key.starts_with("request/")) {
        let value: Value = serde_json::from_str(&value).expect("JSON");
        let of = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        // Applications have requests as well.
        let Some(name) = of("/value/content/subject/access/name") else { continue };
        let status = of("/value/status").expect("a request has a status");
        assert_eq!(res.insert(name.clone(), status), None, "{name} was asked for twice");
    }
    res
}

#[test]
fn a_request_whose_life_is_killed_at_every_turn_is_finished_by_the_next_apply() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let platform = platform(&engine, &stack, "approval = { access = \"none\" }");
        let site = Site::of(stack);
        let kills = OF_REQUEST.into_iter().zip(OF_AMENDMENT).zip(OF_END);
        for (number, ((of_request, of_amendment), of_end)) in kills.enumerate() {
            let shipping = site.acting(&engine, "shipping");
            shipping.write("main.tf", &asking(number, "read"));
            kill_apply_at(&shipping, &site.proxy, of_request);
            assert_eq!(shipping.addresses(), Vec::<String>::new(), "{of_request:?}: the run knows of nothing");
            shipping.applies();
            shipping.plans_nothing();
            assert_eq!(shipping.attributes(REQUEST)["status"], "active", "{of_request:?}");
            assert_eq!(site.granted(number), ["READ"], "{of_request:?}: as without the kill");

            shipping.write("main.tf", &asking(number, "write"));
            kill_apply_at(&shipping, &site.proxy, of_amendment);
            shipping.applies();
            shipping.plans_nothing();
            assert_eq!(shipping.attributes(REQUEST)["status"], "active", "{of_amendment:?}");
            assert_eq!(site.granted(number), ["WRITE"], "{of_amendment:?}: as without the kill");

            shipping.write("main.tf", "");
            kill_apply_at(&shipping, &site.proxy, of_end);
            shipping.applies();
            assert_eq!(site.granted(number), Vec::<String>::new(), "{of_end:?}");
        }
        let expected = (0..OF_REQUEST.len()).map(|it| (topic(it), "revoked".to_owned()));
        assert_eq!(statuses(&site.stack), expected.collect());
        platform.destroy().success();
    }
}

#[test]
fn a_decision_whose_life_is_killed_at_every_turn_is_finished_by_the_next_apply() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        let platform = platform(&engine, &stack, "");
        let site = Site::of(stack);
        for (number, (of_decision, of_end)) in OF_REQUEST.into_iter().zip(OF_END).enumerate() {
            let (shipping, billing) = (site.acting(&engine, "shipping"), site.acting(&engine, "billing"));
            shipping.write("main.tf", &asking(number, "read"));
            shipping.applies();
            billing.write("main.tf", &decision(&shipping.attributes(REQUEST), "approve", "reason = \"It does.\""));
            kill_apply_at(&billing, &site.proxy, of_decision);
            assert_eq!(billing.addresses(), Vec::<String>::new(), "{of_decision:?}: the run knows of nothing");
            billing.applies();
            billing.plans_nothing();
            assert_eq!(billing.attributes(DECISION)["status"], "active", "{of_decision:?}");
            assert_eq!(site.granted(number), ["READ"], "{of_decision:?}: as without the kill");

            billing.write("main.tf", "");
            kill_apply_at(&billing, &site.proxy, of_end);
            billing.applies();
            assert_eq!(site.granted(number), Vec::<String>::new(), "{of_end:?}");
            shipping.plans_nothing();
            shipping.destroy().success();
        }
        let expected = (0..OF_REQUEST.len()).map(|it| (topic(it), "revoked".to_owned()));
        assert_eq!(statuses(&site.stack), expected.collect());
        platform.destroy().success();
    }
}
