//! From what was agreed to to what the cluster knows, and back.

use super::draft::Draft;
use crate::governance::{
    acl::AclBinding,
    binding::Holder,
    request::{Grant, Request, RequestId, RequestStatus},
};

/// Takes everything away that a request has, or was about to have. What others hold stays.
pub(super) fn end(draft: &mut Draft<'_>, id: &RequestId, into: RequestStatus) {
    let Some(there) = draft.request(id).cloned() else { return };
    release(draft, id, |_| true);
    let next = match there.grant {
        Some(grant) => Request { status: into, grant: Some(Grant { is_ending: true, ..grant }), ..there },
        None => Request { status: finally(into), ended_at: Some(draft.now), ..there },
    };
    draft.set_request(id.clone(), next);
}

/// Takes away what was granted of a revision before; what is asked for now is still to be decided.
pub(super) fn end_granted(draft: &mut Draft<'_>, id: &RequestId) {
    let Some(there) = draft.request(id).cloned() else { return };
    release(draft, id, |_| true);
    let grant = there.grant.map(|it| Grant { is_ending: true, ..it });
    draft.set_request(id.clone(), Request { grant, ..there });
}

/// What a request is once what it had is gone.
fn finally(ending: RequestStatus) -> RequestStatus {
    match ending {
        RequestStatus::Revoking => RequestStatus::Revoked,
        RequestStatus::Expiring => RequestStatus::Expired,
        it => it,
    }
}

/// Holds these rules of a grant no more.
pub(super) fn release(draft: &mut Draft<'_>, id: &RequestId, is_released: impl Fn(&AclBinding) -> bool) {
    let holder = Holder::Grant(id.to_string());
    let held: Vec<AclBinding> =
        draft.state.bindings_of(&holder).map(|(it, _)| it.clone()).filter(|it| is_released(it)).collect();
    for binding in held {
        if let Some(mut entry) = draft.binding(&binding).cloned() {
            entry.release(&holder);
            draft.set_binding(binding, entry);
        }
    }
}
