//! Programs of others that use what the provider made.

use std::{path::Path, process::Command, time::Duration};

use serde_json::Value;

use crate::{Registry, Stack, cache, process::run_or_explain, python};

const CONFLUENT_KAFKA: &str = "confluent-kafka[avro,schemaregistry]==2.11.1";

/// Writes a value to a topic with the newest schema of its subject, by Confluent's own serializer, and reads it back: the
/// id that the message carries, and what it says by the schema of that id.
///
/// # Errors
/// What is missing for that, or what failed.
pub fn avro_round_trip(stack: &Stack, registry: &Registry, topic: &str, value: &Value) -> Result<Value, String> {
    let folder = cache::folder("confluent-kafka-2.11.1", |it| python::install_with_dependencies(CONFLUENT_KAFKA, it))?;
    let mut witness = Command::new(python::program()?);
    witness.env("PYTHONPATH", folder).arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("witness/avro.py"));
    witness.args([&stack.plaintext(), &registry.url(), topic, &value.to_string()]);
    let answer = run_or_explain(&mut witness, Duration::from_mins(2))?;
    serde_json::from_str(&answer.stdout).map_err(|it| format!("{it}: {}", answer.stdout))
}
