//! A default for what must be set.

use terraform_provider_kafka::framework::{Model, Required};

/// A model.
#[derive(Default, Model)]
struct Wrong {
    /// A count.
    #[attr(default = 3)]
    count: Required<i64>,
}

fn main() {}
