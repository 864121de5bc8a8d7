//! `kafka_schema`: a subject of the schema registry of one environment.

mod comparing;
mod judging;
mod leave;
mod reading;
mod told;
mod writing;

use serde::{Deserialize, Serialize};

use super::{
    application::OnExisting,
    attributes::ApplicationRef,
    governed::naming,
    place::{
        ENVIRONMENT, IMPORTED, Placed, environment_of_plan, environment_of_state, expect_cluster, import_of,
        place_attributes, plan_place, settle, settle_imported,
    },
};
use crate::{
    clients::registry::{Body, Mode, Reference, SchemaRegistry, Version},
    framework::{
        Block, Call, Change, Computed, Diagnostics, Failure, Import, Model, Nested, Optional, OptionalComputed, Phase,
        Plan, Required, Resource, Timeouts, Unknown,
    },
    governance::{policy::Compatibility, subject::SubjectName},
    provider::Context,
    schemas::{self, Format},
};
use comparing::{BodyChange, references};

/// A subject of the schema registry, and the schema that it has.
///
/// A changed schema is registered as another version: no version is ever replaced. What means the same is no change,
/// however it is spelled, and the state keeps the text as it was written first. Where other versions are newer, that is
/// told, and nothing is done about them.
///
/// The registry keeps the schemas, and its own users; who owns a subject by the rules of an environment is judged here, in
/// the plan and again in the apply, and not by the registry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct SchemaModel {
    /// Identifier of the subject: `<environment>/<subject>`.
    #[attr(unknown_when = &["environment"])]
    id: Computed<String>,
    /// Name of the environment. Default: the provider's default environment when the schema is created. Another name for
    /// the same cluster changes nothing; another cluster replaces the schema.
    environment: OptionalComputed<String>,
    /// Id of the cluster beside which the registry is.
    #[attr(unknown_when = &["environment"])]
    cluster_id: Computed<String>,
    /// Name of the subject, such as `billing.orders-value`; a context, as in `:.staging:billing.orders-value`, is part of it.
    /// Changing it replaces the subject.
    #[attr(requires_replace)]
    subject: Required<SubjectName>,
    /// Language of the schema: `AVRO`, `JSON` or `PROTOBUF`.
    #[attr(default = Format::Avro)]
    format: OptionalComputed<Format>,
    /// Text of the schema.
    schema: Required<String>,
    /// Schemas of other subjects that the schema names.
    references: Optional<Vec<Nested<ReferenceModel>>>,
    /// How much a new version may differ: `NONE`, `BACKWARD`, `FORWARD`, `FULL`, or one of the last three with
    /// `_TRANSITIVE`, for all versions instead of the one before. It is loosened before the schema is registered, and
    /// tightened after. Without it, the registry's own holds.
    compatibility: Optional<Compatibility>,
    /// What the registry permits with the subject: `READWRITE`, `READONLY` or `READONLY_OVERRIDE`. Without it, the
    /// registry's own holds.
    mode: Optional<Mode>,
    /// Whether the registry brings the schema into its own form before it compares and keeps it. Default: `false`.
    normalize: Optional<bool>,
    /// What becomes of the subject when it is destroyed: `soft` deletes it so that the registry can bring it back, `hard`
    /// deletes it for good, so that messages written with it cannot be read any more, and `retain` leaves it. It stays as
    /// it was when the line is removed. Default: `soft`.
    #[attr(initially = SubjectEnd::Soft)]
    on_destroy: OptionalComputed<SubjectEnd>,
    /// What becomes of a subject that exists already when this is created: `fail` refuses, unless its one version means the
    /// same, and `adopt` registers the schema as its next version. Default: `fail`.
    on_existing: Optional<OnExisting>,
    /// Application that owns the subject: the `id` of its `kafka_application`, or its name. Default: the one under whose
    /// prefix the name is.
    application: Optional<ApplicationRef>,
    /// Number of the version that the schema is. Where an older version is the same, it is that one: registries do not
    /// register a schema twice.
    version: Computed<i64>,
    /// Number of the schema in the whole registry, which messages carry.
    schema_id: Computed<i64>,
    /// How long each operation may take.
    timeouts: Block<Timeouts>,
}

/// A version of another subject that a schema names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct ReferenceModel {
    /// What the schema calls it: in Avro the full name of a type, in Protobuf the path of an import, in JSON Schema a URL.
    name: Required<String>,
    /// Name of the subject.
    subject: Required<SubjectName>,
    /// Number of its version: that of another `kafka_schema`, so that a new version there is referred to in the same run.
    version: Required<i64>,
}

/// What becomes of a subject that is destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectEnd {
    /// It stays.
    Retain,
    /// It is deleted, and can be brought back.
    Soft,
    /// It is deleted for good.
    Hard,
}

/// What tells a subject from all others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Model)]
pub struct SchemaIdentity {
    /// Id of the cluster.
    cluster_id: Required<String>,
    /// Name of the subject.
    subject: Required<SubjectName>,
}

/// The resource.
#[derive(Debug)]
pub enum Schema {}

impl Resource<Context> for Schema {
    const NAME: &'static str = "schema";
    type Model = SchemaModel;
    type Identity = SchemaIdentity;

    fn identity(state: &SchemaModel) -> SchemaIdentity {
        SchemaIdentity { cluster_id: state.cluster_id.to_required(), subject: state.subject.clone() }
    }

    fn validate(config: &SchemaModel, report: &mut Diagnostics) {
        let format = if config.format.is_null() { Some(&Format::Avro) } else { config.format.get() };
        if let (Some(format), Some(text)) = (format, config.schema.get())
            && let Err(malformed) = schemas::check(*format, text, config.reference_names().as_deref())
        {
            report.push(told::malformed(*format, text, &malformed));
        }
        if config.mode.get() == Some(&Mode::Import) {
            report.push(told::import_mode());
        }
        config.check_references(report);
    }

    async fn plan(ctx: &Context, plan: &mut Plan<SchemaModel>, call: &mut Call) -> Result<(), Failure> {
        // First of all: what follows may leave the plan as it is, where something is not known yet.
        if let Some(prior) = plan.prior.clone()
            && plan.replace.is_empty()
        {
            plan.state.keep_meaning(&prior);
        }
        plan_place(ctx, plan, call).await?;
        plan.refuse_other_registry(ctx, call);
        plan.refuse_second(ctx, call)?;
        plan.keep_version(ctx, call).await
    }

    async fn admit(ctx: &Context, change: &Change<SchemaModel>, call: &mut Call) -> Result<(), Failure> {
        if let Some(prior) = change.ending() {
            let (environment, _) = environment_of_state(ctx, prior, call.deadline).await?;
            let subject = prior.subject.value()?;
            let judged = judging::judge_end(environment, prior, call).await;
            judged.map_err(|it| naming(it, &format!("the subject `{subject}`")))?;
        }
        let Some(plan) = &change.plan else { return Ok(()) };
        let environment = environment_of_plan(ctx, plan)?;
        let is_permitted = judging::judge(environment, change, plan, call).await?;
        if is_permitted && call.phase == Phase::Plan && !environment.has_made_anything() {
            judging::try_out(environment, change, plan, call).await?;
        }
        Ok(())
    }

    async fn create(
        ctx: &Context,
        plan: SchemaModel,
        _config: &SchemaModel,
        call: &mut Call,
    ) -> Result<SchemaModel, Failure> {
        let environment = environment_of_plan(ctx, &plan)?;
        let cluster_id = environment.cluster_id(call.deadline).await?.to_owned();
        call.private.forget(&[ENVIRONMENT]);
        let registry = environment.registry()?;
        let subject = plan.subject.value()?.clone();
        let found = registry.version(&subject, Version::Latest, call.deadline).await?;
        if let Some(found) = &found {
            writing::take_over(environment, &plan, found, call).await?;
        }
        let mut state = writing::create(registry, plan, found.map(|it| it.version), call).await?;
        environment.note_made(&object(&subject));
        settle(&mut state, &environment.name, &cluster_id)?;
        Ok(state)
    }

    async fn read(ctx: &Context, state: SchemaModel, call: &mut Call) -> Result<Option<SchemaModel>, Failure> {
        let imported = call.private.take(IMPORTED).is_some();
        let (environment, cluster_id) = environment_of_state(ctx, &state, call.deadline).await?;
        let registry = environment.registry()?;
        let found = if imported {
            reading::imported(registry, state, call).await?
        } else {
            reading::refreshed(registry, state, call).await?
        };
        let Some(seen) = found else { return Ok(None) };
        Ok(Some(super::place::settle_seen(seen, environment, cluster_id)?))
    }

    async fn update(
        ctx: &Context,
        prior: SchemaModel,
        plan: SchemaModel,
        _config: &SchemaModel,
        call: &mut Call,
    ) -> Result<SchemaModel, Failure> {
        let environment = environment_of_plan(ctx, &plan)?;
        let cluster_id = expect_cluster(&prior, environment, call.deadline).await?.to_owned();
        call.private.forget(&[ENVIRONMENT]);
        let before = judging::changed_from(environment, &prior, &plan, call).await?;
        let mut state = writing::update(environment.registry()?, &before, plan, call).await?;
        environment.note_made(&object(state.subject.value()?));
        settle(&mut state, &environment.name, &cluster_id)?;
        Ok(state)
    }

    async fn delete(ctx: &Context, state: SchemaModel, call: &mut Call) -> Result<(), Failure> {
        let (environment, _) = environment_of_state(ctx, &state, call.deadline).await?;
        let subject = state.subject.value()?;
        let ended = if environment.has_made(&object(subject)) {
            call.report.push(told::made_here(subject));
            Ok(())
        } else {
            writing::end(environment, &state, call).await
        };
        ended.map_err(|it| naming(it, &format!("the subject `{subject}`")))
    }

    async fn import(ctx: &Context, import: Import<SchemaIdentity>, call: &mut Call) -> Result<SchemaModel, Failure> {
        let named = |it: SchemaIdentity| Ok((it.cluster_id, it.subject.value()?.clone()));
        let (environment, subject): (_, SubjectName) = import_of(ctx, "schema", import, named, call.deadline).await?;
        let state = SchemaModel {
            subject: subject.into(),
            schema: String::new().into(),
            on_destroy: SubjectEnd::Soft.into(),
            ..SchemaModel::default()
        };
        settle_imported(state, environment, call).await
    }
}

impl Placed for SchemaModel {
    const WHAT: &'static str = "schema";

    place_attributes!();

    fn local_name(&self) -> Result<String, Unknown> {
        Ok(self.subject.value()?.to_string())
    }
}

impl SchemaModel {
    /// The schema, as the registry is asked about it.
    fn body(&self) -> Result<Body, Unknown> {
        Ok(Body { references: references(self)?, ..self.text()? })
    }

    /// The schema without what it refers to.
    fn text(&self) -> Result<Body, Unknown> {
        let format = self.format.known()?.copied().unwrap_or(Format::Avro);
        Ok(Body { format, schema: self.schema.value()?.clone(), references: Vec::new() })
    }

    /// The names of what it refers to, if they are known.
    fn reference_names(&self) -> Option<Vec<&str>> {
        let declared = self.references.known().ok()?.into_iter().flatten();
        declared.map(|it| it.model.name.get().map(String::as_str)).collect()
    }

    fn normalizes(&self) -> bool {
        self.normalize.get() == Some(&true)
    }

    /// Keeps the prior text of a schema that means the same, and leaves open what a new version tells. Which text it is must
    /// not depend on what it refers to: that may be known in the apply alone.
    fn keep_meaning(&mut self, prior: &Self) {
        if comparing::is_same_text(prior, self) {
            self.schema = prior.schema.clone();
        }
        if comparing::change(prior, self) != BodyChange::None {
            self.version = Computed::unknown();
            self.schema_id = Computed::unknown();
        }
    }

    fn check_references(&self, report: &mut Diagnostics) {
        let mut names = std::collections::BTreeSet::new();
        for (at, it) in self.references.get().into_iter().flatten().enumerate() {
            let (name, subject) = (it.model.name.get(), it.model.subject.get());
            if name.is_some_and(|it| !names.insert(it)) {
                report.push(told::named_twice(at, name));
            }
            if subject.is_some() && subject == self.subject.get() {
                report.push(told::refers_to_itself(at, subject));
            }
            if it.model.version.get().is_some_and(|it| *it < 1) {
                report.push(told::no_version(at));
            }
        }
    }
}

impl Plan<SchemaModel> {
    /// Refuses a second resource for one subject: each would register its schema after the other's.
    fn refuse_second(&self, ctx: &Context, call: &mut Call) -> Result<(), Failure> {
        if !self.replace.is_empty() || self.replacing {
            return Ok(());
        }
        let environment = environment_of_plan(ctx, &self.state)?;
        let subject = self.state.subject.value()?;
        let cluster_id = self.state.cluster_id.get().map(String::as_str);
        if !environment.plan_once_in(cluster_id, &object(subject)) {
            call.report.push(told::twice(subject));
        }
        Ok(())
    }
}

impl Plan<SchemaModel> {
    /// Refuses an environment of the same cluster that has another registry: the schema is not there, and would be left where
    /// it is.
    fn refuse_other_registry(&self, ctx: &Context, call: &mut Call) {
        let Some(prior) = self.prior.as_ref().filter(|_| self.replace.is_empty() && !self.replacing) else { return };
        let (Some(before), Some(after)) = (prior.environment.get(), self.state.environment.get()) else { return };
        let (Ok(left), Ok(entered)) = (ctx.environment(Some(before)), ctx.environment(Some(after))) else { return };
        let (Ok(left), Ok(entered)) = (left.registry(), entered.registry()) else { return };
        let urls = |it: &SchemaRegistry| it.rest().urls().cloned().collect::<Vec<_>>();
        let (left, entered) = (urls(left), urls(entered));
        if !left.iter().any(|it| entered.contains(it)) {
            call.report.push(told::other_registry(before, after));
        }
    }

    /// Keeps the numbers of a schema that the registry takes for the version that the state has, though its text changes:
    /// registries that compare by a canonical form register nothing for it.
    async fn keep_version(&mut self, ctx: &Context, call: &mut Call) -> Result<(), Failure> {
        let Some(prior) = self.prior.as_ref().filter(|_| self.replace.is_empty() && !self.replacing) else {
            return Ok(());
        };
        let Ok(body) = self.state.body() else { return Ok(()) };
        if self.state.version.known().is_ok() {
            return Ok(());
        }
        let environment = environment_of_plan(ctx, &self.state)?;
        let Some(found) = judging::taken_for(environment, &self.state, call).await? else { return Ok(()) };
        if (prior.version.get(), prior.schema_id.get()) == (Some(&found.version), Some(&found.id)) {
            self.state.version = prior.version.clone();
            self.state.schema_id = prior.schema_id.clone();
        }
        let is_first = call.phase == Phase::Plan && !environment.has_made_anything();
        if is_first && comparing::body_change(&found.body, &body) != BodyChange::None {
            call.report.push(told::kept(&found));
        }
        Ok(())
    }
}

impl From<Reference> for Nested<ReferenceModel> {
    fn from(Reference { name, subject, version }: Reference) -> Self {
        Nested::from(ReferenceModel { name: name.into(), subject: subject.into(), version: version.into() })
    }
}

/// The subject that an object of a plan is, if it is one.
pub(super) fn subject_of(object: &str) -> Option<&str> {
    object.strip_prefix("subject ")
}

/// What tells a subject from its like in a cluster.
fn object(subject: &SubjectName) -> String {
    format!("subject {subject}")
}

#[cfg(test)]
mod tests;
