//! What there is.

use prost::Message as _;
use terraform_provider_kafka::proto::tfplugin6::{
    Schema, StringKind, get_functions, get_metadata, get_provider_schema, get_resource_identity_schemas,
    schema::{self, nested_block, object},
};

use crate::protocol::client::Host;

async fn schemas(host: &Host) -> get_provider_schema::Response {
    host.client.clone().get_provider_schema(get_provider_schema::Request {}).await.unwrap().into_inner()
}

fn attribute<'a>(attributes: &'a [schema::Attribute], name: &str) -> &'a schema::Attribute {
    attributes.iter().find(|it| it.name == name).unwrap()
}

fn block(schema: &Schema) -> &schema::Block {
    schema.block.as_ref().unwrap()
}

#[tokio::test]
async fn an_attribute_says_who_sets_it_and_how_it_is_treated() {
    let host = Host::start().await;
    let schemas = schemas(&host).await;
    let thing = block(&schemas.resource_schemas["demo_thing"]);
    let check = |name: &str, expected: &str| {
        let it = attribute(&thing.attributes, name);
        let flags = [
            (it.required, "required"),
            (it.optional, "optional"),
            (it.computed, "computed"),
            (it.sensitive, "sensitive"),
            (it.write_only, "write-only"),
            (it.deprecated, "deprecated"),
        ];
        let flags: Vec<_> = flags.into_iter().filter_map(|(is, name)| is.then_some(name)).collect();
        let ty = String::from_utf8(it.r#type.to_vec()).unwrap();
        assert_eq!(format!("{ty} {}", flags.join(" ")), expected, "{name}");
        assert_eq!(it.description_kind(), StringKind::Markdown);
        assert!(!it.description.is_empty());
    };
    check("id", r#""string" computed"#);
    check("name", r#""string" required"#);
    check("size", r#""number" optional computed"#);
    check("password", r#""string" optional sensitive"#);
    check("password_wo", r#""string" optional sensitive write-only"#);
    check("title", r#""string" optional deprecated"#);
    check("labels", r#"["map","string"] optional"#);
    check("tags", r#"["set","string"] optional"#);
    check("extra", r#""dynamic" optional"#);
    assert_eq!(attribute(&thing.attributes, "title").deprecation_message, "Use `name`.");
}

#[tokio::test]
async fn nested_attributes_and_blocks_keep_their_arrangement() {
    let host = Host::start().await;
    let schemas = schemas(&host).await;
    let thing = block(&schemas.resource_schemas["demo_thing"]);
    let nested = |name: &str| attribute(&thing.attributes, name).nested_type.as_ref().unwrap();
    assert_eq!(nested("owner").nesting(), object::NestingMode::Single);
    assert_eq!(nested("parts").nesting(), object::NestingMode::List);
    assert_eq!(nested("readers").nesting(), object::NestingMode::Set);
    assert_eq!(nested("limits").nesting(), object::NestingMode::Map);
    assert!(attribute(&thing.attributes, "owner").r#type.is_empty());
    assert!(attribute(&nested("owner").attributes, "pin_wo").write_only);

    let blocks: Vec<_> = thing.block_types.iter().map(|it| (it.type_name.as_str(), it.nesting())).collect();
    let expected = [
        ("origin", nested_block::NestingMode::Single),
        ("rule", nested_block::NestingMode::List),
        ("timeouts", nested_block::NestingMode::Single),
    ];
    assert_eq!(blocks, expected);
    let rule = thing.block_types[1].block.as_ref().unwrap();
    assert_eq!(rule.description, "What holds for it.");
    assert!(attribute(&rule.attributes, "allow").required);
}

#[tokio::test]
async fn everything_is_listed_with_its_version_in_the_order_of_its_name() {
    let host = Host::start().await;
    let schemas = schemas(&host).await;
    assert!(schemas.resource_schemas.keys().eq(["demo_mishap", "demo_patience", "demo_thing"]));
    assert!(schemas.data_source_schemas.keys().eq(["demo_place"]));
    assert!(schemas.functions.keys().eq(["repeat"]));
    assert_eq!(schemas.resource_schemas["demo_thing"].version, 100);
    assert!(attribute(&block(schemas.provider.as_ref().unwrap()).attributes, "token").sensitive);
    let names: Vec<_> = block(&schemas.resource_schemas["demo_thing"]).attributes.iter().map(|it| &it.name).collect();
    assert!(names.is_sorted(), "{names:?}");

    let capabilities = schemas.server_capabilities.unwrap();
    assert!(capabilities.plan_destroy && capabilities.get_provider_schema_optional && capabilities.move_resource_state);
    assert!(!capabilities.generate_resource_config);
}

#[tokio::test]
async fn schemas_are_the_same_bytes_every_time() {
    let (one, other) = (Host::start().await, Host::start().await);
    assert_eq!(schemas(&one).await.encode_to_vec(), schemas(&other).await.encode_to_vec());
}

#[tokio::test]
async fn the_metadata_names_what_the_schemas_describe() {
    let host = Host::start().await;
    let metadata = host.client.clone().get_metadata(get_metadata::Request {}).await.unwrap().into_inner();
    assert!(metadata.resources.iter().map(|it| &*it.type_name).eq(["demo_mishap", "demo_patience", "demo_thing"]));
    assert!(metadata.data_sources.iter().map(|it| &*it.type_name).eq(["demo_place"]));
    assert!(metadata.functions.iter().map(|it| &*it.name).eq(["repeat"]));
    assert_eq!(metadata.server_capabilities, schemas(&host).await.server_capabilities);
}

#[tokio::test]
async fn identities_say_what_an_import_needs() {
    let host = Host::start().await;
    let request = get_resource_identity_schemas::Request {};
    let response = host.client.clone().get_resource_identity_schemas(request).await.unwrap().into_inner();
    let thing = &response.identity_schemas["demo_thing"];
    assert_eq!(thing.version, 10);
    let attributes: Vec<_> = thing
        .identity_attributes
        .iter()
        .map(|it| (it.name.as_str(), it.required_for_import, it.optional_for_import))
        .collect();
    assert_eq!(attributes, [("name", true, false), ("place", false, true)]);
    assert_eq!(thing.identity_attributes[0].r#type, r#""string""#);
}

#[tokio::test]
async fn functions_have_the_same_signature_wherever_they_are_asked_for() {
    let host = Host::start().await;
    let functions = host.client.clone().get_functions(get_functions::Request {}).await.unwrap().into_inner().functions;
    assert_eq!(functions, schemas(&host).await.functions);
    let repeat = &functions["repeat"];
    let parameters: Vec<_> = repeat.parameters.iter().map(|it| (it.name.as_str(), it.r#type.as_ref())).collect();
    assert_eq!(parameters, [("text", br#""string""#.as_slice()), ("times", br#""number""#.as_slice())]);
    assert_eq!(repeat.r#return.as_ref().unwrap().r#type, r#"["list","string"]"#);
    assert_eq!((&*repeat.summary, &*repeat.description), ("Says it again.", "Says a text several times."));
}
