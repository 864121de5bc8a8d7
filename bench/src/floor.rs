//! The floor: a provider with our framework and our models that does nothing. What it costs is what the engine, the
//! protocol and the framework cost.

use std::process::ExitCode;

use terraform_provider_kafka::{
    framework::{
        Call, Change, Diagnostic, Diagnostics, Failure, FieldSchema, Import, Model, Provider, Registry, Resource, Slot,
        Value, Visitor,
    },
    plugin,
    provider::{Context, Settings},
    resources::topic::{Topic, TopicIdentity, TopicModel},
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
        Registry::new().resource::<FloorTopic>()
    }

    async fn configure(_settings: Settings, _report: &mut Diagnostics) -> Result<(), Failure> {
        Ok(())
    }
}

/// A topic that exists nowhere but in the state.
enum FloorTopic {}

impl Resource<()> for FloorTopic {
    const NAME: &'static str = "topic";
    type Model = TopicModel;
    type Identity = TopicIdentity;

    fn identity(state: &TopicModel) -> TopicIdentity {
        <Topic as Resource<Context>>::identity(state)
    }

    async fn admit((): &(), _: &Change<TopicModel>, _: &mut Call) -> Result<(), Failure> {
        Ok(())
    }

    async fn create((): &(), mut plan: TopicModel, _: &TopicModel, _: &mut Call) -> Result<TopicModel, Failure> {
        plan.visit(&mut Complete);
        Ok(plan)
    }

    async fn read((): &(), state: TopicModel, _: &mut Call) -> Result<Option<TopicModel>, Failure> {
        Ok(Some(state))
    }

    async fn update(
        (): &(),
        _: TopicModel,
        plan: TopicModel,
        _: &TopicModel,
        _: &mut Call,
    ) -> Result<TopicModel, Failure> {
        Ok(plan)
    }

    async fn delete((): &(), _: TopicModel, _: &mut Call) -> Result<(), Failure> {
        Ok(())
    }

    async fn import((): &(), _: Import<TopicIdentity>, _: &mut Call) -> Result<TopicModel, Failure> {
        Err(Diagnostic::error("Nothing to import", "The floor has no topics.").into())
    }
}

/// Sets what the bench's configuration leaves to the provider.
struct Complete;

impl Visitor for Complete {
    fn field(&mut self, name: &'static str, slot: &mut dyn Slot, _: fn() -> FieldSchema) {
        if ["id", "environment", "cluster_id"].contains(&name) {
            // A text is a value of each of these, so that it is not refused.
            let _ = slot.load(Value::String(name.to_owned()));
        }
    }
}
