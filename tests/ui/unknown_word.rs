//! A word that nobody knows.

use terraform_provider_kafka::framework::{Model, Required};

/// A model.
#[derive(Default, Model)]
struct Wrong {
    /// A name.
    #[attr(immutable)]
    name: Required<String>,
}

fn main() {}
