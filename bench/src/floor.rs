//! The floor: a provider with our framework and our models that does nothing. What it costs is what the engine, the
//! protocol and the framework cost.

use std::{marker::PhantomData, process::ExitCode};

use terraform_provider_kafka::{
    framework::{
        Call, Change, Diagnostic, Diagnostics, Failure, FieldSchema, Import, Model, Provider, Registry, Resource, Slot,
        Value, Visitor,
    },
    plugin,
    provider::{Context, Settings},
    resources::{acl::Acl, connector::Connector, schema::Schema, topic::Topic},
    server::Server,
};

fn main() -> ExitCode {
    plugin::main(env!("CARGO_PKG_VERSION"), Server::<Floor>::new)
}

/// The provider.
enum Floor {}

impl Provider for Floor {
    const NAME: &'static str = "kafka";
    type Settings = Settings;
    type Context = ();

    fn registry() -> Registry<()> {
        Registry::new()
            .resource::<Of<Acl>>()
            .resource::<Of<Connector>>()
            .resource::<Of<Schema>>()
            .resource::<Of<Topic>>()
    }

    async fn configure(_settings: Settings, _report: &mut Diagnostics) -> Result<(), Failure> {
        Ok(())
    }
}

/// An object of ours that exists nowhere but in the state.
struct Of<R>(PhantomData<fn() -> R>);

impl<R: Resource<Context>> Resource<()> for Of<R> {
    const NAME: &'static str = R::NAME;
    type Model = R::Model;
    type Identity = R::Identity;

    fn identity(state: &R::Model) -> R::Identity {
        R::identity(state)
    }

    async fn admit((): &(), _: &Change<R::Model>, _: &mut Call) -> Result<(), Failure> {
        Ok(())
    }

    async fn create((): &(), mut plan: R::Model, _: &R::Model, _: &mut Call) -> Result<R::Model, Failure> {
        plan.visit(&mut Complete);
        Ok(plan)
    }

    async fn read((): &(), state: R::Model, _: &mut Call) -> Result<Option<R::Model>, Failure> {
        Ok(Some(state))
    }

    async fn update((): &(), _: R::Model, plan: R::Model, _: &R::Model, _: &mut Call) -> Result<R::Model, Failure> {
        Ok(plan)
    }

    async fn delete((): &(), _: R::Model, _: &mut Call) -> Result<(), Failure> {
        Ok(())
    }

    async fn import((): &(), _: Import<R::Identity>, _: &mut Call) -> Result<R::Model, Failure> {
        Err(Diagnostic::error("Nothing to import", "The floor has nothing.").into())
    }
}

/// Sets what the bench's configuration leaves to the provider.
struct Complete;

impl Visitor for Complete {
    fn field(&mut self, name: &'static str, slot: &mut dyn Slot, _: fn() -> FieldSchema) {
        let value = match (name, slot.store()) {
            // A text is a value of each of these, so that it is not refused.
            ("id" | "environment" | "cluster_id" | "connect" | "status", _) => Value::String(name.to_owned()),
            ("version" | "schema_id", _) => Value::from(1),
            (_, Value::Unknown(_)) => Value::Null,
            (_, value) => value,
        };
        let _ = slot.load(value);
    }
}
