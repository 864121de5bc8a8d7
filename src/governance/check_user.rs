//! What speaks against managing the credentials and the quotas of users, which Kafka has no prefixes for.

use crate::governance::{
    acl::Principal,
    binding::Holder,
    client_quota::{QuotaStatus, QuotaUser},
    command::Role,
    names::ApplicationName,
    state::State,
    violation::{At, Violation, listed},
};

/// How somebody works on a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Working {
    /// As whom.
    pub role: Role,
    /// Whether others make what it wants, because its own credential may not.
    pub only_asks: bool,
}

/// What speaks against managing the password of a user.
pub fn check_credential(state: &State, working: &Working, user: &str) -> Vec<Violation> {
    let at = || At::attribute("username");
    if let Some(it) = only_asks(working, "passwords", at) {
        return vec![it];
    }
    let name = match &working.role {
        Role::Platform => return Vec::new(),
        Role::Nobody => return vec![nobodys(at())],
        Role::Application(name) => name,
    };
    let own: Vec<&Principal> =
        state.application(name).into_iter().flat_map(|it| &it.spec.principals).filter(|it| is_user(it)).collect();
    if own.contains(&&Principal::user(user)) {
        return Vec::new();
    }
    let whose = match state.application_of(&Principal::user(user)) {
        Some(it) if it.spec.name == *name => format!(
            "`User:{user}` is a deployer of `{name}`, whose credential is the \
                                                      platform's to give."
        ),
        Some(it) => format!("`User:{user}` belongs to the application `{}`.", it.spec.name),
        None => format!("`User:{user}` is no principal of the application `{name}`."),
    };
    let own = if own.is_empty() { "It has none.".to_owned() } else { format!("It has {}.", listed(own)) };
    let what = format!("{} {whose}", acting(name));
    let remedy = format!(
        "An application manages the passwords of its own `principals`. {own} Add the user to them, or leave this to the platform."
    );
    vec![Violation::new(at(), "Not a principal of the application", what, remedy)]
}

/// What speaks against managing a client quota: of a user as such, or of anything else.
pub fn check_quota(state: &State, working: &Working, user: Option<&QuotaUser>) -> Vec<Violation> {
    if let Some(it) = only_asks(working, "client quotas", At::all) {
        return vec![it];
    }
    match &working.role {
        Role::Platform => {}
        Role::Nobody => return vec![nobodys(At::all())],
        Role::Application(name) => {
            let what = format!("{} Client quotas are the platform's.", acting(name));
            let remedy = "Set `client_quota` of the `kafka_application`, which divides it among the application's principals, \
                          or have the platform declare this.";
            return vec![Violation::new(At::all(), "Quotas are the platform's", what, remedy)];
        }
    }
    let held = user.and_then(|user| Some((user, state.quota(user)?)));
    let Some((user, held)) = held.filter(|(_, it)| it.status != QuotaStatus::Removed) else { return Vec::new() };
    let what =
        format!("The quota of the user `{user}` is held by {}: its `client_quota` sets it.", holder(&held.holder));
    let remedy = "A quota has one holder, or each would undo the other's. Change `client_quota` there, or take the user out of \
                  the application's `principals`.";
    vec![Violation::new(At::attribute("user"), "Quota held by an application", what, remedy)]
}

fn holder(holder: &Holder) -> String {
    match holder {
        Holder::Application(it) => format!("the application `{}`", it.name),
        it @ (Holder::Grant(_) | Holder::Declared(_) | Holder::Foreign) => format!("`{it}`"),
    }
}

fn is_user(principal: &Principal) -> bool {
    principal.as_str().starts_with("User:")
}

fn acting(name: &ApplicationName) -> String {
    format!("You act as the application `{name}`.")
}

fn only_asks(working: &Working, what: &str, at: impl Fn() -> At) -> Option<Violation> {
    let reason = format!(
        "You work with the credential of a deployer, who may only file what the platform makes (`deployer_rights = \
         \"mailbox\"`). What is filed is kept in topics that others read, so that {what} are not filed."
    );
    let remedy = "Apply this with the platform's credentials and `KAFKA_ACTING_APPLICATION`.";
    working.only_asks.then(|| Violation::new(at(), "Not with a deployer's credential", reason, remedy))
}

fn nobodys(at: At) -> Violation {
    let what = "Your principal is neither the platform's nor an application's.";
    Violation::new(at, "Not permitted here", what, "Have the platform declare you as a deployer or as its own.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::governance::record::Fold;

    /// A state with the application `billing`, whose quota of `billing` is in this status.
    fn state(status: &str) -> State {
        let mut state = State::default();
        let spec = json!({
            "name": "billing", "principals": ["User:billing", "User:CN=b,O=x"], "deployers": ["User:ci"],
        });
        let application = json!({ "form": 1, "incarnation": 1, "status": "ready", "created_at": 1, "spec": spec });
        state.put("application/billing", &application).unwrap();
        let spec = json!({ "name": "sales", "principals": ["User:sales"] });
        let application = json!({ "form": 1, "incarnation": 1, "status": "ready", "created_at": 1, "spec": spec });
        state.put("application/sales", &application).unwrap();
        let quota = json!({ "form": 1, "limits": {}, "holder": "application/billing#1", "status": status });
        state.put("quota/billing", &quota).unwrap();
        state
    }

    fn working(role: Role) -> Working {
        Working { role, only_asks: false }
    }

    fn billing() -> Role {
        Role::Application("billing".parse().unwrap())
    }

    fn summaries(violations: &[Violation]) -> Vec<&'static str> {
        violations.iter().map(|it| it.summary).collect()
    }

    #[test]
    fn an_application_has_passwords_of_its_own_principals_alone() {
        let state = state("present");
        let check = |role, user| check_credential(&state, &working(role), user);
        assert_eq!(check(billing(), "billing"), []);
        assert_eq!(check(billing(), "CN=b,O=x"), []);
        assert_eq!(check(Role::Platform, "whoever"), []);
        for (user, why) in [
            ("sales", "belongs to the application `sales`"),
            ("ci", "is a deployer of `billing`"),
            ("admin", "is no principal of the application `billing`"),
        ] {
            let told = check(billing(), user);
            assert_eq!(summaries(&told), ["Not a principal of the application"]);
            assert!(told[0].detail.contains(why), "{}", told[0].detail);
        }
        assert_eq!(summaries(&check(Role::Nobody, "billing")), ["Not permitted here"]);
    }

    #[test]
    fn who_only_asks_has_neither() {
        let state = state("present");
        let working = Working { role: billing(), only_asks: true };
        assert_eq!(summaries(&check_credential(&state, &working, "billing")), ["Not with a deployer's credential"]);
        assert_eq!(summaries(&check_quota(&state, &working, None)), ["Not with a deployer's credential"]);
    }

    #[test]
    fn quotas_are_the_platforms_unless_an_application_holds_them() {
        let user = QuotaUser("billing".to_owned());
        for (status, role, of, expected) in [
            ("present", Role::Platform, None, vec![]),
            ("present", Role::Platform, Some(&user), vec!["Quota held by an application"]),
            ("removing", Role::Platform, Some(&user), vec!["Quota held by an application"]),
            ("removed", Role::Platform, Some(&user), vec![]),
            ("removed", billing(), Some(&user), vec!["Quotas are the platform's"]),
            ("removed", Role::Nobody, None, vec!["Not permitted here"]),
        ] {
            let told = check_quota(&state(status), &working(role), of);
            assert_eq!(summaries(&told), expected, "{status}");
        }
        let told = check_quota(&state("present"), &working(Role::Platform), Some(&user));
        assert!(told[0].detail.contains("held by the application `billing`"), "{}", told[0].detail);
    }
}
