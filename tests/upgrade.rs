//! Schemas and states of every release, from `tests/fixtures/VERSION/`. A schema that changes is seen in a diff, and
//! state of every release can be read for ever after. `UPDATE=1 cargo test --test upgrade` writes the present schema.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may fail")]

use std::{fs, path::PathBuf};

use serde_json::{Map, Value as Json, json};
use terraform_provider_kafka::{
    framework::{Kind, Nesting, Provider, Schema, Value},
    provider::KafkaProvider,
};

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn releases() -> Vec<PathBuf> {
    let mut releases: Vec<_> = fs::read_dir(fixtures()).unwrap().map(|it| it.unwrap().path()).collect();
    releases.sort();
    releases
}

fn read(path: &PathBuf) -> Json {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// What Terraform stores by: names, types and who sets them. Descriptions may change.
fn shape(schema: &Schema) -> Json {
    let mut res = Map::new();
    for (name, about) in &schema.attributes {
        let value = match &about.kind {
            Kind::Plain(ty) => ty.to_json(),
            Kind::Nested(nesting, schema) => json!({"nested": named(*nesting), "attributes": shape(schema)}),
        };
        let mut attribute = json!({"type": value, "mode": format!("{:?}", about.mode)});
        for (flag, is_set) in [
            ("requires_replace", about.requires_replace),
            ("sensitive", about.sensitive),
            ("write_only", about.write_only),
        ] {
            if is_set {
                attribute[flag] = true.into();
            }
        }
        res.insert((*name).to_owned(), attribute);
    }
    for (name, block) in &schema.blocks {
        res.insert((*name).to_owned(), json!({"block": named(block.nesting), "attributes": shape(&block.schema)}));
    }
    Json::Object(res)
}

fn named(nesting: Nesting) -> String {
    format!("{nesting:?}").to_lowercase()
}

#[test]
fn the_present_schemas_are_committed() {
    let mut present = Map::new();
    for (name, resource) in &KafkaProvider::registry().resources {
        let schema = json!({
            "version": resource.version(),
            "attributes": shape(resource.schema()),
            "identity_version": resource.identity_version(),
            "identity": shape(resource.identity_schema()),
        });
        present.insert(format!("kafka_{name}"), schema);
    }
    let path = fixtures().join(env!("CARGO_PKG_VERSION")).join("schemas.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&Json::Object(present)).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        return;
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "{} differs from the code. If the change is meant, and state of the last release still reads, run \
         `make generate` and commit it.",
        path.display()
    );
}

#[test]
fn a_shape_that_changed_has_a_new_version() {
    let registry = KafkaProvider::registry();
    for release in releases() {
        for (name, schema) in read(&release.join("schemas.json")).as_object().unwrap() {
            let resource = &registry.resources[name.trim_start_matches("kafka_")];
            let Json::Object(present) = shape(resource.schema()) else { unreachable!("a shape is an object") };
            for (attribute, stored) in schema["attributes"].as_object().unwrap() {
                let same = present.get(attribute).is_some_and(|it| it["type"] == stored["type"]);
                let newer = schema["version"].as_i64().unwrap() < resource.version();
                assert!(same || newer, "{name}.{attribute} changed its type since {}", release.display());
            }
        }
    }
}

#[test]
fn state_of_every_release_is_upgraded() {
    let registry = KafkaProvider::registry();
    for release in releases() {
        for state in fs::read_dir(release.join("state")).unwrap() {
            let path = state.unwrap().path();
            let fixture = read(&path);
            let resource = &registry.resources[fixture["type"].as_str().unwrap().trim_start_matches("kafka_")];
            let version = fixture["schema_version"].as_i64().unwrap();
            let upgraded = resource.upgrade(version, fixture["attributes"].clone()).unwrap();
            assert!(upgraded.is_wholly_known(), "{}", path.display());
            for (name, stored) in fixture["attributes"].as_object().unwrap() {
                if let (Json::String(stored), Value::String(kept)) = (stored, upgraded.attribute(name)) {
                    assert_eq!(stored, kept, "{}: {name}", path.display());
                }
            }
            resource.upgrade_identity(&fixture["identity"]).unwrap();
        }
    }
}
