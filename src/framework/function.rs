//! Functions: what one supplies.

use crate::framework::{Type, Value};

/// A function that configurations call as `provider::kafka::name(…)`. It is pure.
pub trait Function: Send + Sync + 'static {
    /// Its name.
    const NAME: &'static str;
    /// One sentence on what it is for.
    const SUMMARY: &'static str;
    /// Description, in Markdown.
    const DOC: &'static str;

    /// What it takes and gives.
    fn signature() -> Signature;

    /// Computes the result. The arguments have the types of the signature and are known and not null.
    fn call(arguments: Vec<Value>) -> Result<Value, FunctionError>;
}

/// What a function takes and gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// The parameters, in order.
    pub parameters: Vec<Parameter>,
    /// The type of the result.
    pub returns: Type,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// What it is.
    pub doc: &'static str,
}

/// Why a function has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// What is wrong, as a sentence.
    pub text: String,
    /// The argument to blame, counted from 0.
    pub argument: Option<usize>,
}
