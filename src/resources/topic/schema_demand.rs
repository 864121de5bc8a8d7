//! The schema that an environment demands of a topic, told in plans.

use std::time::Instant;

use super::DRY_RUN;
use crate::{
    framework::{Call, Diagnostic, Failure, Path},
    governance::{schema_demand::SchemaDemand, state::State, subject::SubjectName, topic::TopicName},
    provider::Environment,
    resources::{registry::remedy, schema},
};

/// What is told once of all topics.
const NOT_LOOKED: &str = "that subjects cannot be looked for";

/// Tells of a topic that lacks the schema which the environment demands: no subject is there, nor planned so far. The plan of
/// its schema may come after this one, so that it is a warning.
pub(super) async fn tell_missing_schema(
    environment: &Environment,
    state: &State,
    topic: &TopicName,
    call: &mut Call,
) -> Result<(), Failure> {
    let Some(demand) = SchemaDemand::of(state, topic) else { return Ok(()) };
    // In apply, the schema is on its way.
    if environment.has_made_anything() || environment.has_planned(|it| is_subject_of(&demand, it)) {
        return Ok(());
    }
    let deadline = call.deadline.min(Instant::now() + DRY_RUN);
    let registry = match environment.registry() {
        Ok(it) => it,
        Err(Failure::Told(_)) => {
            tell_once(environment, not_configured(), call);
            return Ok(());
        }
        Err(other) => return Err(other),
    };
    match registry.subjects_at_first(deadline).await {
        Ok(subjects) if subjects.iter().any(|it| demand.is_met_by(it)) => {}
        Ok(_) => call.report.push(missing(&demand)),
        Err(error) => {
            let detail = format!("{DEMANDED}, and the registry could not be asked for them.\n\n{}", remedy(error));
            tell_once(environment, Diagnostic::warning(NOT_CHECKED, detail).caused_by(error), call);
        }
    }
    Ok(())
}

/// Whether an object of a plan is a subject that the topic can have.
fn is_subject_of(demand: &SchemaDemand, object: &str) -> bool {
    let subject: Option<SubjectName> = schema::subject_of(object).and_then(|it| it.parse().ok());
    subject.is_some_and(|it| demand.is_met_by(&it))
}

const NOT_CHECKED: &str = "Schemas of topics not looked for";
const DEMANDED: &str = "The environment demands a schema of every topic";

fn tell_once(environment: &Environment, told: Diagnostic, call: &mut Call) {
    if environment.plan_once(NOT_LOOKED) {
        call.report.push(told);
    }
}

fn not_configured() -> Diagnostic {
    let detail = format!(
        "{DEMANDED}, and the provider block does not say where the schema registry is.\n\nAdd `schema_registry = {{ url = \
         \"…\" }}` to the environment there."
    );
    Diagnostic::warning(NOT_CHECKED, detail)
}

fn missing(demand: &SchemaDemand) -> Diagnostic {
    let (topic, wanted) = (demand.topic(), demand.wanted());
    let detail = format!(
        "{DEMANDED}, and `{topic}` has none: the registry has no subject {wanted}, and this plan has none so \
         far.\n\nDeclare one with `kafka_schema`. If it is in this configuration and planned after the topic, nothing is \
         missing."
    );
    Diagnostic::warning("Topic without schema", detail).at(Path::attribute("name"))
}
