//! What is wrong with a configuration by itself.

use bytes::Bytes;
use terraform_provider_kafka::{
    framework::{Value, schema},
    proto::tfplugin6::{
        ClientCapabilities, DynamicValue, validate_data_resource_config, validate_provider_config,
        validate_resource_config,
    },
};

use crate::protocol::{
    client::{Host, NOTHING, dynamic, object, said, sent},
    provider::Settings,
};

fn list<const N: usize>(items: [Value; N]) -> Value {
    Value::List(items.into())
}

#[tokio::test]
async fn a_right_configuration_needs_no_word() {
    let host = Host::start().await;
    assert_eq!(host.validate("demo_thing", object([("name", "a".into())])).await, NOTHING);
}

#[tokio::test]
async fn unknown_values_are_not_judged() {
    let host = Host::start().await;
    let config = object([
        ("name", Value::UNKNOWN),
        ("size", Value::UNKNOWN),
        ("owner", Value::UNKNOWN),
        ("parts", list([object([("key", Value::UNKNOWN)]), Value::UNKNOWN])),
        ("limits", Value::UNKNOWN),
    ]);
    assert_eq!(host.validate("demo_thing", config).await, NOTHING);
}

#[tokio::test]
async fn every_wrong_attribute_is_reported_at_its_path() {
    let host = Host::start().await;
    let config = object([
        ("id", "mine".into()),
        ("parts", list([object([("key", "a".into())]), object([("count", 2.into())])])),
        ("readers", Value::set([object([("age", 3.into())])])),
        ("limits", Value::Map([("a".to_owned(), object([]))].into())),
        ("rule", list([object([])])),
        ("origin", object([])),
        ("size", Value::from(-1)),
    ]);
    let expected = [
        "error: Read-only attribute set at id",
        r#"error: Missing value at limits["a"].most"#,
        "error: Missing value at name",
        "error: Missing value at parts[1].key",
        // An element of a set has no name, so the path ends before it.
        "error: Missing value at readers",
        "error: Missing value at rule[0].allow",
        "error: Size is negative at size",
    ];
    assert_eq!(host.validate("demo_thing", config).await, expected);
}

#[tokio::test]
async fn what_a_domain_type_refuses_is_reported_where_it_is() {
    let host = Host::start().await;
    let config = object([
        ("name", "a".into()),
        ("timeouts", object([("create", "soon".into())])),
        ("parts", list([object([("key", "a".into()), ("count", Value::Number("1.5".parse().unwrap()))])])),
    ]);
    let expected = ["error: Invalid attribute value at parts[0].count", "error: Invalid timeout at timeouts.create"];
    assert_eq!(host.validate("demo_thing", config).await, expected);
}

#[tokio::test]
async fn a_warning_is_no_error() {
    let host = Host::start().await;
    let said = host.validate("demo_thing", object([("name", "odd".into())])).await;
    assert_eq!(said, ["warning: Name is odd at name"]);
}

/// Rule 25 of Terraform's core: a client that does not know write-only attributes would write them into its state.
#[tokio::test]
async fn a_write_only_value_needs_a_client_that_does_not_store_it() {
    let host = Host::start().await;
    let config = object([
        ("name", "a".into()),
        ("password_wo", Value::UNKNOWN),
        ("owner", object([("email", "a@b".into()), ("pin_wo", 1.into())])),
        ("origin", object([("visa_wo", "v".into())])),
    ]);
    let refused = [
        "error: Write-only attributes not supported at owner.pin_wo",
        "error: Write-only attributes not supported at password_wo",
        "error: Write-only attributes not supported at origin.visa_wo",
    ];
    let old = Some(ClientCapabilities { deferral_allowed: true, ..ClientCapabilities::default() });
    assert_eq!(host.validate_for("demo_thing", config.clone(), None).await, refused);
    assert_eq!(host.validate_for("demo_thing", config.clone(), old).await, refused);
    assert_eq!(host.validate("demo_thing", config).await, NOTHING);
    let without = object([("name", "a".into()), ("owner", object([("email", "a@b".into())]))]);
    assert_eq!(host.validate_for("demo_thing", without, None).await, NOTHING);
}

#[tokio::test]
async fn the_provider_s_settings_are_validated() {
    let host = Host::start().await;
    let validate = async |endpoint: Value| {
        let config = Some(dynamic(&object([("endpoint", endpoint)]), &schema::<Settings>().ty()));
        let request = validate_provider_config::Request { config };
        said(&host.client.clone().validate_provider_config(request).await.unwrap().into_inner().diagnostics)
    };
    assert_eq!(validate("here".into()).await, NOTHING);
    assert_eq!(validate(Value::UNKNOWN).await, NOTHING);
    assert_eq!(validate("".into()).await, ["error: Endpoint is empty at endpoint"]);
}

#[tokio::test]
async fn a_data_source_s_configuration_is_validated() {
    let host = Host::start().await;
    let validate = async |type_name: &str, wanted: Value| {
        let config = Some(sent(&object([("wanted", wanted)]), "demo_place"));
        let request = validate_data_resource_config::Request { type_name: type_name.into(), config };
        said(&host.client.clone().validate_data_resource_config(request).await.unwrap().into_inner().diagnostics)
    };
    assert_eq!(validate("demo_place", "rest".into()).await, NOTHING);
    assert_eq!(validate("demo_place", Value::UNKNOWN).await, NOTHING);
    assert_eq!(validate("demo_place", "".into()).await, ["error: Nothing is wanted at wanted"]);
    assert_eq!(validate("demo_thing", Value::Null).await, ["error: No such data source"]);
}

#[tokio::test]
async fn a_configuration_can_come_as_json() {
    let host = Host::start().await;
    let validate = async |json: &'static str| {
        let config = Some(DynamicValue { json: json.into(), msgpack: Bytes::new() });
        let request =
            validate_resource_config::Request { type_name: "demo_thing".into(), config, client_capabilities: None };
        said(&host.client.clone().validate_resource_config(request).await.unwrap().into_inner().diagnostics)
    };
    assert_eq!(validate(r#"{"name": "a", "size": -1}"#).await, ["error: Size is negative at size"]);
    assert_eq!(validate(r#"{"name": ["a"]}"#).await, ["error: Provider bug at name"]);
    assert_eq!(validate(r#"{"name": "#).await, ["error: Provider bug"]);
}

#[tokio::test]
async fn bytes_that_are_no_value_are_a_diagnostic() {
    let host = Host::start().await;
    let validate = async |msgpack: &'static [u8]| {
        let config = Some(DynamicValue { msgpack: msgpack.into(), json: Bytes::new() });
        let request =
            validate_resource_config::Request { type_name: "demo_thing".into(), config, client_capabilities: None };
        said(&host.client.clone().validate_resource_config(request).await.unwrap().into_inner().diagnostics)
    };
    assert_eq!(validate(b"\xc1").await, ["error: Provider bug"]);
    assert_eq!(validate(b"\x81\xa4name").await, ["error: Provider bug at name"]);
    assert_eq!(validate(b"\x81\xa4name\xc3").await, ["error: Provider bug at name"]);
    assert_eq!(validate(b"\x81\xa5other\xc0").await, ["error: Provider bug"]);
    // {"name": unknown}, as Terraform writes it.
    assert_eq!(validate(b"\x81\xa4name\xd4\x00\x00").await, NOTHING);
}
