//! Applications: made, changed, ended.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{adoption, declaration, draft::Draft, no_application, open_mode, ownership, provisioning};
use crate::governance::{
    application::{Application, ApplicationSpec, Status},
    command::{ApplicationRequest, Role},
    grants,
    kind::Kind,
    names::ApplicationName,
    policy::ApplicationApproval,
    prefix::{self, Claimant},
    rights,
    secret::looks_secret,
    state::{State, application_key},
    template::check_value,
    violation::{At, Refusal, Violation, Weight, listed},
};

pub(super) fn declare(draft: &mut Draft<'_>, request: &ApplicationRequest) -> Result<(), Refusal> {
    let there = draft.state.application(&request.spec.name);
    match there.map(|it| (it, it.status)) {
        None => make(draft, request, 1),
        Some((it, Status::Deleted | Status::Rejected)) => make(draft, request, it.incarnation.saturating_add(1)),
        Some((it, Status::Deleting)) => Err(being_deleted(&it.spec.name)),
        // A run that was killed left it so, and this one goes on. Who is nobody in particular may be somebody else.
        Some((it, status))
            if is_same(draft.state, it, request) || (status != Status::Ready && draft.actor.role != Role::Nobody) =>
        {
            alter(draft, it, request)
        }
        Some((it, _)) => {
            let what = format!("The environment has an application `{}` that is not in this state.", it.spec.name);
            let remedy = "Import it, or choose another name.";
            Err(Violation::new(At::attribute("name"), "Application exists", what, remedy).into())
        }
    }
}

pub(super) fn change(draft: &mut Draft<'_>, request: &ApplicationRequest) -> Result<(), Refusal> {
    match draft.state.application(&request.spec.name) {
        None => Err(no_application(&request.spec.name)),
        Some(it) => match it.status {
            Status::Deleted | Status::Rejected => Err(no_application(&request.spec.name)),
            Status::Deleting => Err(being_deleted(&it.spec.name)),
            Status::Pending
            | Status::Approved
            | Status::Provisioning
            | Status::Ready
            | Status::Failed
            | Status::Expired => alter(draft, it, request),
        },
    }
}

pub(super) fn delete(draft: &mut Draft<'_>, name: &ApplicationName) -> Result<(), Refusal> {
    let there = draft.state.application(name).ok_or_else(|| no_application(name))?;
    declaration::given_up(draft, there);
    if matches!(there.status, Status::Deleting | Status::Deleted) {
        return Ok(());
    }
    let topics: Vec<_> = draft.state.topics_of(name).map(|(it, _)| it).collect();
    if !topics.is_empty() {
        let rest = if topics.len() > 20 { format!(" and {} more", topics.len() - 20) } else { String::new() };
        let what = format!("The application `{name}` owns topics: {}{rest}.", listed(topics.iter().take(20)));
        let remedy = "Delete them first: reference the application's `id` in them, so that they go before it. Or offer \
                      its prefixes to another application. Apply refuses until it owns nothing.";
        // The same run may delete them before.
        return Err(Violation::new(At::all(), "Application in use", what, remedy).weighing(Weight::Wait).into());
    }
    ownership::ending(draft, there)?;
    let has_rights = provisioning::release_all(draft, there);
    let mut it = there.clone();
    it.offer = None;
    it.amendment = None;
    it.status = if has_rights { Status::Deleting } else { Status::Deleted };
    it.deleted_at = (!has_rights).then_some(draft.now);
    draft.set_application(it);
    Ok(())
}

fn make(draft: &mut Draft<'_>, request: &ApplicationRequest, incarnation: u32) -> Result<(), Refusal> {
    let spec = checked(draft, request, None)?;
    let status = if is_agreed(draft) { Status::Approved } else { Status::Pending };
    say(draft, request);
    let mut it = Application {
        incarnation,
        spec,
        amendment: None,
        status,
        request_id: None,
        offer: None,
        text_digest: digest(&request.texts),
        created_at: draft.now,
        said_at: None,
        deleted_at: None,
    };
    declaration::follow(draft, &mut it);
    adoption::adopt(draft, request, &it);
    draft.set_application(it);
    Ok(())
}

fn alter(draft: &mut Draft<'_>, there: &Application, request: &ApplicationRequest) -> Result<(), Refusal> {
    let spec = checked(draft, request, Some(there))?;
    if there.text_digest != digest(&request.texts) {
        say(draft, request);
    }
    let mut it = Application { text_digest: digest(&request.texts), amendment: None, ..there.clone() };
    if there.status == Status::Pending {
        it.spec = spec;
        if draft.is_platform() {
            it.status = Status::Approved;
        }
    } else if is_agreed(draft) || gives(&there.spec) == gives(&spec) {
        it.spec = spec;
        if it.status == Status::Expired && !it.is_expired(draft.now) {
            it.status = Status::Approved;
        }
        provisioning::adjust(draft, &mut it);
    } else {
        it.amendment = Some(spec);
    }
    declaration::follow(draft, &mut it);
    adoption::adopt(draft, request, &it);
    draft.set_application(it);
    Ok(())
}

/// Whether what this actor declares holds at once.
fn is_agreed(draft: &Draft<'_>) -> bool {
    draft.is_platform() || draft.policy().approval.applications == ApplicationApproval::None
}

/// An application without what gives it no rights, to see whether a change must be agreed to.
fn gives(spec: &ApplicationSpec) -> ApplicationSpec {
    ApplicationSpec { team: String::new(), labels: BTreeMap::new(), ..spec.clone() }
}

fn is_same(state: &State, there: &Application, request: &ApplicationRequest) -> bool {
    let prefixes = prefix::completed(state, &request.spec, Some(there));
    prefixes.is_ok_and(|prefixes| ApplicationSpec { prefixes, ..request.spec.clone() } == there.spec)
        && digest(&request.texts) == there.text_digest
}

/// What is declared, with all prefixes.
pub(super) fn checked(
    draft: &Draft<'_>,
    request: &ApplicationRequest,
    before: Option<&Application>,
) -> Result<ApplicationSpec, Refusal> {
    let ApplicationRequest { spec, texts, adopt, existing, topics: _, unruled, limits } = request;
    let state = draft.state;
    let mut wrong = Vec::new();
    let prefixes = prefix::completed(state, spec, before).unwrap_or_else(|violations| {
        wrong.extend(violations);
        spec.prefixes.clone()
    });
    let spec = ApplicationSpec { prefixes, ..spec.clone() };
    let claimant = Claimant { spec: &spec, before, is_platform: draft.is_platform(), adopt: *adopt, existing };
    wrong.extend(own_fields(state, &spec));
    wrong.extend(prefix::violations(state, claimant));
    wrong.extend(rights::principal_violations(state, &spec));
    wrong.extend(rights::streams_violations(&spec));
    wrong.extend(open_mode::violations(draft, &spec, before, unruled));
    wrong.extend(amounts(draft, &spec, before));
    wrong.extend(provisioning::quotas_of_others(draft, &spec, limits));
    wrong.extend(before.into_iter().flat_map(|it| uncovered(state, it, &spec)));
    wrong.extend(before.into_iter().flat_map(|it| offered(it, &spec)));
    wrong.extend(before.and_then(|it| grants::uncovered(state, it, &spec)));
    let had = before.and_then(|it| it.spec.expires_at);
    if let Some(end) = spec.expires_at.filter(|it| *it <= draft.now && had != Some(*it)) {
        let what = format!("`expires_at` is {}, which is over.", end.date());
        let remedy = "Write a time to come, or leave it out.";
        wrong.push(Violation::new(At::attribute("expires_at"), "Expired already", what, remedy));
    }
    for (name, _) in texts.iter().filter(|(_, text)| looks_secret(text)) {
        let what = "It looks like a password or a key, and others can read what is written here.";
        wrong.push(Violation::new(At::attribute(name), "Secret in a text", what, "Remove it, and change the secret."));
    }
    Refusal::of(wrong)?;
    Ok(spec)
}

/// What is wrong with the values that names are made of.
fn own_fields(state: &State, spec: &ApplicationSpec) -> Vec<Violation> {
    let Some(code) = &spec.code else { return Vec::new() };
    let mut templates = Kind::ALL.into_iter().filter_map(|it| state.template(it));
    let wrong = templates.find_map(|it| check_value(it, "code", code));
    let told = wrong.map(|pattern| {
        let what = format!("`{code}` cannot be in names: the environment's templates want it to match `{pattern}`.");
        Violation::new(At::attribute("code"), "Code refused", what, "Correct it.")
    });
    told.into_iter().collect()
}

/// What speaks against the totals: nobody takes more than the quota but by the platform's leave.
fn amounts(draft: &Draft<'_>, spec: &ApplicationSpec, before: Option<&Application>) -> Vec<Violation> {
    let at = At::attribute("capacity");
    let mut res = spec.capacity.check(&at);
    for (name, _, value) in spec.client_quota.named() {
        if value.is_some_and(|it| !it.is_finite() || it <= 0.0) {
            let what = "A quota of nothing would stop the application.";
            let remedy = "Write more than 0, or leave it out.";
            res.push(Violation::new(At::attribute("client_quota").then(name), "Impossible quota", what, remedy));
        }
    }
    let had = before.map(|it| it.spec.capacity);
    if !draft.is_platform() && had != Some(spec.capacity) {
        for (name, most, wanted) in draft.policy().quota.exceeded_by(&spec.capacity) {
            let what = format!("The environment gives an application {most} ({name}), and {wanted} are asked for.");
            let remedy = format!("Write `{name} = {most}`, or have the platform declare it.");
            res.push(Violation::new(at.clone().then(name), "More than the quota", what, remedy));
        }
    }
    res
}

/// Topics that would be under no prefix of their owner any more.
fn uncovered(state: &State, there: &Application, spec: &ApplicationSpec) -> Vec<Violation> {
    let lost: Vec<&String> = there
        .spec
        .prefixes
        .get(&Kind::Topic)
        .into_iter()
        .flatten()
        .filter(|it| !spec.prefixes(Kind::Topic).any(|kept| it.starts_with(kept)))
        .collect();
    if lost.is_empty() {
        return Vec::new();
    }
    let topics: Vec<_> = state
        .topics_of(&spec.name)
        .map(|(name, _)| name)
        .filter(|it| there.spec.covers(Kind::Topic, it.as_str()) && !spec.covers(Kind::Topic, it.as_str()))
        .collect();
    if topics.is_empty() {
        return Vec::new();
    }
    let what = format!("The application has topics under {}: {}.", listed(lost), listed(topics.iter().take(20)));
    let remedy = "Keep the prefix, delete the topics first, or offer the prefix to another application.";
    vec![Violation::new(At::attribute("prefixes.topic"), "Prefix in use", what, remedy)]
}

/// Prefixes under offer that would be given up.
fn offered(there: &Application, spec: &ApplicationSpec) -> Vec<Violation> {
    let Some(offer) = there.offer.as_ref().filter(|it| !it.is_confirmed) else { return Vec::new() };
    let mut res = Vec::new();
    for (kind, prefixes) in &offer.prefixes {
        for prefix in prefixes.iter().filter(|it| !spec.prefixes(*kind).any(|kept| kept == it.as_str())) {
            let what = format!("`{prefix}` is offered to the application `{}`.", offer.to);
            let remedy = "Wait until it is taken, or withdraw the offer.";
            let at = At::attribute("prefixes").then(kind.word());
            res.push(Violation::new(at, "Prefix under offer", what, remedy));
        }
    }
    res
}

fn being_deleted(name: &ApplicationName) -> Refusal {
    let what = format!("The application `{name}` is being deleted: its rights are taken away first.");
    Violation::new(At::attribute("name"), "Application being deleted", what, "Apply again when it is gone.").into()
}

/// Puts the free text of an application where it can be erased.
fn say(draft: &mut Draft<'_>, request: &ApplicationRequest) {
    let texts: Map<String, Value> =
        request.texts.iter().map(|(name, text)| (name.clone(), text.as_str().into())).collect();
    let said = (!texts.is_empty()).then_some(Value::Object(texts));
    draft.texts.insert(application_key(&request.spec.name), said);
}

/// A number that is the same for the same texts, so that a change is seen without keeping them (FNV-1a).
pub(super) fn digest(texts: &BTreeMap<String, String>) -> Option<i64> {
    let bytes = texts.iter().flat_map(|(name, text)| name.bytes().chain([0]).chain(text.bytes()).chain([0]));
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    (!texts.is_empty()).then_some(hash.cast_signed())
}

/// The prefixes of an application that the templates would not give it.
pub(super) fn outside_template(state: &State, application: &Application) -> Vec<Violation> {
    let nothing = prefix::Existing::new();
    let spec = &application.spec;
    prefix::violations(state, Claimant { spec, before: None, is_platform: false, adopt: true, existing: &nothing })
}
