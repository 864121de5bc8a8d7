//! A field that does not say who sets it.

use terraform_provider_kafka::framework::Model;

/// A model.
#[derive(Default, Model)]
struct Wrong {
    /// A name.
    name: String,
}

fn main() {}
