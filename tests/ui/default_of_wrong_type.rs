//! A text as the default of a flag.

use terraform_provider_kafka::framework::{Model, OptionalComputed};

/// A model.
#[derive(Default, Model)]
struct Wrong {
    /// A flag.
    #[attr(default = "yes")]
    enabled: OptionalComputed<bool>,
}

fn main() {}
