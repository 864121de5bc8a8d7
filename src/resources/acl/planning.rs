//! What a schema cannot say of the plan of rules.

use super::{AclModel, Word, dropped};
use crate::{
    framework::{Call, Computed, Diagnostic, Diagnostics, Failure, OptionalComputed, Phase, Plan, Set, Unknown},
    governance::{
        acl::{PatternType, Principal},
        violation::{Step, Violation},
    },
    provider::Context,
    resources::place::{Placed, environment_of_plan, plan_place},
};

/// The attributes that have another name, with that.
const ALIASES: [(&str, &str); 5] = [
    ("principals", "acl_principal"),
    ("operations", "acl_operation"),
    ("permission", "acl_permission_type"),
    ("host", "acl_host"),
    ("pattern_type", "resource_pattern_type_filter"),
];

/// Tells what is written twice under two names, and what is needed and written under none.
pub(super) fn check_forms(config: &AclModel, report: &mut Diagnostics) {
    let written = [
        (!config.principals.is_null(), !config.acl_principal.is_null()),
        (!config.operations.is_null(), !config.acl_operation.is_null()),
        (!config.permission.is_null(), !config.acl_permission_type.is_null()),
        (!config.host.is_null(), !config.acl_host.is_null()),
        (!config.pattern_type.is_null(), !config.resource_pattern_type_filter.is_null()),
    ];
    for ((name, alias), written) in ALIASES.into_iter().zip(written) {
        match written {
            (true, true) => {
                let detail =
                    format!("`{alias}` is another name of `{name}`, and both have a value.\n\nRemove `{alias}`.");
                report.push(Diagnostic::error("Written twice", detail).at(alias));
            }
            (false, false) if matches!(name, "principals" | "operations") => {
                let detail = format!("`{name}` must have a value.");
                report.push(Diagnostic::error("Missing value", detail).at(name));
            }
            _ => {}
        }
    }
}

impl AclModel {
    /// A reason, at the attribute that has a value.
    pub(super) fn named_as_written(&self, mut violation: Violation) -> Violation {
        let is_alias = |name: &str| match name {
            "principals" => self.principals.is_null(),
            "operations" => self.operations.is_null(),
            "host" => self.host.is_null(),
            "pattern_type" => self.pattern_type.is_null(),
            _ => false,
        };
        let alias = violation.at.outermost().filter(|it| is_alias(it));
        if let Some((_, alias)) = ALIASES.into_iter().find(|(name, _)| alias == Some(*name)) {
            violation.at.0 = vec![Step::Attribute(alias.to_owned())];
        }
        violation
    }
}

impl Plan<AclModel> {
    /// Has each attribute under its first name, whichever the configuration uses.
    pub(super) fn take_aliases(&mut self) {
        let Self { prior, config, state, .. } = self;
        let one_principal = |it: &Principal| Set(vec![it.clone()]);
        let one_operation = |it: &Word<_>| Set(vec![it.clone()]);
        alias(&mut state.principals, &config.principals, config.acl_principal.known(), one_principal);
        alias(&mut state.operations, &config.operations, config.acl_operation.known(), one_operation);
        alias(&mut state.permission, &config.permission, config.acl_permission_type.known(), Clone::clone);
        alias(&mut state.host, &config.host, config.acl_host.known(), Clone::clone);
        // Another provider fills its default into the state of whoever writes neither, which is no change.
        let is_filled = config.pattern_type.is_null() && config.resource_pattern_type_filter.is_null();
        let filled = prior.as_ref().and_then(|it| it.resource_pattern_type_filter.get());
        state.resource_pattern_type_filter = match filled.filter(|it| is_filled && it.value == PatternType::Literal) {
            Some(filled) => Some(filled.clone()).into(),
            None => config.resource_pattern_type_filter.clone(),
        };
        alias(&mut state.pattern_type, &config.pattern_type, state.resource_pattern_type_filter.known(), Clone::clone);
    }

    /// Plans the place, and the identifier, which changes with what it names.
    pub(super) async fn settle_place(&mut self, ctx: &Context, call: &mut Call) -> Result<(), Failure> {
        let placed = plan_place(ctx, self, call).await;
        match placed {
            Ok(()) | Err(Failure::Unknown) => {}
            Err(_) => return placed,
        }
        let environment = self.state.environment.get().cloned();
        self.state.id = match environment.ok_or(Unknown).and_then(|it| self.state.id_in(&it)) {
            Ok(id) => id.into(),
            Err(Unknown) => Computed::unknown(),
        };
        placed
    }

    /// Plans a change for what is left of principals that nobody lists any more: without it, a difference in what they have
    /// would hide that they have something.
    pub(super) fn end_remains(&mut self, call: &mut Call) {
        let Some(listed) = self.state.principals.get() else { return };
        let left: Vec<_> = dropped(call).into_iter().filter(|it| !listed.0.contains(it)).collect();
        if self.prior.is_none() || left.is_empty() {
            return;
        }
        // What the rules are called is told by apply: core asks for no apply where nothing is to change.
        self.state.id = Computed::unknown();
        if call.phase == Phase::Plan {
            let left: Vec<_> = left.iter().map(|it| format!("`{it}`")).collect();
            let detail = format!(
                "Somebody removed some of the rules for {}, and others are left. The configuration does not list it any more, \
                 so that apply removes what is left.",
                left.join(", ")
            );
            call.report.push(Diagnostic::warning("Rules left of a principal", detail).at("principals"));
        }
    }

    /// Notes which rules the plan has, and tells where another one has them too.
    pub(super) fn note(&self, ctx: &Context, call: &mut Call) -> Result<(), Failure> {
        if !self.replace.is_empty() {
            // The next plan asks for what replaces this.
            return Ok(());
        }
        let environment = environment_of_plan(ctx, &self.state)?;
        let set = self.state.set()?;
        let id = set.to_string();
        if !self.replacing && !environment.plan_once(&format!("acl {id}")) {
            let detail = format!(
                "Another resource of this plan is `{id}` too: the end of either would take what both count on.\n\nRemove \
                 one of them. What is in the state already leaves it with a `removed` block and `destroy = false`, so that \
                 the rules stay."
            );
            call.report.push(Diagnostic::error("ACL planned twice", detail).at("principals"));
            return Ok(());
        }
        let shared = environment.rules.hold(&id, &set.bindings());
        if let Some(first) = shared.first().filter(|_| !environment.has_made_anything()) {
            let detail = format!(
                "Another resource of this plan has {} of these rules too, such as `{first}`. Where one of the two ends in \
                 a later plan that leaves the other alone, the rule goes.\n\nLeave each rule to one resource. Whoever moves \
                 rules from one to another has the first forget them, with a `removed` block and `destroy = false`.",
                shared.len()
            );
            call.report.push(Diagnostic::warning("Rules declared twice", detail).at("principals"));
        }
        Ok(())
    }
}

/// Gives an attribute that has no value of its own the one under its other name.
fn alias<T, A>(
    planned: &mut OptionalComputed<T>,
    own: &OptionalComputed<T>,
    alias: Result<Option<&A>, Unknown>,
    value: impl FnOnce(&A) -> T,
) {
    match alias {
        Ok(None) => {}
        _ if !own.is_null() => {}
        Ok(Some(it)) => *planned = value(it).into(),
        Err(Unknown) => *planned = OptionalComputed::unknown(),
    }
}
