//! `data.kafka_schema`: a version of a subject, or the schema of a number.

use crate::{
    clients::registry::{Body, SchemaRegistry, Version},
    framework::{
        Call, Computed, DataSource, Diagnostic, Diagnostics, Failure, Model, Nested, Optional, OptionalComputed,
    },
    governance::subject::SubjectName,
    provider::Context,
    schemas::Format,
};

/// A version of a subject, the newest or that of a number, as a reference names it too; or the schema that messages name by a
/// number of the whole registry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct SchemaModel {
    /// Name of the environment. Default: the provider's default environment.
    environment: OptionalComputed<String>,
    /// Name of the environment, and that of the subject or the number of the schema.
    id: Computed<String>,
    /// Name of the subject. Either this or `schema_id` is written.
    subject: Optional<SubjectName>,
    /// Number of the version. Default: the newest.
    version: OptionalComputed<i64>,
    /// Number of the schema in the whole registry, which messages carry.
    schema_id: OptionalComputed<i64>,
    /// Language of the schema: `AVRO`, `JSON` or `PROTOBUF`.
    format: Computed<Format>,
    /// Text of the schema.
    schema: Computed<String>,
    /// Schemas of other subjects that it names.
    references: Computed<Vec<Nested<ListedReferenceModel>>>,
    /// Numbers of the schemas that refer to this version, so that it cannot be deleted; null where the registry does
    /// not tell, and of a `schema_id`.
    referred_to_by: Computed<Vec<i64>>,
}

/// A version of another subject that a schema names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ListedReferenceModel {
    /// What the schema calls it.
    name: Computed<String>,
    /// Name of the subject.
    subject: Computed<String>,
    /// Number of its version.
    version: Computed<i64>,
}

/// The data source.
#[derive(Debug)]
pub enum RegisteredSchema {}

impl DataSource<Context> for RegisteredSchema {
    const NAME: &'static str = "schema";
    type Model = SchemaModel;

    fn validate(config: &SchemaModel, report: &mut Diagnostics) {
        let told = |detail: &str, at: &str| Diagnostic::error("Contradictory schema", detail).at(at);
        match (config.subject.is_null(), config.schema_id.is_null()) {
            (true, true) => report.push(told("Write `subject`, or `schema_id`.", "subject")),
            (false, false) => {
                report.push(told("It is looked up by `subject` or by `schema_id`. Remove one.", "schema_id"));
            }
            (true, false) if !config.version.is_null() => {
                report.push(told("The schema of a number has no version. Remove it, or write `subject`.", "version"));
            }
            _ => {}
        }
    }

    async fn read(ctx: &Context, config: SchemaModel, call: &mut Call) -> Result<SchemaModel, Failure> {
        let environment = ctx.environment(config.environment.get().map(String::as_str))?;
        let registry = environment.registry()?;
        let name = &environment.name;
        let mut res = match (config.subject.known()?.cloned(), config.schema_id.known()?.copied()) {
            (Some(subject), _) => of_subject(registry, config, &subject, name, call).await?,
            (None, Some(id)) => {
                let found = registry.schema(id, call.deadline).await?;
                let found = found.ok_or_else(|| absent(&format!("The registry has no schema {id}."), "schema_id"))?;
                SchemaModel { id: format!("{name}/{id}").into(), ..config.with(found) }
            }
            (None, None) => return Err(absent("Nothing says which schema is meant.", "subject")),
        };
        res.environment = name.clone().into();
        Ok(res)
    }
}

async fn of_subject(
    registry: &SchemaRegistry,
    config: SchemaModel,
    subject: &SubjectName,
    environment: &str,
    call: &Call,
) -> Result<SchemaModel, Failure> {
    let version = config.version.known()?.map_or(Version::Latest, |it| Version::Number(*it));
    let found = registry.version(subject, version, call.deadline).await?;
    let found = found.ok_or_else(|| match version {
        Version::Latest => absent(&format!("The registry has no subject `{subject}`."), "subject"),
        Version::Number(it) => absent(&format!("The registry has no version {it} of `{subject}`."), "version"),
    })?;
    // Not every registry tells, and nothing else depends on it.
    let referring = registry.referring(subject, found.version, call.deadline).await.ok();
    Ok(SchemaModel {
        referred_to_by: referring.into(),
        id: format!("{environment}/{subject}").into(),
        version: found.version.into(),
        schema_id: found.id.into(),
        ..config.with(found.body)
    })
}

fn absent(what: &str, at: &str) -> Failure {
    let detail =
        format!("{what}\n\nCorrect it, or register the schema first; `data.kafka_subjects` tells what there is.");
    Diagnostic::error("No such schema", detail).at(at).into()
}

impl SchemaModel {
    fn with(self, Body { format, schema, references }: Body) -> Self {
        let references = references.into_iter().map(|it| {
            Nested::from(ListedReferenceModel {
                name: it.name.into(),
                subject: it.subject.to_string().into(),
                version: it.version.into(),
            })
        });
        let version = self.version.get().copied();
        Self {
            format: format.into(),
            schema: schema.into(),
            references: references.collect::<Vec<_>>().into(),
            version: version.into(),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value as Json, json};

    use super::*;
    use crate::{
        clients::{memory::MemoryCluster, registry::fake::FakeRegistry},
        framework::{
            Provider, Value,
            codec::json::{Unexpected, from_json},
        },
        provider::{Environment, KafkaProvider},
    };

    async fn read(registry: &FakeRegistry, name: &str, config: &Json) -> (Value, Diagnostics) {
        let environment = Environment::new("dev", Arc::new(MemoryCluster::new(1)) as _).beside(registry.services());
        let data_source = KafkaProvider::registry().data_sources.remove(name).unwrap();
        let config = from_json(config, &data_source.schema().ty(), Unexpected::Refuse).unwrap();
        data_source.read(&Context::new([environment], None), config).await
    }

    #[tokio::test]
    async fn schemas_are_found_by_version_and_by_number() {
        let registry = FakeRegistry::start().await;
        for (subject, schema) in [("a", "\"int\""), ("a", "\"long\""), ("b", "\"int\"")] {
            let body = json!({ "schemaType": "AVRO", "schema": schema });
            registry.does("POST", &format!("/subjects/{subject}/versions"), &body);
        }
        let check = async |config: Json, expected: [Value; 4]| {
            let (found, report) = read(&registry, "schema", &config).await;
            assert_eq!(report.0, vec![], "{config}");
            let shown = ["id", "version", "schema_id", "schema"].map(|it| found.attribute(it).clone());
            assert_eq!(shown, expected, "{config}");
        };
        check(json!({ "subject": "a" }), ["dev/a".into(), 2.into(), 2.into(), "\"long\"".into()]).await;
        check(json!({ "subject": "a", "version": 1 }), ["dev/a".into(), 1.into(), 1.into(), "\"int\"".into()]).await;
        check(json!({ "schema_id": 2 }), ["dev/2".into(), Value::Null, 2.into(), "\"long\"".into()]).await;
        for config in [json!({ "subject": "c" }), json!({ "subject": "a", "version": 9 }), json!({ "schema_id": 9 })] {
            let (_, report) = read(&registry, "schema", &config).await;
            assert_eq!(report.0[0].summary, "No such schema", "{config}");
        }
        let (found, report) = read(&registry, "subjects", &json!({ "prefix": "b" })).await;
        assert_eq!((found.attribute("names"), report.0), (&Value::List(vec!["b".into()]), vec![]));
    }

    /// What a schema refers to is looked up as it names it, and there is told what refers to it.
    #[tokio::test]
    async fn references_are_followed_in_both_directions() {
        let registry = FakeRegistry::start().await;
        let line = json!({ "schemaType": "AVRO", "schema": "\"int\"" });
        registry.does("POST", "/subjects/line/versions", &line);
        let reference = json!({ "name": "L", "subject": "line", "version": 1 });
        let list = json!({ "schemaType": "AVRO", "schema": "\"L\"", "references": [reference] });
        registry.does("POST", "/subjects/list/versions", &list);
        let (found, _) = read(&registry, "schema", &json!({ "subject": "list" })).await;
        let Value::List(references) = found.attribute("references") else { unreachable!("{found:?}") };
        let named = ["name", "subject", "version"].map(|it| references[0].attribute(it).clone());
        assert_eq!(named, ["L".into(), "line".into(), 1.into()]);
        assert_eq!(found.attribute("referred_to_by"), &Value::List(vec![]));
        let (found, _) = read(&registry, "schema", &json!({ "subject": "line", "version": 1 })).await;
        assert_eq!(found.attribute("referred_to_by"), &Value::List(vec![2.into()]));
        let by_id = read(&registry, "schema", &json!({ "schema_id": 1 })).await.0;
        assert_eq!(by_id.attribute("referred_to_by"), &Value::Null);
    }

    #[test]
    fn a_schema_is_named_in_one_way() {
        let check = |subject: Option<&str>, version: Option<i64>, schema_id: Option<i64>, expected: Option<&str>| {
            let config = SchemaModel {
                subject: subject.map(|it| it.parse().unwrap()).into(),
                version: version.into(),
                schema_id: schema_id.into(),
                ..SchemaModel::default()
            };
            let mut report = Diagnostics::default();
            RegisteredSchema::validate(&config, &mut report);
            let at: Vec<_> = report.0.iter().filter_map(|it| it.path.as_ref()).map(ToString::to_string).collect();
            assert_eq!(at, expected.into_iter().map(str::to_owned).collect::<Vec<_>>());
        };
        check(Some("a"), Some(1), None, None);
        check(None, None, Some(1), None);
        check(None, None, None, Some("subject"));
        check(Some("a"), None, Some(1), Some("schema_id"));
        check(None, Some(1), Some(1), Some("version"));
    }
}
