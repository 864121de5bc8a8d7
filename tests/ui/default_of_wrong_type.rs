//! A text as the default of a number.

use terraform_provider_kafka::framework::{Model, Number, OptionalComputed};

/// A model.
#[derive(Default, Model)]
struct Wrong {
    /// A number. Its type is the framework's own: the compiler lists what converts into it, and
    /// for a type of the standard library that changes with the dependencies.
    #[attr(default = "yes")]
    count: OptionalComputed<Number>,
}

fn main() {}
