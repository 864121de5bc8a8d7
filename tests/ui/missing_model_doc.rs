//! A model without a description.

use terraform_provider_kafka::framework::{Model, Required};

#[derive(Default, Model)]
struct Wrong {
    /// A name.
    name: Required<String>,
}

fn main() {}
