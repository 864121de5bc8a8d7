//! What somebody took away from an application behind its back.

use super::{ApplicationModel, DRIFTED, Entry};
use crate::{
    clients::{governed::Governed, kafka::KafkaError},
    framework::{Call, Diagnostic, Failure},
    governance::state::State,
};

impl ApplicationModel {
    /// Tells that somebody took rights away, and has the next plan make them again. Who may not see them plans all the
    /// same, and is told.
    pub(super) async fn tell_lost_rules(
        &mut self,
        found: &Entry,
        known: &State,
        governed: &Governed,
        call: &mut Call,
    ) -> Result<(), Failure> {
        let name = &found.spec.name;
        let lost = match governed.lost_rules(found, known, call.deadline).await {
            Ok(lost) => lost,
            Err(error @ (KafkaError::Denied { .. } | KafkaError::NoAuthorizer)) => {
                let detail = format!("Whether the cluster still has the rules of `{name}` cannot be seen.");
                call.report.push(Diagnostic::warning("Rights not refreshed", detail).caused_by(&error));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        if !lost.is_empty() {
            self.status = DRIFTED.to_owned().into();
            let rules: Vec<String> = lost.iter().take(20).map(|it| format!("`{it}`")).collect();
            let detail = format!(
                "Somebody removed rules of `{name}` from the cluster: {}.\n\nThe next apply makes them again.",
                rules.join(", ")
            );
            call.report.push(Diagnostic::warning("Rights removed outside", detail).at("status"));
        }
        Ok(())
    }
}
