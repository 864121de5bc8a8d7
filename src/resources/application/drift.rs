//! What somebody took away from an application, or changed, behind its back.

use std::{collections::BTreeSet, fmt::Display};

use super::{ApplicationModel, DRIFTED, Entry};
use crate::{
    clients::{governed::Governed, kafka::KafkaError},
    framework::{Call, Diagnostic, Failure},
    governance::{decide::needs_provisioning, state::State, violation::listed},
};

impl ApplicationModel {
    /// Tells that somebody took rights away or changed quotas, and has the next plan make them again. Who may not see
    /// them plans all the same, and is told.
    pub(super) async fn tell_drift(
        &mut self,
        found: &Entry,
        known: &State,
        governed: &Governed,
        call: &mut Call,
    ) -> Result<(), Failure> {
        let name = &found.spec.name;
        let environment = known.environment().filter(|_| governed.mailbox(known).is_none());
        if environment.is_some_and(|it| needs_provisioning(it, known, found)) {
            self.status = DRIFTED.to_owned().into();
            let detail = format!(
                "The environment's rules changed, and `{name}` still has the rights that it had before.\n\nThe next apply \
                 makes those that it is to have."
            );
            call.report.push(Diagnostic::warning("Rights are not as the rules say", detail).at("status"));
        }
        let lost = governed.lost_rules(found, known, call.deadline).await;
        if let Some(lost) = seen(lost, &format!("the cluster still has the rules of `{name}`"), call)?
            && !lost.is_empty()
        {
            let what = format!("Somebody removed rules of `{name}` from the cluster: {}.", some(&lost));
            self.drifted("Rights removed outside", &what, call);
        }
        // Who may not see rules was told already.
        if let Ok(strange) = governed.strange_rules(found, known, call.deadline).await
            && !strange.is_empty()
        {
            let detail = format!(
                "The cluster has rules that somebody else made, and that change who may do what of `{name}`: {}.\n\nThey \
                 stay, because they are not this provider's: remove them with Kafka's own tools, or ask who made them.",
                some(&strange)
            );
            call.report.push(Diagnostic::warning("Rules of others", detail).at("status"));
        }
        let changed = governed.changed_quotas(found, known, false, call.deadline).await;
        let changed = seen(changed, &format!("the client quotas of `{name}` are what they should be"), call)?;
        if let Some(changed) = changed
            && !changed.is_empty()
        {
            let what = format!("Somebody changed or removed client quotas of `{name}`: those of {}.", some(&changed));
            self.drifted("Quotas changed outside", &what, call);
        }
        Ok(())
    }

    fn drifted(&mut self, summary: &str, what: &str, call: &mut Call) {
        self.status = DRIFTED.to_owned().into();
        let detail = format!("{what}\n\nThe next apply makes them again.");
        call.report.push(Diagnostic::warning(summary, detail).at("status"));
    }
}

/// What was seen; `None` where the caller may not see it, which is told.
fn seen<T>(
    answer: Result<BTreeSet<T>, KafkaError>,
    whether: &str,
    call: &mut Call,
) -> Result<Option<BTreeSet<T>>, Failure> {
    match answer {
        Ok(it) => Ok(Some(it)),
        Err(error @ (KafkaError::Denied { .. } | KafkaError::NoAuthorizer)) => {
            let detail = format!("Whether {whether} cannot be seen.");
            call.report.push(Diagnostic::warning("Rights not refreshed", detail).caused_by(&error));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Some of many, with how many there are besides.
fn some<T: Display>(all: &BTreeSet<T>) -> String {
    let told = listed(all.iter().take(20));
    if all.len() > 20 { format!("{told}, and {} more", all.len() - 20) } else { told }
}
