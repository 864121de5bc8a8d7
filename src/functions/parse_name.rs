//! `provider::kafka::parse_name`: the fields of a name by its template.

use super::render_name::understood;
use crate::framework::{Function, FunctionError, Parameter, Signature, Type, Value};

/// The function.
#[derive(Debug)]
pub enum ParseName {}

impl Function for ParseName {
    const NAME: &'static str = "parse_name";
    const SUMMARY: &'static str = "Reads the fields of a name by its template.";
    const DOC: &'static str = "Reads the fields of a name by its template, such as `a{code}-{application}-{purpose}`. It is \
                               the reverse of `render_name`, and takes the same templates.\n\nA name that does not fit, or \
                               that can be read in more than one way, is an error.";

    fn signature() -> Signature {
        Signature {
            parameters: vec![
                Parameter { name: "template", ty: Type::String, doc: "Template of the name." },
                Parameter { name: "name", ty: Type::String, doc: "Name to read." },
            ],
            returns: Type::Map(Box::new(Type::String)),
        }
    }

    fn call(arguments: Vec<Value>) -> Result<Value, FunctionError> {
        let [Value::String(text), Value::String(name)] = &arguments[..] else {
            unreachable!("the server knows the signature")
        };
        let fields = understood(text)?
            .read(name)
            .map_err(|error| FunctionError { text: format!("`{name}` cannot be read: {error}"), argument: Some(1) })?;
        Ok(Value::Map(fields.into_iter().map(|(name, value)| (name, Value::String(value))).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(template: &str, name: &str) -> Result<Value, FunctionError> {
        ParseName::call(vec![template.into(), name.into()])
    }

    #[test]
    fn the_fields_of_a_name_are_read() {
        let fields = [("application", "pay"), ("purpose", "cards"), ("version", "2")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.into()));
        assert_eq!(call("{application}.{purpose}.v{version}", "pay.cards.v2"), Ok(Value::Map(fields.into())));
    }

    #[test]
    fn a_name_that_does_not_fit_says_where() {
        let error = call("{a}.v{version:[0-9]+}", "cards.vX").unwrap_err();
        let text = "`cards.vX` cannot be read: the template `{a}.v{version:[0-9]+}` wants the field `version`, which matches \
                    `[0-9]+`, after `cards.v`, where there is `X`";
        assert_eq!(error, FunctionError { text: text.to_owned(), argument: Some(1) });
    }

    #[test]
    fn a_name_with_two_readings_is_not_guessed() {
        let error = call("{a:.+}-{b:.+}", "x-y-z").unwrap_err();
        assert!(error.text.contains("in more than one way"), "{}", error.text);
    }
}
