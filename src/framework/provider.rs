//! The provider itself: what it supplies.

use std::future::Future;

use crate::framework::{Diagnostics, Failure, Model, Registry};

/// A provider.
pub trait Provider: Send + Sync + 'static {
    /// The prefix of its types, such as `kafka`.
    const NAME: &'static str;
    /// The attributes and blocks of the provider block.
    type Settings: Model + Clone;
    /// What the settings become: all that its resources are given.
    type Context: Send + Sync + 'static;

    /// What there is.
    fn registry() -> Registry<Self::Context>;

    /// What is wrong with the settings by themselves; values may be unknown.
    fn validate(_settings: &Self::Settings, _report: &mut Diagnostics) {}

    /// Makes the context, without touching the network. Values may be unknown.
    fn configure(
        settings: Self::Settings,
        report: &mut Diagnostics,
    ) -> impl Future<Output = Result<Self::Context, Failure>> + Send;
}
