//! Terraform's semantics, free of gRPC and of Kafka: it could serve another provider unchanged.
//!
//! - [`Value`] and [`Type`] are Terraform's; [`codec`] reads and writes them.
//! - A [`Model`] is one struct from which schema, decoder and encoder are read.
//! - [`plan()`] decides what a schema can decide; [`check`] holds every answer to the rules of Terraform's core.
//! - A [`Resource`], [`DataSource`] or [`Function`] is what a provider supplies, in a [`Registry`]. What is done around
//!   each of them alike is in `managed`.
//!
//! Nothing here keeps anything between two calls: state is Terraform's, and the context belongs to the provider.

mod attribute;
pub mod check;
pub mod codec;
mod data_source;
mod diagnostics;
mod failure;
mod function;
mod managed;
mod model;
mod number;
mod path;
mod plan;
mod private;
mod provider;
mod registry;
mod resource;
mod schema;
mod timeouts;
mod ty;
mod upgrade;
mod value;

pub use attribute::{Attribute, Element, Set};
pub use codec::CodecError;
pub use data_source::DataSource;
pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use failure::Failure;
pub use function::{Function, FunctionError, Parameter, Signature};
pub(crate) use managed::validated;
pub use managed::{Answer, ApplyRequest, DynResource, NOT_CHECKED, Outcome, PlanRequest, PlanResponse, Stored};
pub(crate) use model::decode_parts;
pub use model::{
    About, AttributeField, Block, Blocks, Computed, Configurable, Field, Model, Nested, Optional, OptionalComputed,
    Providable, Required, Slot, Unknown, Visitor, decode, encode, schema,
};
pub use number::{NotANumber, Number};
pub use path::{Path, Step};
pub use plan::{Planned, plan};
pub use private::Private;
pub use provider::Provider;
pub use registry::{DynDataSource, DynFunction, Registry};
pub use resource::{Call, Change, Import, MoveSource, Phase, Plan, Resource};
pub use schema::{AttributeSchema, BlockSchema, DefaultValue, FieldSchema, Kind, Mode, Nesting, Schema};
pub use terraform_provider_kafka_derive::Model;
pub use timeouts::{Timeout, TimeoutError, Timeouts};
pub use ty::{NotAType, Type};
pub use value::{Refinement, Value};
