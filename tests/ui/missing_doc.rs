//! An attribute without a description.

use terraform_provider_kafka::framework::{Model, Required};

/// A model.
#[derive(Default, Model)]
struct Wrong {
    name: Required<String>,
}

fn main() {}
