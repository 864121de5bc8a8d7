//! Between the model of a request and what governance calls one.

use std::collections::{BTreeMap, BTreeSet};

use super::{AccessRequestModel, OnDestroy, Pattern, requests};
use crate::{
    clients::{governed::Governed, journal::random_uuid},
    framework::{Failure, Optional, Set, Unknown},
    governance::{
        acl::Operation,
        command::Command,
        names::ApplicationName,
        request::{AccessTo, Filing, Level, Request, RequestId, RequestStatus, Subject},
        state::State,
        violation::{At, Violation},
    },
    resources::attributes::Moment,
};

const JUSTIFICATION: &str = "justification";

impl AccessRequestModel {
    /// What is filed under an id.
    pub(super) fn filing(&self, id: RequestId) -> Result<Filing, Unknown> {
        let justification = self.justification.known()?.map(|it| (JUSTIFICATION.to_owned(), it.clone()));
        Ok(Filing {
            expires_at: self.expires_at.known()?.map(|it| it.at),
            approver: self.approver.known()?.cloned(),
            ticket: self.ticket.known()?.cloned(),
            texts: justification.into_iter().collect(),
            ..Filing::new(id, self.applicant()?.clone(), Subject::Access(self.asked()?))
        })
    }

    fn applicant(&self) -> Result<&ApplicationName, Unknown> {
        Ok(&self.application.value()?.name)
    }

    /// What is asked for, without what others hold.
    pub(super) fn asked(&self) -> Result<AccessTo, Unknown> {
        let kind = *self.resource_type.value()?;
        let operations = match self.access.known()? {
            Some(level) => level.operations(kind),
            None => self.operations.known()?.into_iter().flat_map(|it| it.0.iter().copied()).collect(),
        };
        let pattern = self.pattern_type.known()?.copied().unwrap_or(Pattern::Literal).into();
        Ok(AccessTo { kind, name: self.resource_name.value()?.clone(), pattern, operations }.canonical())
    }

    /// An id that nobody has, as good as certainly.
    pub(super) fn new_id(&self) -> Result<RequestId, Unknown> {
        let digits = random_uuid();
        let number = u32::from_str_radix(digits.get(..8).unwrap_or_default(), 16).unwrap_or_default();
        Ok(RequestId::new(self.applicant()?.clone(), number))
    }

    /// An open request of which this would change nothing, and that the same person filed: one whose run was killed before
    /// it could say so.
    pub(super) fn interrupted(
        &self,
        governed: &Governed,
        known: &State,
        is_own: impl Fn(&RequestId) -> bool,
    ) -> Result<Option<RequestId>, Failure> {
        let applicant = self.applicant()?;
        let is_open = |it: &Request| !it.status.is_over() && it.status != RequestStatus::Rejected;
        for (id, it) in known.requests().filter(|(id, it)| id.applicant() == applicant && is_open(it) && !is_own(id)) {
            let command = Command::FileRequest(Box::new(self.filing(id.clone())?));
            let is_same_person = it.filed_by == governed.caller().claimed;
            if is_same_person && governed.would_write(known, &command) == Ok(false) {
                return Ok(Some(id.clone()));
            }
        }
        Ok(None)
    }

    /// The state after a look at the journal, in its own words where they mean what is there. Free text is read for an
    /// import alone: it is not in what plans read. `None` if the request is not for access.
    pub(super) fn seen(self, found: &Request, known: &State, texts: Option<&BTreeMap<String, String>>) -> Option<Self> {
        let access = found.content.access()?;
        let is_said = self.asked().is_ok_and(|it| it == *access);
        let (word, operations) = if is_said { (self.access, self.operations) } else { said(access) };
        Some(Self {
            resource_type: access.kind.into(),
            resource_name: access.name.clone().into(),
            pattern_type: Pattern::from(access.pattern).into(),
            access: word,
            operations,
            justification: match texts {
                Some(texts) => texts.get(JUSTIFICATION).cloned().into(),
                None => self.justification,
            },
            ticket: found.ticket.clone().into(),
            approver: found.approver.clone().into(),
            expires_at: match self.expires_at.get() {
                Some(own) if Some(own.at) == found.content.expires_at => self.expires_at,
                _ => found.content.expires_at.and_then(Moment::utc).into(),
            },
            on_destroy: self.on_destroy.get().copied().unwrap_or(OnDestroy::Revoke).into(),
            revision: found.revision.to_string().into(),
            owner: found.owner().map(ToString::to_string).unwrap_or_default().into(),
            status: requests::status(found, known).to_owned().into(),
            ..self
        })
    }

    /// The same reasons, at the attribute that was written.
    pub(super) fn told_at_access(&self, mut violations: Vec<Violation>) -> Vec<Violation> {
        let operations = At::attribute("operations");
        for it in violations.iter_mut().filter(|it| it.at == operations && !self.access.is_null()) {
            it.at = At::attribute("access");
        }
        violations
    }
}

/// How a configuration says what is asked for: in one word where there is one.
fn said(access: &AccessTo) -> (Optional<Level>, Optional<Set<Operation>>) {
    let AccessTo { kind, operations, .. } = access;
    let canonical = |level: Level| -> BTreeSet<Operation> {
        AccessTo { operations: level.operations(*kind), ..access.clone() }.canonical().operations
    };
    match Level::ALL.into_iter().find(|it| canonical(*it) == *operations) {
        Some(level) => (level.into(), Optional::default()),
        None => (Optional::default(), Set(operations.iter().copied().collect()).into()),
    }
}
