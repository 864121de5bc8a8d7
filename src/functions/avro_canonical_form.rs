//! `provider::kafka::avro_canonical_form`: what Avro's readers and writers see of a schema, and its fingerprints.

use std::collections::BTreeMap;

use crate::{
    framework::{Function, FunctionError, Parameter, Signature, Type, Value},
    schemas::{avro_canonical_form, crc_64_avro, sha_256},
};

/// The function.
#[derive(Debug)]
pub enum AvroCanonicalForm {}

/// The attributes of the result.
const RESULT: [&str; 3] = ["form", "crc_64_avro", "sha_256"];

impl Function for AvroCanonicalForm {
    const NAME: &'static str = "avro_canonical_form";
    const SUMMARY: &'static str = "Gives the Parsing Canonical Form of an Avro schema, and its fingerprints.";
    const DOC: &'static str = "Gives the Parsing Canonical Form of an Avro schema as `form`, and its fingerprints in \
                               hexadecimal digits as `crc_64_avro` and `sha_256`.\n\nThe form has what decides how data is \
                               read: without documentation, defaults, aliases and logical types. Two schemas with one form \
                               are not the same schema, and `kafka_schema` does not take them for the same.";

    fn signature() -> Signature {
        Signature {
            parameters: vec![Parameter { name: "schema", ty: Type::String, doc: "Text of the schema." }],
            returns: Type::Object(RESULT.map(|it| (it.to_owned(), Type::String)).into()),
        }
    }

    fn call(arguments: Vec<Value>) -> Result<Value, FunctionError> {
        let [Value::String(schema)] = &arguments[..] else { unreachable!("the server knows the signature") };
        let form = avro_canonical_form(schema)
            .map_err(|error| FunctionError { text: format!("This is no Avro schema: {error}"), argument: Some(0) })?;
        let (crc, sha) = (crc_64_avro(&form), sha_256(&form));
        let values = RESULT.map(str::to_owned).into_iter().zip([form, crc, sha].map(Value::String));
        Ok(Value::Object(values.collect::<BTreeMap<_, _>>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_has_a_form_and_fingerprints() {
        let given = AvroCanonicalForm::call(vec!["{\"type\": \"int\", \"doc\": \"x\"}".into()]).unwrap();
        assert_eq!(given.attribute("form"), &"\"int\"".into());
        assert_eq!(given.attribute("crc_64_avro"), &"7275d51a3f395c8f".into());
        let wrong = AvroCanonicalForm::call(vec!["{".into()]).unwrap_err();
        let text = "This is no Avro schema: line 1, column 1: EOF while parsing an object";
        assert_eq!(wrong, FunctionError { text: text.to_owned(), argument: Some(0) });
    }
}
