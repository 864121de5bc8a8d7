//! The other side: what Terraform asks, in the words of the tests.

use std::{
    future::{self, Ready},
    io,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper_util::rt::TokioIo;
use terraform_provider_kafka::{
    framework::{
        Nesting, Schema, Type, Value,
        codec::msgpack::{from_msgpack, to_msgpack},
        schema,
    },
    proto::tfplugin6::{
        ClientCapabilities, Diagnostic, DynamicValue, ResourceIdentityData, apply_resource_change, attribute_path,
        configure_provider, diagnostic::Severity, plan_resource_change, provider_client::ProviderClient,
        provider_server::ProviderServer, read_data_source, read_resource, validate_resource_config,
    },
    server::Server,
};
use tokio::io::{DuplexStream, duplex};
use tokio_stream::StreamExt as _;
use tonic::{
    codegen::Service,
    transport::{self, Channel, Endpoint, Uri},
};

use crate::protocol::provider::{
    Demo, MishapIdentity, MishapModel, PatienceIdentity, PatienceModel, PlaceModel, Settings, ThingIdentity, ThingModel,
};

/// Terraform, as far as a provider knows it.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) client: ProviderClient<Channel>,
}

/// An object as Terraform keeps it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Object {
    pub(crate) state: Value,
    pub(crate) private: Bytes,
    pub(crate) identity: Value,
}

/// What a plan came to.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) object: Object,
    pub(crate) replace: Vec<String>,
    pub(crate) said: Vec<String>,
}

struct OneConnection(Option<DuplexStream>);

impl Service<Uri> for OneConnection {
    type Response = TokioIo<DuplexStream>;
    type Error = &'static str;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        future::ready(self.0.take().map(TokioIo::new).ok_or("the connection broke"))
    }
}

impl Host {
    /// A provider that is not configured.
    pub(crate) async fn start() -> Self {
        let (ours, theirs) = duplex(1 << 16);
        let incoming = tokio_stream::once(Ok::<_, io::Error>(theirs)).chain(tokio_stream::pending());
        let service = ProviderServer::new(Server::<Demo>::new());
        tokio::spawn(transport::Server::builder().add_service(service).serve_with_incoming(incoming));
        let endpoint = Endpoint::from_static("http://localhost");
        let channel = endpoint.connect_with_connector(OneConnection(Some(ours))).await.unwrap();
        Self { client: ProviderClient::new(channel) }
    }

    /// A provider that knows where things are.
    pub(crate) async fn configured() -> Self {
        let host = Self::start().await;
        assert_eq!(host.configure("here".into()).await, NOTHING);
        host
    }

    pub(crate) async fn configure(&self, endpoint: Value) -> Vec<String> {
        let config = Some(dynamic(&object([("endpoint", endpoint)]), &schema::<Settings>().ty()));
        let request = configure_provider::Request { config, ..Default::default() };
        said(&self.client.clone().configure_provider(request).await.unwrap().into_inner().diagnostics)
    }

    pub(crate) async fn validate(&self, type_name: &str, config: Value) -> Vec<String> {
        self.validate_for(type_name, config, Some(Terraform::CAPABILITIES)).await
    }

    pub(crate) async fn validate_for(
        &self,
        type_name: &str,
        config: Value,
        client_capabilities: Option<ClientCapabilities>,
    ) -> Vec<String> {
        let config = Some(sent(&config, type_name));
        let request = validate_resource_config::Request { type_name: type_name.into(), config, client_capabilities };
        said(&self.client.clone().validate_resource_config(request).await.unwrap().into_inner().diagnostics)
    }

    pub(crate) async fn read(&self, type_name: &str, object: &Object) -> (Object, Vec<String>) {
        let request = read_resource::Request {
            type_name: type_name.into(),
            current_state: Some(sent(&object.state, type_name)),
            private: object.private.clone(),
            current_identity: identity(&object.identity, type_name),
            ..Default::default()
        };
        let response = self.client.clone().read_resource(request).await.unwrap().into_inner();
        let object = Object {
            state: value(response.new_state.as_ref(), &ty(type_name)),
            private: response.private,
            identity: told_identity(response.new_identity.as_ref(), type_name),
        };
        (object, said(&response.diagnostics))
    }

    pub(crate) async fn plan(&self, type_name: &str, prior: &Object, config: Value) -> Planned {
        let config = Some(sent(&config, type_name));
        let request = plan_resource_change::Request {
            type_name: type_name.into(),
            prior_state: Some(sent(&prior.state, type_name)),
            proposed_new_state: config.clone(),
            config,
            prior_private: prior.private.clone(),
            prior_identity: identity(&prior.identity, type_name),
            ..Default::default()
        };
        let response = self.client.clone().plan_resource_change(request).await.unwrap().into_inner();
        assert!(!response.legacy_type_system);
        let object = Object {
            state: value(response.planned_state.as_ref(), &ty(type_name)),
            private: response.planned_private,
            identity: told_identity(response.planned_identity.as_ref(), type_name),
        };
        let replace = response.requires_replace.iter().map(|it| path(&it.steps)).collect();
        Planned { object, replace, said: said(&response.diagnostics) }
    }

    pub(crate) async fn apply(
        &self,
        type_name: &str,
        prior: &Value,
        planned: &Object,
        config: Value,
    ) -> (Object, Vec<String>) {
        let request = apply_resource_change::Request {
            type_name: type_name.into(),
            prior_state: Some(sent(prior, type_name)),
            planned_state: Some(sent(&planned.state, type_name)),
            config: Some(sent(&config, type_name)),
            planned_private: planned.private.clone(),
            planned_identity: identity(&planned.identity, type_name),
            ..Default::default()
        };
        let response = self.client.clone().apply_resource_change(request).await.unwrap().into_inner();
        assert!(!response.legacy_type_system);
        let object = Object {
            state: value(response.new_state.as_ref(), &ty(type_name)),
            private: response.private,
            identity: told_identity(response.new_identity.as_ref(), type_name),
        };
        (object, said(&response.diagnostics))
    }

    /// Plans and applies a create.
    pub(crate) async fn create(&self, type_name: &str, config: Value) -> (Object, Vec<String>) {
        let planned = self.plan(type_name, &Object::default(), config.clone()).await;
        assert_eq!(planned.said, NOTHING);
        self.apply(type_name, &Value::Null, &planned.object, config).await
    }

    pub(crate) async fn look(&self, type_name: &str, config: Value) -> (Value, Vec<String>) {
        let request = read_data_source::Request {
            type_name: type_name.into(),
            config: Some(sent(&config, type_name)),
            ..Default::default()
        };
        let response = self.client.clone().read_data_source(request).await.unwrap().into_inner();
        (value(response.state.as_ref(), &ty(type_name)), said(&response.diagnostics))
    }
}

/// What a present client says of itself.
pub(crate) enum Terraform {}

impl Terraform {
    pub(crate) const CAPABILITIES: ClientCapabilities = ClientCapabilities {
        deferral_allowed: false,
        write_only_attributes_allowed: true,
        store_planned_private: true,
        computed_blocks_allowed: true,
    };
}

pub(crate) const NOTHING: [&str; 0] = [];

/// The schema of a resource or a data source. A name that is none has no attributes.
fn schema_of(type_name: &str) -> Schema {
    match type_name {
        "demo_thing" => schema::<ThingModel>(),
        "demo_mishap" => schema::<MishapModel>(),
        "demo_patience" => schema::<PatienceModel>(),
        "demo_place" => schema::<PlaceModel>(),
        _ => Schema::default(),
    }
}

/// The type of the states of a resource or a data source.
pub(crate) fn ty(type_name: &str) -> Type {
    schema_of(type_name).ty()
}

/// A configuration or a state of a resource or a data source as Terraform sends it: blocks that are not written are empty lists.
pub(crate) fn sent(value: &Value, type_name: &str) -> DynamicValue {
    let mut value = value.clone();
    if let Value::Object(attributes) = &mut value {
        for (name, block) in schema_of(type_name).blocks {
            if block.nesting == Nesting::List {
                attributes.entry(name.to_owned()).or_insert(Value::List(vec![]));
            }
        }
    }
    dynamic(&value, &ty(type_name))
}

fn identity_ty(type_name: &str) -> Type {
    match type_name {
        "demo_thing" => schema::<ThingIdentity>().ty(),
        "demo_mishap" => schema::<MishapIdentity>().ty(),
        "demo_patience" => schema::<PatienceIdentity>().ty(),
        _ => Type::Object([].into()),
    }
}

/// An object of these attributes, and null for all others.
pub(crate) fn object<const N: usize>(attributes: [(&str, Value); N]) -> Value {
    Value::Object(attributes.map(|(name, it)| (name.to_owned(), it)).into())
}

/// The same object with another attribute.
pub(crate) fn with(object: &Value, name: &str, value: Value) -> Value {
    let Value::Object(mut attributes) = object.clone() else { panic!("no object: {object:?}") };
    attributes.insert(name.to_owned(), value);
    Value::Object(attributes)
}

pub(crate) fn dynamic(value: &Value, ty: &Type) -> DynamicValue {
    DynamicValue { msgpack: to_msgpack(value, ty).unwrap().into(), ..DynamicValue::default() }
}

pub(crate) fn identity(identity: &Value, type_name: &str) -> Option<ResourceIdentityData> {
    let data = |it| ResourceIdentityData { identity_data: Some(dynamic(it, &identity_ty(type_name))) };
    Some(identity).filter(|it| !it.is_null()).map(data)
}

pub(crate) fn value(value: Option<&DynamicValue>, ty: &Type) -> Value {
    value.map_or(Value::Null, |it| {
        assert!(it.json.is_empty(), "Terraform did not always read JSON everywhere");
        from_msgpack(&it.msgpack, ty).unwrap()
    })
}

pub(crate) fn told_identity(identity: Option<&ResourceIdentityData>, type_name: &str) -> Value {
    identity.map_or(Value::Null, |it| value(it.identity_data.as_ref(), &identity_ty(type_name)))
}

/// Each diagnostic as one line: `error: Name refused at name`.
pub(crate) fn said(diagnostics: &[Diagnostic]) -> Vec<String> {
    let line = |it: &Diagnostic| {
        let severity = match it.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Invalid => "invalid",
        };
        let at = it.attribute.as_ref().map(|it| format!(" at {}", path(&it.steps))).unwrap_or_default();
        assert!(!it.detail.is_empty(), "{} has no detail", it.summary);
        format!("{severity}: {}{at}", it.summary)
    };
    diagnostics.iter().map(line).collect()
}

fn path(steps: &[attribute_path::Step]) -> String {
    use attribute_path::step::Selector;
    let step = |it: &attribute_path::Step| match it.selector.as_ref().unwrap() {
        Selector::AttributeName(name) => format!(".{name}"),
        Selector::ElementKeyInt(index) => format!("[{index}]"),
        Selector::ElementKeyString(key) => format!("[{key:?}]"),
    };
    steps.iter().map(step).collect::<String>().trim_start_matches('.').to_owned()
}
