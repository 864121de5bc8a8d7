//! A struct without names.

use terraform_provider_kafka::framework::{Model, Required};

/// A model.
#[derive(Default, Model)]
struct Wrong(Required<String>);

fn main() {}
