//! Everything that is done around a resource, for all of them alike: decoding, planning, asking whether it may be,
//! keeping time and private facts, and checking what comes back.

use std::{future::Future, marker::PhantomData, pin::Pin, time::Instant};

use serde_json::Value as Json;

use crate::framework::{
    Call, Change, Diagnostic, Diagnostics, Failure, Import, Model, MoveSource, Path, Phase, Plan, Private, Resource,
    Schema, Severity, Step, Timeout, Type, Value, check,
    codec::json::{Unexpected, from_json},
    decode, decode_parts, encode, plan, schema,
    upgrade::{Fill, complete},
};

/// The answer of a [`DynResource`].
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An object as Terraform keeps it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    /// Its state; null for none.
    pub state: Value,
    /// Facts beside it.
    pub private: Private,
    /// Its identity; null for none.
    pub identity: Value,
}

/// What a plan is made from.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// The object so far.
    pub prior: Stored,
    /// The configuration; null for a destroy.
    pub config: Value,
}

/// A planned object.
#[derive(Clone, Debug, Default)]
pub struct PlanResponse {
    /// The object to come.
    pub planned: Stored,
    /// The attributes that force a replacement.
    pub replace: Vec<Path>,
    /// What the practitioner is told.
    pub diagnostics: Diagnostics,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub struct ApplyRequest {
    /// The state so far; null for a create.
    pub prior: Value,
    /// The planned object; its state is null for a destroy.
    pub planned: Stored,
    /// The configuration; null for a destroy.
    pub config: Value,
}

/// An object after a deed or a look, and what the practitioner is told.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The object.
    pub stored: Stored,
    /// What the practitioner is told.
    pub diagnostics: Diagnostics,
}

/// A resource behind one vtable, for the server.
pub trait DynResource<C>: Send + Sync {
    /// Type name without the provider's prefix.
    fn name(&self) -> &'static str;
    /// The schema.
    fn schema(&self) -> &Schema;
    /// The type of the states.
    fn ty(&self) -> &Type;
    /// Version of the schema.
    fn version(&self) -> i64;
    /// The schema of the identities.
    fn identity_schema(&self) -> &Schema;
    /// The type of the identities.
    fn identity_ty(&self) -> &Type;
    /// Version of the identity's schema.
    fn identity_version(&self) -> i64;
    /// What is wrong with a configuration by itself.
    fn validate(&self, config: Value) -> Diagnostics;
    /// State of an older schema version, or another provider's, in the present form.
    fn upgrade(&self, version: i64, state: Json) -> Result<Value, Diagnostics>;
    /// An identity of an older schema version in the present form.
    fn upgrade_identity(&self, identity: &Json) -> Result<Value, Diagnostics>;
    /// Plans a create, an update, a replacement or a destroy.
    fn plan<'a>(&'a self, ctx: &'a C, request: PlanRequest) -> Answer<'a, PlanResponse>;
    /// Does what was planned.
    fn apply<'a>(&'a self, ctx: &'a C, request: ApplyRequest) -> Answer<'a, Outcome>;
    /// Looks at an object.
    fn read<'a>(&'a self, ctx: &'a C, stored: Stored) -> Answer<'a, Outcome>;
    /// Finds an object by identifier or identity.
    fn import<'a>(&'a self, ctx: &'a C, import: Import<Value>) -> Answer<'a, Outcome>;
    /// Takes over the object of another resource type; `None` if it cannot.
    fn move_from(&self, source: &MoveSource) -> Option<Outcome>;
}

/// A resource with its schema, built once.
pub(crate) struct Managed<R> {
    schema: Schema,
    ty: Type,
    identity_schema: Schema,
    identity_ty: Type,
    resource: PhantomData<fn() -> R>,
}

impl<R> Managed<R> {
    pub(crate) fn new<C: Sync>() -> Self
    where
        R: Resource<C>,
    {
        let (schema, identity_schema) = (schema::<R::Model>(), schema::<R::Identity>());
        Self { ty: schema.ty(), identity_ty: identity_schema.ty(), schema, identity_schema, resource: PhantomData }
    }

    fn identity<C: Sync>(state: &Value) -> Result<Value, Diagnostics>
    where
        R: Resource<C>,
    {
        if state.is_null() { Ok(Value::Null) } else { Ok(encode(R::identity(&decode(state.clone())?))) }
    }
}

impl<C: Sync, R: Resource<C>> DynResource<C> for Managed<R> {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn ty(&self) -> &Type {
        &self.ty
    }

    fn version(&self) -> i64 {
        R::VERSION
    }

    fn identity_schema(&self) -> &Schema {
        &self.identity_schema
    }

    fn identity_ty(&self) -> &Type {
        &self.identity_ty
    }

    fn identity_version(&self) -> i64 {
        R::IDENTITY_VERSION
    }

    fn validate(&self, config: Value) -> Diagnostics {
        validated(&self.schema, config, R::validate)
    }

    fn upgrade(&self, version: i64, state: Json) -> Result<Value, Diagnostics> {
        let upgraded = if version == R::VERSION { state } else { R::upgrade(version, state).map_err(Failure::told)? };
        let mut state = from_json(&upgraded, &self.ty, Unexpected::Drop).map_err(|error| {
            Diagnostic::error(
                "State cannot be read",
                format!(
                    "The stored state of version {version} does not fit the schema: {error}.\n\nRestore the state from a \
                     backup, or remove the object from it with a `removed` block and import it again."
                ),
            )
        })?;
        complete(&self.schema, &mut state, if version == R::VERSION { Fill::Nothing } else { Fill::Defaults });
        Ok(state)
    }

    fn upgrade_identity(&self, identity: &Json) -> Result<Value, Diagnostics> {
        from_json(identity, &self.identity_ty, Unexpected::Drop)
            .map_err(|error| Diagnostic::error("Identity cannot be read", format!("It does not fit: {error}.")).into())
    }

    fn plan<'a>(&'a self, ctx: &'a C, request: PlanRequest) -> Answer<'a, PlanResponse> {
        Box::pin(async move {
            let mut call = Call::new(Phase::Plan, request.prior.private.clone(), Timeout::DEFAULT);
            let res = if request.config.is_null() {
                self.plan_destroy(ctx, &request.prior, &mut call).await
            } else {
                self.plan_change(ctx, &request, &mut call).await
            };
            match res {
                Ok((state, replace)) => {
                    let identity = match Self::identity(&state) {
                        // OpenTofu cannot store an identity that is unknown in parts, and none is needed before apply.
                        Ok(identity) if !identity.is_wholly_known() => Value::Null,
                        Ok(identity) => identity,
                        Err(wrong) => return PlanResponse { diagnostics: wrong, ..PlanResponse::default() },
                    };
                    let planned = Stored { state, private: call.private, identity };
                    PlanResponse { planned, replace, diagnostics: call.report }
                }
                Err(mut wrong) => {
                    call.report.append(std::mem::take(&mut wrong));
                    PlanResponse { diagnostics: call.report, ..PlanResponse::default() }
                }
            }
        })
    }

    fn apply<'a>(&'a self, ctx: &'a C, request: ApplyRequest) -> Answer<'a, Outcome> {
        Box::pin(async move {
            let (object, operation) = match (&request.prior, &request.planned.state) {
                (Value::Null, planned) => (planned, "create"),
                (prior, Value::Null) => (prior, "delete"),
                (_, planned) => (planned, "update"),
            };
            let mut call = Call::new(Phase::Apply, request.planned.private.clone(), Timeout::of(object, operation));
            call.private.take_planned();
            match self.deed(ctx, &request, &mut call).await {
                Ok(state) => {
                    let outcome = self.done(&request.planned.state, state, call);
                    if request.prior.is_null() { untainted(outcome) } else { outcome }
                }
                // Without a new state Terraform keeps what it has: state, private facts and identity.
                Err(wrong) => {
                    call.report.append(wrong);
                    Outcome { stored: Stored::default(), diagnostics: call.report }
                }
            }
        })
    }

    fn read<'a>(&'a self, ctx: &'a C, stored: Stored) -> Answer<'a, Outcome> {
        Box::pin(async move {
            let mut call = Call::new(Phase::Apply, stored.private.clone(), Timeout::of(&stored.state, "read"));
            let model = match decode::<R::Model>(stored.state.clone()) {
                Ok(model) => model,
                Err(diagnostics) => return Outcome { stored, diagnostics },
            };
            let state = match R::read(ctx, model, &mut call).await {
                Ok(found) => found.map_or(Value::Null, encode),
                Err(Failure::Unconfigured(what)) => {
                    return Outcome { stored, diagnostics: not_checked(&what).into() };
                }
                Err(failure) => {
                    call.report.append(failure.told());
                    return Outcome { stored, diagnostics: call.report };
                }
            };
            match Self::identity(&state) {
                Ok(identity) => {
                    let private = if state.is_null() { Private::default() } else { call.private };
                    Outcome { stored: Stored { state, private, identity }, diagnostics: call.report }
                }
                Err(diagnostics) => Outcome { stored, diagnostics },
            }
        })
    }

    fn import<'a>(&'a self, ctx: &'a C, import: Import<Value>) -> Answer<'a, Outcome> {
        Box::pin(async move {
            let mut call = Call::new(Phase::Apply, Private::default(), Timeout::DEFAULT);
            let import = match import {
                Import::Id(id) => Ok(Import::Id(id)),
                Import::Identity(identity) => decode(identity).map(Import::Identity),
            };
            let res = match import {
                Ok(import) => R::import(ctx, import, &mut call).await.map_err(Failure::told),
                Err(wrong) => Err(wrong),
            };
            match res.and_then(|model| {
                let state = encode(model);
                Self::identity(&state).map(|identity| (state, identity))
            }) {
                Ok((state, identity)) => {
                    Outcome { stored: Stored { state, private: call.private, identity }, diagnostics: call.report }
                }
                Err(wrong) => {
                    call.report.append(wrong);
                    Outcome { diagnostics: call.report, ..Outcome::default() }
                }
            }
        })
    }

    fn move_from(&self, source: &MoveSource) -> Option<Outcome> {
        let moved = R::move_from(source)?;
        let stored = moved.map_err(Failure::told).and_then(|model| {
            let mut state = encode(model);
            complete(&self.schema, &mut state, Fill::Defaults);
            let identity = Self::identity(&state)?;
            Ok(Stored { state, private: Private::default(), identity })
        });
        Some(match stored {
            Ok(stored) => Outcome { stored, diagnostics: Diagnostics::default() },
            Err(diagnostics) => Outcome { diagnostics, ..Outcome::default() },
        })
    }
}

impl<R> Managed<R> {
    async fn plan_change<C: Sync>(
        &self,
        ctx: &C,
        request: &PlanRequest,
        call: &mut Call,
    ) -> Result<(Value, Vec<Path>), Diagnostics>
    where
        R: Resource<C>,
    {
        let prior = &request.prior.state;
        // Core's second plan of a replacement has no prior state, only the facts that the first plan left.
        let replacing = call.private.take_planned() && prior.is_null();
        let planned = plan(&self.schema, prior, &request.config);
        let operation = if prior.is_null() { "create" } else { "update" };
        call.deadline = Instant::now() + Timeout::of(&planned.state, operation);
        let prior_model: Option<R::Model> = if prior.is_null() { None } else { Some(decode(prior.clone())?) };
        let config: R::Model = decode(request.config.clone())?;
        let mut draft = Plan {
            prior: prior_model.clone(),
            config: config.clone(),
            state: decode(planned.state.clone())?,
            replace: planned.replace,
            replacing,
        };
        match R::plan(ctx, &mut draft, call).await {
            Ok(()) | Err(Failure::Unknown) => {}
            Err(Failure::Unconfigured(what)) => call.report.push(not_checked(&what)),
            Err(Failure::Told(wrong)) => return Err(wrong),
        }
        let read = encode(decode::<R::Model>(planned.state.clone())?);
        let state = with_changes(&planned.state, &read, encode(draft.state.clone()));
        let broken = check::plan(&self.schema, prior, &request.config, &state);
        if let Some(path) = broken.first() {
            return Err(Diagnostic::bug(format!("The plan of `{path}` is neither configuration nor state.")).into());
        }
        let change = Change {
            prior: prior_model,
            config: Some(config),
            plan: Some(draft.state),
            replacing: replacing || !draft.replace.is_empty(),
        };
        let before = call.report.0.len();
        let admitted = admitted(R::admit(ctx, &change, call).await, call);
        if state == *prior {
            // What nobody changes turns no plan red, whatever a rule says of it by now.
            call.report.append(admitted.err().unwrap_or_default());
            for it in &mut call.report.0[before..] {
                it.severity = Severity::Warning;
            }
        } else {
            admitted?;
        }
        if !prior.is_null() {
            call.private.mark_planned();
        }
        Ok((state, draft.replace))
    }

    async fn plan_destroy<C: Sync>(
        &self,
        ctx: &C,
        prior: &Stored,
        call: &mut Call,
    ) -> Result<(Value, Vec<Path>), Diagnostics>
    where
        R: Resource<C>,
    {
        call.private.take_planned();
        call.deadline = Instant::now() + Timeout::of(&prior.state, "delete");
        let change = Change { prior: Some(decode(prior.state.clone())?), config: None, plan: None, replacing: false };
        admitted(R::admit(ctx, &change, call).await, call)?;
        Ok((Value::Null, Vec::new()))
    }

    /// Asks once more whether it may be, and does it.
    async fn deed<C: Sync>(&self, ctx: &C, request: &ApplyRequest, call: &mut Call) -> Result<Value, Diagnostics>
    where
        R: Resource<C>,
    {
        let some = |value: &Value| -> Result<Option<R::Model>, Diagnostics> {
            if value.is_null() { Ok(None) } else { decode(value.clone()).map(Some) }
        };
        let (prior, plan, config) = (some(&request.prior)?, some(&request.planned.state)?, some(&request.config)?);
        if same_but_timeouts(&request.prior, &request.planned.state) {
            return Ok(request.planned.state.clone());
        }
        let change = Change { prior, config, plan, replacing: false };
        admitted(R::admit(ctx, &change, call).await, call)?;
        if call.report.has_errors() {
            return Err(Diagnostics::default());
        }
        let config = change.config.unwrap_or_default();
        match (change.prior, change.plan) {
            (None, Some(plan)) => R::create(ctx, plan, &config, call).await.map(encode),
            (Some(prior), Some(plan)) => R::update(ctx, prior, plan, &config, call).await.map(encode),
            (Some(prior), None) => R::delete(ctx, prior, call).await.map(|()| Value::Null),
            (None, None) => Ok(Value::Null),
        }
        .map_err(Failure::told)
    }

    /// Checks the state after a deed. A breach is told, and the state is kept: the object is there.
    fn done<C: Sync>(&self, planned: &Value, state: Value, mut call: Call) -> Outcome
    where
        R: Resource<C>,
    {
        let broken = check::outcome(&self.schema, planned, &state);
        if let Some(path) = broken.first() {
            call.report.push(Diagnostic::bug(format!("The new value of `{path}` is not the planned one.")));
        } else if !state.is_wholly_known() {
            call.report.push(Diagnostic::bug("A value is still unknown after apply."));
        }
        let identity = match Self::identity(&state) {
            Ok(identity) => identity,
            Err(wrong) => {
                call.report.append(wrong);
                Value::Null
            }
        };
        let private = if state.is_null() { Private::default() } else { call.private };
        Outcome { stored: Stored { state, private, identity }, diagnostics: call.report }
    }
}

/// The outcome of a create without state beside an error: Terraform would taint it, and the next apply would destroy
/// the object with its data. The next create finds it instead.
fn untainted(outcome: Outcome) -> Outcome {
    if outcome.diagnostics.has_errors() { Outcome { stored: Stored::default(), ..outcome } } else { outcome }
}

impl Call {
    pub(crate) fn new(phase: Phase, private: Private, time: std::time::Duration) -> Self {
        Self { phase, private, report: Diagnostics::default(), deadline: Instant::now() + time }
    }
}

/// What is wrong with a configuration: by its schema, by its domain types, by itself. A part that cannot be read is
/// unknown to the last question, so that it hides nothing of what is beside it.
pub(crate) fn validated<M: Model>(
    schema: &Schema,
    mut config: Value,
    validate: impl FnOnce(&M, &mut Diagnostics),
) -> Diagnostics {
    let mut report = Diagnostics::default();
    let wrong = check::config(schema, &config);
    report.0.extend(wrong);
    let (_, wrong) = decode_parts::<M>(config.clone());
    for path in wrong.0.iter().filter_map(|it| it.path.as_ref()) {
        forget(&mut config, path.steps());
    }
    report.append(wrong);
    let (model, _) = decode_parts(config);
    validate(&model, &mut report);
    report
}

/// Makes a part of a value unknown, or the whole where the way to it ends before, as in a set.
fn forget(value: &mut Value, steps: &[Step]) {
    let part = match (steps, &mut *value) {
        ([Step::Attribute(name), ..], Value::Object(parts)) => parts.get_mut(name),
        ([Step::Key(key), ..], Value::Map(entries)) => entries.get_mut(key),
        ([Step::Index(at), ..], Value::List(items)) => items.get_mut(*at),
        _ => None,
    };
    match part {
        Some(part) => forget(part, &steps[1..]),
        None => *value = Value::UNKNOWN,
    }
}

/// A plan with what a hook changed of it, attribute by attribute. `read` is how a model reads the plan: it forgets what is
/// known of a value that is unknown in parts, so that what no hook touched stays as it was planned.
fn with_changes(planned: &Value, read: &Value, decided: Value) -> Value {
    let Value::Object(decided) = decided else { return decided };
    let attributes = decided.into_iter().map(|(name, value)| {
        let is_untouched = *read.attribute(&name) == value;
        let value = if is_untouched { planned.attribute(&name).clone() } else { value };
        (name, value)
    });
    Value::Object(attributes.collect())
}

/// Puts the answer to whether something may be into the report. An unknown value leaves the question open in a plan.
fn admitted(answer: Result<(), Failure>, call: &mut Call) -> Result<(), Diagnostics> {
    match answer {
        Ok(()) => Ok(()),
        Err(Failure::Unknown) if call.phase == Phase::Plan => Ok(()),
        Err(Failure::Unconfigured(what)) if call.phase == Phase::Plan => {
            call.report.push(not_checked(&what));
            Ok(())
        }
        Err(failure) => Err(failure.told()),
    }
}

fn not_checked(what: &str) -> Diagnostic {
    Diagnostic::warning(
        NOT_CHECKED,
        format!("{what} is not known before apply. What is stored stays as it is, and the plan was not checked."),
    )
}

/// The summary of the warning that the server tells only once for all objects.
pub const NOT_CHECKED: &str = "Provider configuration not known yet";

fn same_but_timeouts(prior: &Value, planned: &Value) -> bool {
    let (Value::Object(prior), Value::Object(planned)) = (prior, planned) else { return false };
    prior.iter().all(|(name, it)| name == "timeouts" || planned.get(name) == Some(it))
}
