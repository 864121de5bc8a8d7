//! What came, in the words of `framework`.

use serde_json::Value as Json;

use crate::{
    framework::{
        CodecError, Diagnostic, Path, Private, Type, Value,
        codec::{
            json::{Unexpected, from_json},
            msgpack::from_msgpack,
        },
    },
    proto::tfplugin6::{DynamicValue, RawState, ResourceIdentityData},
};

/// A value of type `ty`; null where there is none. `what` names it in a sentence.
pub(super) fn value(value: Option<&DynamicValue>, ty: &Type, what: &str) -> Result<Value, Diagnostic> {
    let res = match value {
        Some(it) if !it.msgpack.is_empty() => from_msgpack(&it.msgpack, ty),
        Some(it) if !it.json.is_empty() => match serde_json::from_slice(&it.json) {
            Ok(json) => from_json(&json, ty, Unexpected::Refuse),
            Err(_) => return Err(unreadable(what, "it is no JSON", None)),
        },
        _ => Ok(Value::Null),
    };
    res.map_err(|CodecError { what: why, path }| unreadable(what, &format!("it has {why}"), Some(path)))
}

/// An identity of type `ty`; null where there is none.
pub(super) fn identity(identity: Option<&ResourceIdentityData>, ty: &Type) -> Result<Value, Diagnostic> {
    value(identity.and_then(|it| it.identity_data.as_ref()), ty, "identity")
}

/// What a resource remembered.
pub(super) fn private(bytes: &[u8]) -> Private {
    Private::from_bytes(bytes)
}

/// What a state file holds.
pub(super) fn raw(raw: Option<&RawState>, what: &str) -> Result<Json, Diagnostic> {
    match raw {
        Some(it) if !it.json.is_empty() => {
            serde_json::from_slice(&it.json).map_err(|_| unreadable(what, "it is no JSON", None))
        }
        Some(it) if !it.flatmap.is_empty() => Err(Diagnostic::error(
            "State is too old",
            format!(
                "The {what} was written by Terraform 0.11 or older. Apply the configuration with Terraform 0.12 to 1.x \
                 and the provider that wrote it once, and come back then."
            ),
        )),
        _ => Err(unreadable(what, "there is none", None)),
    }
}

fn unreadable(what: &str, why: &str, path: Option<Path>) -> Diagnostic {
    let diagnostic = Diagnostic::bug(format!("The {what} that Terraform sent cannot be read: {why}."));
    Diagnostic { path: path.filter(|it| !it.steps().is_empty()), ..diagnostic }
}
