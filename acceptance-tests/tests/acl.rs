//! `kafka_acl`.

use std::collections::BTreeSet;

use acceptance_tests::{Engine, Stack, Workspace, hcl};
use bytes::Bytes;
use serde_json::json;
use tokio::runtime::Runtime;
use wire_proxy::{Action, ApiKey, WireProxy};

use crate::{
    connections::sasl,
    example,
    importing::{examples, imports_are_as_good_as_creation},
    provider, servers, workspace, workspace_with,
};

const BILLING: &str = "kafka_acl.billing";

/// The rules for a principal, as Kafka's own tool lists them: `<resource> <name> <pattern> <operation> <permission>`.
#[track_caller]
pub(crate) fn rules(stack: &Stack, principal: &str) -> BTreeSet<String> {
    let words = stack.rules(principal);
    let mut res = BTreeSet::new();
    for resource in words.split("resourceType=").skip(1) {
        let part = |text: &str, from: &str| {
            let after = text.split_once(from).map(|(_, it)| it.to_owned()).unwrap_or_default();
            after.split([',', ')']).next().unwrap_or_default().trim().to_owned()
        };
        let kind = resource.split(',').next().unwrap_or_default();
        let (name, pattern) = (part(resource, "name="), part(resource, "patternType="));
        for rule in resource.split("(principal=").skip(1) {
            let (operation, permission) = (part(rule, "operation="), part(rule, "permissionType="));
            res.insert(format!("{kind} {name} {pattern} {operation} {permission}"));
        }
    }
    res
}

pub(crate) fn these<const N: usize>(rules: [&str; N]) -> BTreeSet<String> {
    rules.map(str::to_owned).into()
}

pub(crate) fn block(label: &str, rest: &str) -> String {
    format!("resource \"kafka_acl\" {} {{\n{rest}\n}}\n", hcl(label))
}

pub(crate) fn topic_rules(name: &str, principals: &[&str], operations: &[&str]) -> String {
    format!(
        "resource_type = \"topic\"\nresource_name = {}\nprincipals = {}\noperations = {}\n",
        hcl(name),
        json!(principals),
        json!(operations)
    )
}

#[test]
fn the_example_lives_from_create_to_destroy() {
    let stack = Stack::shared();
    let own = these(["TOPIC billing. PREFIXED READ ALLOW", "TOPIC billing. PREFIXED WRITE ALLOW"]);
    for engine in Engine::all() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &example("resources/kafka_acl/resource.tf"));
        workspace.applies();
        for it in ["User:billing", "User:billing-batch"] {
            assert_eq!(rules(stack, it), own, "{it}");
        }
        stack.disallow("billing", "Write", "billing.");
        assert_eq!(workspace.plans(), [(BILLING.to_owned(), "update".to_owned())]);
        workspace.applies();
        assert_eq!(rules(stack, "User:billing"), own);

        imports_are_as_good_as_creation(&workspace, BILLING, examples("kafka_acl", stack));
        assert_eq!(rules(stack, "User:billing-batch"), own, "imports change nothing");
        workspace.destroy().success();
        assert_eq!(rules(stack, "User:billing"), these([]), "destroy leaves nothing");
    }
}

#[test]
fn a_change_takes_and_gives_exactly_the_difference() {
    let stack = Stack::shared();
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        let becomes = |rest: &str| {
            workspace.write("main.tf", &block("it", rest));
            workspace.applies();
        };
        becomes(&topic_rules("acl.change", &["User:acl-a", "User:acl-b"], &["READ", "DESCRIBE_CONFIGS"]));
        stack.allow("acl-b", &["Alter"], "acl.change");
        becomes(&topic_rules("acl.change", &["User:acl-b", "User:acl-c"], &["READ", "WRITE"]));
        assert_eq!(rules(stack, "User:acl-a"), these([]));
        let both = these(["TOPIC acl.change LITERAL READ ALLOW", "TOPIC acl.change LITERAL WRITE ALLOW"]);
        assert_eq!(rules(stack, "User:acl-c"), both);
        let with_foreign = &both | &these(["TOPIC acl.change PREFIXED ALTER ALLOW"]);
        assert_eq!(rules(stack, "User:acl-b"), with_foreign, "others' rules stay");
        becomes(
            "resource_type = \"transactional_id\"\nresource_name = \"acl.tx\"\npattern_type = \"prefixed\"\nprincipals = \
             [\"User:acl-c\"]\noperations = [\"WRITE\"]\npermission = \"deny\"\nhost = \"10.0.0.1\"",
        );
        assert_eq!(rules(stack, "User:acl-c"), these(["TRANSACTIONAL_ID acl.tx PREFIXED WRITE DENY"]));
        stack.disallow("acl-b", "Alter", "acl.change");
        workspace.destroy().success();
    }
}

#[test]
fn what_is_gone_is_made_again_and_its_end_succeeds() {
    let stack = Stack::shared();
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        let rest = topic_rules("acl.gone", &["User:acl-gone"], &["READ"]) + "pattern_type = \"prefixed\"";
        workspace.write("main.tf", &block("it", &rest));
        workspace.applies();
        stack.disallow("acl-gone", "Read", "acl.gone");
        assert_eq!(workspace.plans(), [("kafka_acl.it".to_owned(), "create".to_owned())]);
        workspace.applies();
        stack.disallow("acl-gone", "Read", "acl.gone");
        workspace.run(&["destroy", "-auto-approve", "-no-color", "-input=false", "-refresh=false"]).success();
        assert_eq!(workspace.addresses(), Vec::<String>::new());
    }
}

#[test]
fn several_resources_become_one_without_a_gap() {
    let stack = Stack::shared();
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        let of = |number: usize| topic_rules("acl.merge", &[&format!("User:acl-merge-{number}")], &["READ"]);
        let many: String = (0..4).map(|it| block(&format!("it{it}"), &of(it))).collect();
        workspace.write("main.tf", &many);
        workspace.applies();
        let principals: Vec<String> = (0..4).map(|it| format!("User:acl-merge-{it}")).collect();
        let principals: Vec<&str> = principals.iter().map(String::as_str).collect();
        let one = block("it0", &topic_rules("acl.merge", &principals, &["READ"]));
        let forget = |it| format!("removed {{\n from = kafka_acl.it{it}\n lifecycle {{\n destroy = false\n }}\n}}\n");
        let forgotten: String = (1..4).map(forget).collect();
        workspace.write("main.tf", &(one.clone() + &forgotten));
        workspace.apply().success();
        workspace.write("main.tf", &one);
        workspace.plans_nothing();
        for it in &principals {
            assert_eq!(rules(stack, it), these(["TOPIC acl.merge LITERAL READ ALLOW"]), "{it}");
        }
        // The other way round, each gets its own again, while the wide one ends.
        workspace.write("main.tf", &many.replace("\"it", "\"own"));
        workspace.apply().success();
        workspace.plans_nothing();
        for it in &principals {
            assert_eq!(rules(stack, it), these(["TOPIC acl.merge LITERAL READ ALLOW"]), "{it}");
        }
        workspace.destroy().success();
    }
}

#[test]
fn what_people_get_wrong_is_told_all_at_once_with_its_line() {
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        let refused = |rest: &str, phrases: &[&str]| {
            workspace.write("main.tf", &block("it", rest));
            workspace.validate().failure(phrases).says(&["main.tf line"]);
        };
        refused(&topic_rules("a", &["billing"], &["READ"]), &["Invalid principal", "`User:billing`"]);
        refused(&topic_rules("a", &["user:billing"], &["READ"]), &["Invalid principal", "Write `User:billing`"]);
        refused(&topic_rules("a", &["User:a"], &["REED"]), &["Unknown operation", "Write `READ`"]);
        refused(&topic_rules("a", &[], &[]), &["Nothing declared", "`principals` is empty", "`operations` is empty"]);
        refused(
            "resource_type = \"cluster\"\nresource_name = \"dev\"\nprincipals = [\"User:a\"]\noperations = [\"READ\"]",
            &["Invalid resource name", "`resource_name = \"kafka-cluster\"`", "Operation of another kind", "`READ`"],
        );
        let both = topic_rules("a", &["User:a"], &["READ"]) + "acl_principal = \"User:a\"";
        refused(&both, &["Written twice", "Remove `acl_principal`"]);
        let every = "principals = [for it in setproduct(range(100), range(51)) : \"User:${it[0]}-${it[1]}\"]\noperations = [\"READ\", \"WRITE\"]";
        refused(
            &format!("resource_type = \"topic\"\nresource_name = \"a\"\n{every}"),
            &["Too many rules", "10200 rules", "at most 10000"],
        );
    }
}

#[test]
fn five_thousand_rules_are_one_resource() {
    let stack = Stack::shared();
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        let rest = "resource_type = \"topic\"\nresource_name = \"acl.many\"\nprincipals = [for it in setproduct(range(50), \
                    range(50)) : \"User:acl-many-${it[0]}-${it[1]}\"]\noperations = [\"READ\", \"WRITE\"]";
        workspace.write("main.tf", &block("it", rest));
        workspace.applies();
        workspace.plans_nothing();
        assert_eq!(rules(stack, "User:acl-many-49-49").len(), 2);
        workspace.destroy().success();
        assert_eq!(rules(stack, "User:acl-many-0-0"), these([]));
    }
}

#[test]
fn a_cluster_without_authorizer_is_told_in_the_plan_and_refuses_in_apply() {
    for engine in Engine::usual() {
        let stack = Stack::start_without_authorizer().expect("a broker starts");
        let workspace = Workspace::new(&engine);
        workspace.write("provider.tf", &provider(&servers(&stack.plaintext())));
        workspace.write("main.tf", &block("it", &topic_rules("acl.none", &["User:a"], &["READ"])));
        workspace.plan().says(&["Warning: No authorizer", "`authorizer.class.name`"]);
        workspace.apply().failure(&["Error: No authorizer", "`authorizer.class.name`"]);
        assert_eq!(workspace.addresses(), Vec::<String>::new());
    }
}

#[test]
fn who_may_not_alter_the_cluster_is_told_in_the_plan_and_refused_in_apply() {
    let stack = Stack::shared();
    for engine in Engine::usual() {
        let workspace = workspace_with(&engine, &sasl(stack, "SCRAM-SHA-512", Stack::PIPELINES[0]));
        workspace.write("main.tf", &block("it", &topic_rules("acl.denied", &["User:a"], &["READ"])));
        workspace.plan().says(&["Warning: ACLs not permitted"]);
        workspace.apply().failure(&["Not permitted by Kafka", "`User:billing-ci`", "ALTER the cluster"]);
        assert_eq!(workspace.addresses(), Vec::<String>::new());
    }
}

/// A proxy before the shared broker, with the runtime that it lives in.
fn proxy() -> (Runtime, WireProxy) {
    let stack = Stack::shared();
    let broker = stack.plaintext_socket();
    let runtime = Runtime::new().expect("a runtime starts");
    let proxy = {
        let _inside = runtime.enter();
        WireProxy::start(broker).expect("a proxy starts")
    };
    (runtime, proxy)
}

const MANY: usize = 200;

fn many(resource: &str) -> String {
    let rest = topic_rules("NAME", &["User:acl-batch"], &["READ", "WRITE"]);
    format!("resource \"kafka_acl\" \"it\" {{\n count = {MANY}\n{}\n}}\n", rest.replace("NAME", resource))
}

#[test]
fn many_are_read_at_once_and_made_with_fewer_requests() {
    let (_runtime, proxy) = proxy();
    for engine in Engine::usual() {
        let workspace = workspace_with(&engine, &servers(&proxy.address().to_string()));
        workspace.write("main.tf", &many("acl.batch.${count.index}"));
        proxy.reset_counts();
        workspace.apply().success();
        let made = proxy.count(ApiKey::CreateAcls);
        assert!(0 < made && made <= u64::try_from(MANY).unwrap() / 2, "{:?}", proxy.requests());
        // What the caller may, once in the plan and once in the apply: a look walks over all rules that there are.
        assert!(proxy.count(ApiKey::DescribeAcls) <= 2, "{:?}", proxy.requests());
        proxy.reset_counts();
        workspace.plans_nothing();
        assert_eq!(proxy.count(ApiKey::DescribeAcls), 1, "{:?}", proxy.requests());
        proxy.reset_counts();
        workspace.destroy().success();
        let removed = proxy.count(ApiKey::DeleteAcls);
        assert!(0 < removed && removed <= u64::try_from(MANY).unwrap() / 2, "{:?}", proxy.requests());
        assert_eq!(rules(Stack::shared(), "User:acl-batch"), these([]));
    }
}

/// Some brokers of other makes show the rules of a resource, and do not list all of them.
#[test]
fn rules_are_managed_where_brokers_do_not_list_all_of_them() {
    let (_runtime, proxy) = proxy();
    proxy.on_request(|request, _| {
        // `ANY` of resource types is 1. No time to wait, `INVALID_REQUEST`, no message, no resources.
        let is_broad = request.api_key == ApiKey::DescribeAcls && request.body.first() == Some(&1);
        let refusal = [0, 0, 0, 0, 0, 42, 0, 1, 0];
        if is_broad { Action::Answer(Bytes::copy_from_slice(&refusal)) } else { Action::Forward }
    });
    for engine in Engine::usual() {
        let workspace = workspace_with(&engine, &servers(&proxy.address().to_string()));
        let rest = topic_rules("acl.narrow", &["User:acl-narrow"], &["READ"]) + "pattern_type = \"prefixed\"";
        workspace.write("main.tf", &block("it", &rest));
        workspace.applies();
        workspace.plans_nothing();
        Stack::shared().disallow("acl-narrow", "Read", "acl.narrow");
        assert_eq!(workspace.plans(), [("kafka_acl.it".to_owned(), "create".to_owned())]);
        workspace.destroy().success();
        assert_eq!(proxy.problems(), Vec::<String>::new());
    }
}

#[test]
fn presets_become_rules_that_a_plan_shows_and_a_data_source_lists() {
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        let preset = example("functions/acl_preset/function.tf").replace("billing.invoices.v1", "acl.preset.v1");
        workspace.write("main.tf", &preset.replace("User:shipping", "User:acl-preset"));
        workspace.plan().says(&["\"acl.preset.v1\"", "\"shipping.\"", "\"prefixed\""]);
        workspace.applies();
        let expected = these(["TOPIC acl.preset.v1 LITERAL READ ALLOW", "GROUP shipping. PREFIXED READ ALLOW"]);
        assert_eq!(rules(Stack::shared(), "User:acl-preset"), expected);
        let listed = example("data-sources/kafka_acls/data-source.tf").replace("billing.invoices.v1", "acl.preset.v1");
        workspace.write("data.tf", &listed);
        workspace.applies();
        let who = &workspace.state()["values"]["outputs"]["who"]["value"];
        assert!(who.as_array().is_some_and(|it| it.contains(&json!("User:acl-preset"))), "{who}");
        workspace.destroy().success();
    }
}

/// State of one rule each, as two other providers left it.
#[test]
fn state_of_other_providers_is_taken_over() {
    let stack = Stack::shared();
    for engine in Engine::all() {
        let workspace = workspace(&engine);
        let names = "resource_type = \"Topic\"\nresource_name = \"acl.moved\"\nacl_principal = \"User:acl-moved\"\nacl_host =                      \"*\"\nacl_operation = \"Read\"\nacl_permission_type = \"Allow\"";
        workspace.write("main.tf", &block("it", names));
        workspace.applies();
        let mut state = workspace.state_file();
        let instance = &mut state["resources"][0]["instances"][0];
        instance["schema_version"] = json!(0);
        instance["attributes"] = json!({
            "id": "User:acl-moved|*|Read|Allow|Topic|acl.moved|Literal", "resource_type": "Topic",
            "resource_name": "acl.moved", "resource_pattern_type_filter": "Literal", "acl_principal": "User:acl-moved",
            "acl_host": "*", "acl_operation": "Read", "acl_permission_type": "Allow",
        });
        for it in ["identity", "identity_schema_version", "private"] {
            instance.as_object_mut().expect("an instance").remove(it);
        }
        workspace.write("terraform.tfstate", &state.to_string());
        workspace.run(&["plan", "-refresh=false"]).failure(&["State was never refreshed", "without `-refresh=false`"]);
        workspace.plans_nothing();
        assert_eq!(rules(stack, "User:acl-moved"), these(["TOPIC acl.moved LITERAL READ ALLOW"]));

        let resource = &mut state["resources"][0];
        resource["type"] = json!("confluent_kafka_acl");
        resource["instances"][0]["attributes"] = json!({
            "id": "lkc-1/TOPIC#acl.moved#LITERAL#User:acl-moved#*#READ#ALLOW", "resource_type": "TOPIC",
            "resource_name": "acl.moved", "pattern_type": "LITERAL", "principal": "User:acl-moved", "host": "*",
            "operation": "READ", "permission": "ALLOW",
        });
        workspace.write("terraform.tfstate", &state.to_string());
        let moved = "moved {\n from = confluent_kafka_acl.it\n to = kafka_acl.it\n}\n";
        let rest = topic_rules("acl.moved", &["User:acl-moved"], &["READ"]);
        workspace.write("main.tf", &format!("{moved}{}", block("it", &rest)));
        workspace.applies();
        workspace.plans_nothing();
        workspace.destroy().success();
        assert_eq!(rules(stack, "User:acl-moved"), these([]));
    }
}
