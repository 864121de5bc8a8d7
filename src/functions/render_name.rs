//! `provider::kafka::render_name`: a name from a template and its fields.

use std::collections::BTreeMap;

use crate::{
    framework::{Function, FunctionError, Parameter, Signature, Type, Value},
    governance::template::{Fields, Template, Unlisted},
};

/// The function.
#[derive(Debug)]
pub enum RenderName {}

impl Function for RenderName {
    const NAME: &'static str = "render_name";
    const SUMMARY: &'static str = "Makes a name from a template and its fields.";
    const DOC: &'static str = "Makes a name from a template, such as `a{code}-{application}-{purpose}`, and the values of \
                               its fields.\n\nA field is a name in braces. It holds letters and digits, or what a regular \
                               expression after a colon permits, as in `{suffix:(-dlq)?}`; `application` holds the name of \
                               an application. A field that may be empty may be left out.";

    fn signature() -> Signature {
        Signature {
            parameters: vec![
                Parameter { name: "template", ty: Type::String, doc: "Template of the name." },
                Parameter {
                    name: "fields",
                    ty: Type::Map(Box::new(Type::String)),
                    doc: "Values of the template's fields, by name.",
                },
            ],
            returns: Type::String,
        }
    }

    fn call(arguments: Vec<Value>) -> Result<Value, FunctionError> {
        let [Value::String(text), Value::Map(fields)] = &arguments[..] else {
            unreachable!("the server knows the signature")
        };
        let template = understood(text)?;
        template.render(&given(fields)).map(Value::String).map_err(|errors| FunctionError {
            text: format!("No name can be made of `{template}`: {}", joined(&errors)),
            argument: Some(1),
        })
    }
}

/// The template in the first argument.
pub(super) fn understood(text: &str) -> Result<Template, FunctionError> {
    Template::parse(text, &Fields::new(), Unlisted::Permitted).map_err(|errors| FunctionError {
        text: format!("`{text}` is no template: {}", joined(&errors)),
        argument: Some(0),
    })
}

/// The fields that have a value: null is as good as left out.
fn given(fields: &BTreeMap<String, Value>) -> Fields {
    let text = |value: &Value| match value {
        Value::String(it) => Some(it.clone()),
        _ => None,
    };
    fields.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
}

/// All that is wrong, in one sentence whose full stop the engine writes.
fn joined<E: std::fmt::Display>(errors: &[E]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(template: &str, fields: &[(&str, Value)]) -> Result<Value, FunctionError> {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        RenderName::call(vec![template.into(), Value::Map(fields)])
    }

    #[test]
    fn a_name_is_made_of_its_fields() {
        let template = "a{code}-{application}-{purpose}{suffix:(-dlq)?}";
        let fields = [("code", "0205".into()), ("application", "pay-in".into()), ("purpose", "cards".into())];
        assert_eq!(call(template, &fields), Ok("a0205-pay-in-cards".into()));
        let with_null = [&fields[..], &[("suffix", Value::Null)]].concat();
        assert_eq!(call(template, &with_null), Ok("a0205-pay-in-cards".into()));
        let dead = [&fields[..], &[("suffix", "-dlq".into())]].concat();
        assert_eq!(call(template, &dead), Ok("a0205-pay-in-cards-dlq".into()));
    }

    #[test]
    fn the_argument_to_blame_is_named_with_everything_that_is_wrong() {
        let error = call("{a}-{b}", &[("a", "x y".into()), ("c", "z".into())]).unwrap_err();
        let text = "No name can be made of `{a}-{b}`: `x y` is no value for the field `a`, which matches `[A-Za-z0-9]+`; the \
                    field `b` has no value; it matches `[A-Za-z0-9]+`; the template has no field `c`";
        assert_eq!(error, FunctionError { text: text.to_owned(), argument: Some(1) });
        assert_eq!(call("{a", &[]).unwrap_err().argument, Some(0));
    }
}
