//! `kafka_schema`, on a real registry.

use acceptance_tests::{Engine, Registry, Stack, Workspace, avro_round_trip, hcl};
use serde_json::{Value, json};

use crate::{
    example,
    importing::{examples, imports_are_as_good_as_creation},
    servers, workspace_with,
};

const ORDERS: &str = "billing.orders.v1-value";

/// A workspace whose environment `dev` has the shared broker and the shared registry.
pub(crate) fn workspace(engine: &Engine) -> Workspace {
    let registry = hcl(&Registry::shared().url());
    workspace_with(
        engine,
        &(servers(&Stack::shared().plaintext()) + &format!("schema_registry = {{ url = {registry} }}")),
    )
}

/// A schema `a` of that subject.
pub(crate) fn block(subject: &str, schema: &str, rest: &str) -> String {
    let (subject, schema) = (hcl(subject), hcl(schema));
    format!("resource \"kafka_schema\" \"a\" {{\n subject = {subject}\n schema = {schema}\n{rest}\n}}\n")
}

/// A record with these fields, each as its name and the rest.
pub(crate) fn record(fields: &[&str]) -> String {
    let fields: Vec<String> = fields.iter().map(|it| format!("{{\"name\":{it}}}")).collect();
    format!("{{\"type\":\"record\",\"name\":\"R\",\"fields\":[{}]}}", fields.join(","))
}

/// What the registry says of a subject, asked without the provider's code: its versions, and the newest of them.
pub(crate) fn versions(subject: &str) -> Vec<i64> {
    let (status, body) = Registry::shared().get(&format!("subjects/{subject}/versions"));
    if status == 404 { Vec::new() } else { serde_json::from_str(&body).expect("a list of numbers") }
}

pub(crate) fn newest(subject: &str) -> Value {
    let (_, body) = Registry::shared().get(&format!("subjects/{subject}/versions/latest"));
    serde_json::from_str(&body).expect("a version")
}

#[test]
fn the_example_lives_from_create_to_destroy() {
    for engine in Engine::all() {
        let workspace = workspace(&engine);
        let text = example("resources/kafka_schema/resource.tf");
        workspace.write("main.tf", &text);
        workspace.applies();
        let registered = newest(ORDERS);
        let attributes = workspace.attributes("kafka_schema.orders");
        assert_eq!((&registered["version"], &registered["id"]), (&attributes["version"], &attributes["schema_id"]));
        assert_eq!(registered["references"][0]["subject"], "billing.Address");
        let level = Registry::shared().get(&format!("config/{ORDERS}")).1;
        assert_eq!(level, "{\"compatibilityLevel\":\"FULL_TRANSITIVE\"}");

        // Another version of the address is one of the orders, too.
        let field = "{ name = \"zip\", type = \"string\", default = \"\" }";
        let city = "{ name = \"city\", type = \"string\" }";
        workspace.write("main.tf", &text.replace(city, &format!("{city}, {field}")));
        let both = ["kafka_schema.address", "kafka_schema.orders"].map(|it| (it.to_owned(), "update".to_owned()));
        assert_eq!(workspace.plans(), both);
        workspace.applies();
        assert_eq!((versions("billing.Address").len(), versions(ORDERS).len()), (2, 2));

        data_sources_find_it(&workspace);
        imports_are_as_good_as_creation(&workspace, "kafka_schema.orders", examples("kafka_schema", Stack::shared()));
        assert_eq!(versions(ORDERS).len(), 2, "imports register nothing");

        let ending = workspace.path().join("main.tf");
        let hard = std::fs::read_to_string(&ending).expect("it was written");
        let hard = hard.replace("  subject ", "  on_destroy = \"hard\"\n  subject ");
        workspace.write("main.tf", &hard);
        workspace.applies();
        workspace.destroy().success();
        assert_eq!(versions(ORDERS), Vec::<i64>::new());
        let (_, all) = Registry::shared().get("subjects?deleted=true");
        assert!(!all.contains("billing."), "nothing is left of it: {all}");
    }
}

#[track_caller]
fn data_sources_find_it(workspace: &Workspace) {
    for (name, file) in [("a", "kafka_schema"), ("b", "kafka_subjects")] {
        workspace.write(&format!("{name}.tf"), &example(&format!("data-sources/{file}/data-source.tf")));
    }
    workspace.write("c.tf", &example("functions/avro_canonical_form/function.tf"));
    let id = newest(ORDERS)["id"].clone();
    workspace.write("d.tf", &format!("data \"kafka_schema\" \"by_id\" {{\n schema_id = {id}\n}}\n"));
    workspace.apply().success();
    let outputs = &workspace.state()["values"]["outputs"];
    assert_eq!(outputs["newest"]["value"], format!("version 2 is {id}"));
    assert_eq!(outputs["subjects"]["value"], json!(["billing.Address", ORDERS]));
    assert_eq!(outputs["fingerprint"]["value"].as_str().map(str::len), Some(16));
    let (by_id, by_name) =
        (workspace.attributes("data.kafka_schema.by_id"), workspace.attributes("data.kafka_schema.orders"));
    assert_eq!(by_id["schema"], by_name["schema"]);
    for name in ["a", "b", "c", "d"] {
        workspace.remove(&format!("{name}.tf"));
    }
    workspace.apply().success();
}

#[test]
fn edits_append_versions_and_what_means_the_same_does_not() {
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        let (id, count) = ("\"id\",\"type\":\"string\"", "\"count\",\"type\":\"int\",\"default\":0");
        workspace.write("main.tf", &block("edits.a-value", &record(&[id]), ""));
        workspace.applies();
        workspace.write("main.tf", &block("edits.a-value", &record(&[id]).replace(':', " : "), ""));
        workspace.plans_nothing();
        workspace.write("main.tf", &block("edits.a-value", &record(&[id, count]), ""));
        workspace.applies();
        assert_eq!(versions("edits.a-value"), [1, 2]);

        // Nobody can read with it what was written before.
        let other = record(&[id, count, "\"b\",\"type\":\"string\""]);
        workspace.write("main.tf", &block("edits.a-value", &other, ""));
        workspace.plan().failure(&["Schema incompatible", "on main.tf line 3"]);
        workspace.write("main.tf", &block("edits.a-value", &other, "compatibility = \"NONE\""));
        workspace.applies();
        let tight = block("edits.a-value", &record(&["\"c\",\"type\":\"string\""]), "compatibility = \"FULL\"");
        workspace.write("main.tf", &tight.replace("FULL", "NONE"));
        workspace.applies();
        workspace.write("main.tf", &tight);
        workspace.applies();
        assert_eq!(versions("edits.a-value"), [1, 2, 3, 4]);
        workspace.destroy().success();
        assert_eq!(versions("edits.a-value"), Vec::<i64>::new());
        // It was deleted so that it can be brought back, with its numbers.
        Registry::shared().send("DELETE", "subjects/edits.a-value?permanent=true", "");
    }
}

/// The registry does not follow references where it judges compatibility, and takes the schema all the same.
#[test]
fn a_schema_with_references_is_edited() {
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        let hard = "on_destroy = \"hard\"";
        let common = "syntax = \"proto3\";\npackage c;\nmessage C {\n  string a = 1;\n}\n";
        let common = block("refers.common", common, &format!("format = \"PROTOBUF\"\n{hard}"));
        workspace.write("common.tf", &common.replace("\"a\" {", "\"common\" {"));
        let reference = "format = \"PROTOBUF\"\nreferences = [{ name = \"c.proto\", subject = \
                         kafka_schema.common.subject, version = kafka_schema.common.version }]\n";
        let using = "syntax = \"proto3\";\nimport \"c.proto\";\nmessage P {\n  c.C c = 1;\n}\n";
        workspace.write("main.tf", &block("refers.a", using, &format!("{reference}{hard}")));
        workspace.applies();
        let more = using.replace("c = 1;", "c = 1;\n  int32 b = 2;");
        workspace.write("main.tf", &block("refers.a", &more, &format!("{reference}{hard}")));
        workspace.plan().says(&["Not checked by the registry", "does not follow `references`"]);
        workspace.applies();
        assert_eq!(versions("refers.a"), [1, 2]);
        workspace.destroy().success();
    }
}

#[test]
fn json_schema_and_protobuf_are_registered_in_any_subject() {
    let subject = "any/subject ä";
    let encoded = "any%2Fsubject%20%C3%A4";
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        let json = "{ \"type\": \"object\", \"properties\": { \"id\": { \"type\": \"string\" } } }";
        workspace.write("main.tf", &block(subject, json, "format = \"JSON\"\non_destroy = \"hard\""));
        workspace.applies();
        assert_eq!(newest(encoded)["schemaType"], "JSON");
        workspace.write("main.tf", &block(subject, "{\"properties\":3}", "format = \"JSON\""));
        workspace.validate().failure(&["Malformed schema", "line 1, column 15: `properties` is an object"]);
        workspace.write("main.tf", &block(subject, json, "format = \"JSON\"\non_destroy = \"hard\""));
        workspace.destroy().success();

        let proto = "syntax = \"proto3\";\npackage a;\n\nmessage Order {\n  string id = 1;\n}\n";
        workspace.write("main.tf", &block(subject, proto, "format = \"PROTOBUF\"\non_destroy = \"hard\""));
        workspace.applies();
        let dense = proto.replace("\n\n", "\n").replace("  ", " ");
        workspace.write("main.tf", &block(subject, &dense, "format = \"PROTOBUF\"\non_destroy = \"hard\""));
        workspace.plans_nothing();
        let more = proto.replace("id = 1;", "id = 1;\n  int64 count = 2;");
        workspace.write("main.tf", &block(subject, &more, "format = \"PROTOBUF\"\non_destroy = \"hard\""));
        workspace.applies();
        assert_eq!(versions(encoded), [1, 2]);
        workspace.destroy().success();
    }
}

#[test]
fn what_somebody_deleted_is_registered_again() {
    let registry = Registry::shared();
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write("main.tf", &block("deleted.a", "\"string\"", "on_destroy = \"hard\""));
        workspace.applies();
        for path in ["subjects/deleted.a", "subjects/deleted.a?permanent=true"] {
            registry.send("DELETE", path, "");
            assert_eq!(workspace.plans(), [("kafka_schema.a".to_owned(), "create".to_owned())], "{path}");
        }
        workspace.applies();
        assert_eq!(versions("deleted.a").len(), 1);
        let newer = json!({ "schema": "[\"string\",\"null\"]" }).to_string();
        registry.send("POST", "subjects/deleted.a/versions", &newer);
        workspace.plan().success().says(&["Newer version registered", "version 2 is newer"]);
        workspace.destroy().success();
    }
}

#[test]
fn a_subject_that_exists_is_adopted_where_that_is_said() {
    let registry = Registry::shared();
    let theirs = json!({ "schema": "\"string\"" }).to_string();
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        registry.send("POST", "subjects/existing.a/versions", &theirs);
        let union = "[\"string\",\"null\"]";
        workspace.write("main.tf", &block("existing.a", union, "on_destroy = \"hard\""));
        workspace.apply().failure(&["Subject already exists", "on_existing = \"adopt\""]);
        workspace.write("main.tf", &block("existing.a", union, "on_destroy = \"hard\"\non_existing = \"adopt\""));
        workspace.applies();
        assert_eq!(versions("existing.a"), [1, 2]);
        workspace.destroy().success();
    }
}

/// The registry keeps `NONE` when it is told to delete it, and what a subject had that is deleted.
#[test]
fn a_compatibility_that_is_declared_no_more_is_inherited() {
    let registry = Registry::shared();
    let level = || registry.get("config/resets.a").1;
    let (own, inherited) = ("{\"compatibilityLevel\":\"NONE\"}", "{\"compatibilityLevel\":\"BACKWARD\"}");
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        let [loose, plain] = ["compatibility = \"NONE\"", ""].map(|it| block("resets.a", "\"string\"", it));
        workspace.write("main.tf", &loose);
        workspace.applies();
        assert_eq!(level(), own);
        workspace.write("main.tf", &plain);
        workspace.applies();
        assert_eq!(level(), inherited);
        workspace.write("main.tf", &loose);
        workspace.applies();
        assert_eq!(level(), own);
        workspace.destroy().success();
        workspace.write("main.tf", &plain);
        workspace.applies();
        assert_eq!(level(), inherited, "a new subject begins as all do");
        workspace.write("main.tf", &plain.replace("string", "int"));
        workspace.plan().failure(&["Schema incompatible"]);
        workspace.write("main.tf", &plain);
        workspace.destroy().success();
        registry.send("DELETE", "subjects/resets.a?permanent=true", "");
    }
}

/// The registry compares by a canonical form, and answers with the version that it has.
#[test]
fn a_text_that_the_registry_does_not_register_is_told() {
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        let plain = record(&["\"id\",\"type\":\"string\""]);
        let documented = plain.replace("\"fields\"", "\"doc\":\"An order.\",\"fields\"");
        let hard = |schema: &str| block("keeps.a", schema, "on_destroy = \"hard\"");
        workspace.write("main.tf", &hard(&plain));
        workspace.applies();
        let before = (newest("keeps.a"), workspace.attributes("kafka_schema.a")["schema_id"].clone());
        workspace.write("main.tf", &hard(&documented));
        let keeps = ["Registry keeps another text", "version 1 of `keeps.a`", "It registers nothing"];
        workspace.plan().says(&keeps);
        workspace.apply().success().says(&keeps);
        assert_eq!((newest("keeps.a"), workspace.attributes("kafka_schema.a")["schema_id"].clone()), before);
        workspace.plans_nothing();
        workspace.destroy().success();

        let theirs = json!({ "schema": plain }).to_string();
        Registry::shared().send("POST", "subjects/keeps.a/versions", &theirs);
        workspace.apply().success().says(&["Subject taken over", "though its text is another", keeps[0]]);
        assert_eq!(versions("keeps.a"), [1]);
        workspace.destroy().success();
    }
}

/// The witness is Confluent's own client: it finds the schema by the topic, and another reader finds it by the id.
#[test]
fn messages_are_written_and_read_with_what_is_registered() {
    let (stack, registry) = (Stack::shared(), Registry::shared());
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        let schema = record(&["\"id\",\"type\":\"string\"", "\"count\",\"type\":\"int\",\"default\":0"]);
        workspace.write("main.tf", &block("witness.a-value", &schema, "on_destroy = \"hard\""));
        workspace.applies();
        stack.create_topic("witness.a", 1);
        let value = json!({ "id": "x", "count": 3 });
        let read = avro_round_trip(stack, registry, "witness.a", &value).unwrap_or_else(|it| panic!("{it}"));
        let id = workspace.attributes("kafka_schema.a")["schema_id"].clone();
        assert_eq!(read, json!({ "id": id, "value": value }));
        stack.delete_topic("witness.a");
        workspace.destroy().success();
    }
}
