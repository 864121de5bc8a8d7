//! Managed resources: what one supplies, and what happens around it.

use std::{fmt, future::Future, time::Instant};

use serde_json::Value as Json;

use crate::framework::{Diagnostics, Failure, Model, Path, Private};

/// A managed resource. All its knowledge of Terraform is in its model; everything that a schema can express is done
/// around it, above all the plan.
///
/// `C` is what the provider's configuration became. A resource keeps nothing between two calls but its state and its
/// [`Private`] facts.
pub trait Resource<C: Sync>: Send + Sync + 'static {
    /// Type name without the provider's prefix, such as `topic`.
    const NAME: &'static str;
    /// Version of the schema. It begins at 100, so that state of other providers is older.
    const VERSION: i64 = 100;
    /// Version of the identity's schema.
    const IDENTITY_VERSION: i64 = 10;
    /// The attributes and blocks.
    type Model: Model + Clone;
    /// The attributes that tell the object from all others, wherever it is configured.
    type Identity: Model;

    /// The identity of a state. Parts may be unknown while the state is planned.
    fn identity(state: &Self::Model) -> Self::Identity;

    /// What is wrong with a configuration by itself. Runs without a provider configuration, and with unknown values;
    /// what domain types say of their own values is said already.
    fn validate(_config: &Self::Model, _report: &mut Diagnostics) {}

    /// What a schema cannot express of a plan. May change computed values and add reasons for a replacement.
    fn plan(
        _ctx: &C,
        _plan: &mut Plan<Self::Model>,
        _call: &mut Call,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        async { Ok(()) }
    }

    /// Whether what is planned may be: asked with every plan, destroys included, and again before every deed. It judges
    /// each rule on its known parts and reports every breach; an unknown value leaves a question open. Where nothing
    /// changes, its errors are told as warnings.
    fn admit(
        ctx: &C,
        change: &Change<Self::Model>,
        call: &mut Call,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Makes the object, and answers with the plan, completed. A create that fails half-way leaves no state: the next
    /// one resumes its work. (State beside an error would taint it, and the next apply would destroy data.)
    fn create(
        ctx: &C,
        plan: Self::Model,
        config: &Self::Model,
        call: &mut Call,
    ) -> impl Future<Output = Result<Self::Model, Failure>> + Send;

    /// Looks at the object. `None` only if it is certain that it is gone.
    fn read(
        ctx: &C,
        state: Self::Model,
        call: &mut Call,
    ) -> impl Future<Output = Result<Option<Self::Model>, Failure>> + Send;

    /// Changes the object, and answers with the plan, completed.
    fn update(
        ctx: &C,
        prior: Self::Model,
        plan: Self::Model,
        config: &Self::Model,
        call: &mut Call,
    ) -> impl Future<Output = Result<Self::Model, Failure>> + Send;

    /// Deletes the object. One that is gone already succeeds.
    fn delete(ctx: &C, state: Self::Model, call: &mut Call) -> impl Future<Output = Result<(), Failure>> + Send;

    /// The state from which a read finds the object that an identifier or an identity names.
    fn import(
        ctx: &C,
        import: Import<Self::Identity>,
        call: &mut Call,
    ) -> impl Future<Output = Result<Self::Model, Failure>> + Send;

    /// Brings state of an older schema version into the present form. Attributes that are no more are dropped, and
    /// defaults filled, around it.
    fn upgrade(_version: i64, state: Json) -> Result<Json, Failure> {
        Ok(state)
    }

    /// The state of an object that another resource type managed, if this one knows it.
    fn move_from(_source: &MoveSource) -> Option<Result<Self::Model, Failure>> {
        None
    }
}

/// When a question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// For a plan: nothing may be changed, and values may be unknown.
    Plan,
    /// For a deed.
    Apply,
}

/// What goes with a call: what the resource remembers, what it reports beside its result, and how long it has.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it is asked.
    pub phase: Phase,
    /// Facts beside the state; in a plan, those for apply.
    pub private: Private,
    /// Messages beside the result.
    pub report: Diagnostics,
    /// The end of the time that `timeouts` gives.
    pub deadline: Instant,
}

/// A plan that a resource may still change.
#[derive(Clone, Debug)]
pub struct Plan<M> {
    /// The state so far; none for a create.
    pub prior: Option<M>,
    /// The configuration.
    pub config: M,
    /// The state to come.
    pub state: M,
    /// The attributes that force a replacement.
    pub replace: Vec<Path>,
    /// Whether this is the create of a replacement, whose object still exists.
    pub replacing: bool,
}

/// What is about to happen to an object.
#[derive(Clone, Debug)]
pub struct Change<M> {
    /// The state so far; none for a create.
    pub prior: Option<M>,
    /// The configuration; none for a destroy.
    pub config: Option<M>,
    /// The state to come; none for a destroy.
    pub plan: Option<M>,
    /// Whether the object is to be deleted and made anew: told by the plan of the update or of the create.
    pub replacing: bool,
}

/// What names the object of an import.
#[derive(Clone, Debug)]
pub enum Import<I> {
    /// A text.
    Id(String),
    /// An identity.
    Identity(I),
}

/// An object that another resource type managed.
#[derive(Clone, Debug, PartialEq)]
pub struct MoveSource {
    /// Address of the provider, such as `registry.terraform.io/mongey/kafka`.
    pub provider: String,
    /// Type of the resource, such as `kafka_topic`.
    pub resource_type: String,
    /// Version of its schema.
    pub version: i64,
    /// Its state.
    pub state: Json,
}

impl<M> Change<M> {
    /// Whether an object is made.
    pub fn is_create(&self) -> bool {
        self.prior.is_none()
    }

    /// Whether the object is deleted.
    pub fn is_destroy(&self) -> bool {
        self.plan.is_none()
    }

    /// The object that is deleted, for good or to be made anew.
    pub fn ending(&self) -> Option<&M> {
        self.prior.as_ref().filter(|_| self.is_destroy() || self.replacing)
    }
}

impl<I> fmt::Display for Import<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "`{id}`"),
            Self::Identity(_) => f.write_str("the identity"),
        }
    }
}
