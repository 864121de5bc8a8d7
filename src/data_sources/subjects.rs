//! `data.kafka_subjects`: the subjects of an environment's schema registry.

use crate::{
    framework::{Call, Computed, DataSource, Failure, Model, Optional, OptionalComputed},
    governance::{kind::Kind, names::ApplicationName, subject::SubjectName},
    provider::Context,
};

/// The subjects of the schema registry of an environment, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct SubjectsModel {
    /// Name of the environment. Default: the provider's default environment.
    environment: OptionalComputed<String>,
    /// Name of the environment, the same as `environment`.
    id: Computed<String>,
    /// Beginning of the names to show. Default: all.
    prefix: Optional<String>,
    /// Whether those are shown too that were deleted and can be brought back. Default: `false`.
    deleted: Optional<bool>,
    /// Name of the application whose subjects are shown, in an environment that was declared. Default: everybody's.
    application: Optional<ApplicationName>,
    /// Names of the subjects.
    names: Computed<Vec<String>>,
    /// Names of those subjects that no application owns. Empty where no environment was declared.
    unowned: Computed<Vec<String>>,
}

/// The data source.
#[derive(Debug)]
pub enum Subjects {}

impl DataSource<Context> for Subjects {
    const NAME: &'static str = "subjects";
    type Model = SubjectsModel;

    async fn read(ctx: &Context, config: SubjectsModel, call: &mut Call) -> Result<SubjectsModel, Failure> {
        let environment = ctx.environment(config.environment.get().map(String::as_str))?;
        let deleted = config.deleted.get() == Some(&true);
        let mut names = environment.registry()?.subjects(deleted, call.deadline).await?;
        let governance = environment.governance_now(call.deadline).await?;
        let state = governance.as_ref().map(|it| &it.snapshot.state);
        let owner = |it: &SubjectName| Some(&state?.owner_of(Kind::Subject, it.in_context())?.spec.name);
        let prefix = config.prefix.get().map_or("", String::as_str);
        names.retain(|it| {
            it.as_str().starts_with(prefix) && config.application.get().is_none_or(|wanted| owner(it) == Some(wanted))
        });
        let texts = |names: &mut dyn Iterator<Item = &SubjectName>| names.map(ToString::to_string).collect::<Vec<_>>();
        let unowned = texts(&mut names.iter().filter(|it| state.is_some() && owner(it).is_none()));
        Ok(SubjectsModel {
            environment: environment.name.clone().into(),
            id: environment.name.clone().into(),
            unowned: unowned.into(),
            names: texts(&mut names.iter()).into(),
            ..config
        })
    }
}
