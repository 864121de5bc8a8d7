//! A replacement because of a value that only the provider sets.

use terraform_provider_kafka::framework::{Computed, Model};

/// A model.
#[derive(Default, Model)]
struct Wrong {
    /// An id.
    #[attr(requires_replace)]
    id: Computed<String>,
}

fn main() {}
