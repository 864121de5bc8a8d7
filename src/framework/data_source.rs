//! Data sources: what one supplies.

use std::future::Future;

use crate::framework::{Call, Diagnostics, Failure, Model};

/// A data source.
pub trait DataSource<C: Sync>: Send + Sync + 'static {
    /// Type name without the provider's prefix, such as `cluster`.
    const NAME: &'static str;
    /// The attributes and blocks.
    type Model: Model + Clone;

    /// What is wrong with a configuration by itself.
    fn validate(_config: &Self::Model, _report: &mut Diagnostics) {}

    /// Looks, and answers with the configuration, completed. What is not there is a failure.
    fn read(ctx: &C, config: Self::Model, call: &mut Call)
    -> impl Future<Output = Result<Self::Model, Failure>> + Send;
}
