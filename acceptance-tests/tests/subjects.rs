//! Subjects of a real registry under the rules of a platform: who may have which, and how.

use acceptance_tests::{Engine, Registry, Stack, Workspace, hcl};

use crate::{
    access::{DECISION, REQUEST, decision},
    schema::{block, newest, record, versions},
    servers, workspace_with,
};

const OWN: &str = "stock.items.v1-value";
const FOREIGN: &str = "depot.shelves.v1-value";

const ENVIRONMENT: &str = r#"
resource "kafka_environment" "dev" {
  name         = "dev"
  capabilities = ["schemas"]

  schemas = {
    weakest_compatibility = "BACKWARD"
    subject_naming        = "topic_name"
    required              = true
  }
}
"#;

/// Somebody with a state of their own, beside the shared registry. A team's pipeline acts as its application.
fn somebody(engine: &Engine, stack: &Stack, acting: Option<&str>) -> Workspace {
    let registry = hcl(&Registry::shared().url());
    let place = servers(&stack.plaintext()) + &format!("schema_registry = {{ url = {registry} }}");
    let mut workspace = workspace_with(engine, &place);
    if let Some(application) = acting {
        workspace.set_variable("KAFKA_ACTING_APPLICATION", application);
    }
    workspace
}

fn application(name: &str) -> String {
    let name = hcl(name);
    format!(
        "resource \"kafka_application\" {name} {{\n name = {name}\n environment = kafka_environment.dev.id\n owner = {{ team \
         = {name} }}\n}}\n"
    )
}

fn register(subject: &str, rest: &str) -> String {
    block(subject, &record(&["\"id\",\"type\":\"string\""]), &format!("on_destroy = \"hard\"\n{rest}"))
}

/// A schema of depot that names the one of stock.
fn referring() -> String {
    let reference = format!("references = [{{ name = \"R\", subject = {}, version = 1 }}]", hcl(OWN));
    let rest = format!("on_destroy = \"hard\"\n{reference}");
    block(FOREIGN, "{\"type\":\"record\",\"name\":\"Shelf\",\"fields\":[{\"name\":\"item\",\"type\":\"R\"}]}", &rest)
}

#[test]
fn two_teams_share_a_registry_under_the_rules_of_a_platform() {
    for engine in Engine::usual() {
        let broker = Stack::start().expect("a broker starts");
        let platform = somebody(&engine, &broker, None);
        platform.write("main.tf", ENVIRONMENT);
        platform.applies();
        claims_find_subjects_of_nobody(&platform);

        let (stock, depot) = (somebody(&engine, &broker, Some("stock")), somebody(&engine, &broker, Some("depot")));
        stock.write("main.tf", &register(OWN, ""));
        stock.applies();
        assert_eq!(versions(OWN), [1]);
        rules_are_told_in_the_plan(&stock);
        what_is_anothers_is_refused(&depot);
        topics_without_schema_are_told(&stock);

        what_was_asked_for_is_referred_to(&stock, &depot);
        depot.destroy().success();
        stock.destroy().success();
        platform.destroy().success();
        assert_eq!((versions(OWN), versions(FOREIGN)), (vec![], vec![]));
    }
}

#[track_caller]
fn claims_find_subjects_of_nobody(platform: &Workspace) {
    let registry = Registry::shared();
    registry.send("POST", "subjects/stock.old-value/versions", "{\"schema\":\"\\\"int\\\"\"}");
    let applications = [application("stock"), application("depot")].concat();
    platform.write("applications.tf", &applications);
    platform
        .plan()
        .failure(&["subjects under `stock.` that nobody owns: `stock.old-value`", "on_existing = \"adopt\""]);
    for path in ["subjects/stock.old-value", "subjects/stock.old-value?permanent=true"] {
        registry.send("DELETE", path, "");
    }
    platform.applies();
}

#[track_caller]
fn rules_are_told_in_the_plan(stock: &Workspace) {
    stock.write("other.tf", &register("stock.items.v1", "").replace("\"a\"", "\"other\""));
    stock.plan().failure(&["Subject name refused", "Write the name of a topic with one of them"]);
    stock.remove("other.tf");
    stock.write("main.tf", &register(OWN, "compatibility = \"NONE\""));
    stock.plan().failure(&["Compatibility too weak", "Write `compatibility = \"BACKWARD\"`."]);
    stock.write("main.tf", &register(OWN, "compatibility = \"FULL\""));
    stock.applies();
    assert_eq!(Registry::shared().get(&format!("config/{OWN}")).1, "{\"compatibilityLevel\":\"FULL\"}");
    stock.write("main.tf", &register(OWN, ""));
    stock.applies();
}

#[track_caller]
fn what_is_anothers_is_refused(depot: &Workspace) {
    depot.write("main.tf", &register(OWN, ""));
    depot.plan().failure(&["Subject of another application", "belongs to the application `stock`"]);
    depot.apply().failure(&["Subject of another application"]);
    depot.write("main.tf", &register("nobody.items-value", ""));
    depot.plan().failure(&["Subject outside the prefixes", "`depot.`"]);
    assert_eq!((versions(OWN), versions("nobody.items-value")), (vec![1], vec![]), "nothing is registered");
}

#[track_caller]
fn topics_without_schema_are_told(stock: &Workspace) {
    let topic = |name: &str| format!("resource \"kafka_topic\" \"a\" {{\n name = {}\n partitions = 1\n}}\n", hcl(name));
    stock.write("topic.tf", &topic("stock.boxes.v1"));
    stock.plan().says(&["Topic without schema", "no subject `stock.boxes.v1-value`"]);
    stock.write("topic.tf", &topic("stock.items.v1"));
    let words = stock.plan().words();
    assert!(!words.contains("Topic without schema"), "{words}");
    stock.remove("topic.tf");
}

/// The one asks, the other agrees, and the plan that was red is green.
#[track_caller]
fn what_was_asked_for_is_referred_to(stock: &Workspace, depot: &Workspace) {
    depot.write("main.tf", &referring());
    depot.plan().failure(&["Reference to another application's subject", "`access = \"read\"`"]);
    let request = format!(
        "resource \"kafka_access_request\" \"it\" {{\n application = \"depot\"\n resource_type = \"subject\"\n resource_name \
         = {}\n access = \"read\"\n}}\n",
        hcl(OWN)
    );
    depot.write("main.tf", &request);
    depot.applies();
    stock.write("decision.tf", &decision(&depot.attributes(REQUEST), "approve", ""));
    stock.applies();
    assert_eq!(stock.attributes(DECISION)["decision"], "approve");
    depot.write("schema.tf", &referring());
    depot.applies();
    assert_eq!(newest(FOREIGN)["references"][0]["subject"], OWN);
    assert_eq!(depot.attributes(REQUEST)["status"], "active");
    // What is referred to is not deleted.
    stock.write("main.tf", "");
    stock.apply().failure(&["Schema is referred to"]);
    stock.write("main.tf", &register(OWN, ""));
    depot.remove("schema.tf");
    depot.applies();
}
