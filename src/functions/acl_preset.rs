//! `provider::kafka::acl_preset`: the rules that a kind of program needs.

use std::collections::BTreeMap;

use crate::{
    framework::{Function, FunctionError, Parameter, Signature, Type, Value},
    governance::preset::{Preset, Rule},
};

/// The function.
#[derive(Debug)]
pub enum AclPreset {}

impl Function for AclPreset {
    const NAME: &'static str = "acl_preset";
    const SUMMARY: &'static str = "Tells the rules that a kind of program needs, for `kafka_acl`.";
    const DOC: &'static str = "Tells the rules that a kind of program needs, few and exact, each to become a `kafka_acl` with \
                               `for_each`, so that a plan shows them.\n\n`producer` writes to `topic`. `consumer` reads \
                               `topic` in `group`, be it a classic group, one of the new protocol or a share group. \
                               `transactional_producer` writes to `topic` as `transactional_id`. `streams` is what Kafka \
                               Streams does with what it names after `application_id`; its inputs and outputs are further \
                               presets. `connect` is a worker of Kafka Connect with its `group`, `config_topic`, \
                               `offset_topic` and `status_topic`; what its connectors read and write are further \
                               presets.\n\nA name that ends with `*` is how names begin, and `*` alone is every name; an \
                               `application_id` is one name. \
                               Brokers before Kafka 2.8 also want `IDEMPOTENT_WRITE` on the cluster of whoever produces \
                               idempotently.";

    fn signature() -> Signature {
        let text = |name: &str| (name.to_owned(), Type::String);
        let operations = ("operations".to_owned(), Type::Set(Box::new(Type::String)));
        let rule = [text("resource_type"), text("resource_name"), text("pattern_type"), operations];
        Signature {
            parameters: vec![
                Parameter {
                    name: "kind",
                    ty: Type::String,
                    doc: "`producer`, `consumer`, `transactional_producer`, `streams` or `connect`.",
                },
                Parameter {
                    name: "names",
                    ty: Type::Map(Box::new(Type::String)),
                    doc: "What the program uses, by the names that its kind has.",
                },
            ],
            returns: Type::List(Box::new(Type::Object(rule.into()))),
        }
    }

    fn call(arguments: Vec<Value>) -> Result<Value, FunctionError> {
        let [Value::String(kind), Value::Map(names)] = &arguments[..] else {
            unreachable!("the server knows the signature")
        };
        let wrong = |text, argument| FunctionError { text, argument: Some(argument) };
        let preset = Preset::of(kind).map_err(|error| wrong(error.to_string(), 0))?;
        let names: BTreeMap<String, String> = names
            .iter()
            .filter_map(|(name, it)| if let Value::String(it) = it { Some((name.clone(), it.clone())) } else { None })
            .collect();
        let rules = preset.rules(&names).map_err(|error| wrong(error.to_string(), 1))?;
        Ok(Value::List(rules.into_iter().map(shown).collect()))
    }
}

/// A rule in the words of `kafka_acl`.
fn shown(rule: Rule) -> Value {
    let small = |it: &str| Value::String(it.to_ascii_lowercase());
    let attributes = [
        ("resource_type", small(rule.resource_type.as_str())),
        ("resource_name", Value::String(rule.resource_name)),
        ("pattern_type", small(rule.pattern_type.as_str())),
        ("operations", Value::set(rule.operations.iter().map(|it| Value::from(it.as_str())))),
    ];
    Value::Object(attributes.map(|(name, it)| (name.to_owned(), it)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(kind: &str, names: &[(&str, Value)]) -> Result<Value, FunctionError> {
        let names = names.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        AclPreset::call(vec![kind.into(), Value::Map(names)])
    }

    #[test]
    fn rules_are_told_in_the_words_of_the_resource() {
        let Ok(Value::List(rules)) = call("consumer", &[("topic", "a.*".into()), ("group", "g".into())]) else {
            unreachable!("there are rules")
        };
        assert_eq!(rules[0].attribute("resource_name"), &"a.".into());
        assert_eq!(rules[0].attribute("pattern_type"), &"prefixed".into());
        assert_eq!(rules[1].attribute("resource_type"), &"group".into());
        assert_eq!(rules[1].attribute("operations"), &Value::set([Value::from("READ")]));
    }

    #[test]
    fn the_argument_to_blame_is_named() {
        assert_eq!(call("reader", &[]).unwrap_err().argument, Some(0));
        assert_eq!(call("producer", &[("topic", Value::Null)]).unwrap_err().argument, Some(1));
    }
}
