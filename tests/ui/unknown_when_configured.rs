//! An unknown value for what only the configuration sets.

use terraform_provider_kafka::framework::{Model, Optional};

/// A model.
#[derive(Default, Model)]
struct Wrong {
    /// A name.
    #[attr(unknown_when = &["other"])]
    name: Optional<String>,
}

fn main() {}
