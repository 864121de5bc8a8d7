//! Who must agree to access, as the environment says, each with a state of their own; Kafka's own client tells whether it
//! is given.

use acceptance_tests::{Engine, Stack, Workspace};

use crate::{
    access::{
        DECISION, REQUEST, acting, decision, granted, has_topic, is_refused, platform, reads, refreshed, request,
    },
    workspace_on,
};

/// A pipeline in somebody's hands.
fn by(actor: &str, mut workspace: Workspace) -> Workspace {
    workspace.set_variable("KAFKA_ACTOR", actor);
    workspace
}

#[track_caller]
fn nothing_is_given(stack: &Stack) {
    assert_eq!(granted(stack), Vec::<String>::new());
    is_refused(stack);
}

/// One cluster is one environment, so that each of these has a broker of its own.
#[test]
fn owner_and_platform_agree_and_are_different_people() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        platform(&engine, &stack, "approval = { access = \"owner_and_platform\", distinct_actors = true }");
        let billing = by("ben", acting(&engine, &stack, "billing"));
        has_topic(&stack, &billing, "");

        let unnamed = acting(&engine, &stack, "shipping");
        unnamed.write("main.tf", &request("read", ""));
        unnamed.plan().failure(&["Actor unknown", "KAFKA_ACTOR"]);
        unnamed.apply().failure(&["Actor unknown"]);
        let shipping = by("ann", acting(&engine, &stack, "shipping"));
        shipping.write("main.tf", &request("read", ""));
        shipping.applies();
        let asked = shipping.attributes(REQUEST);
        nothing_is_given(&stack);

        // The owner first, and who asked is not the one who agrees.
        let approval = decision(&asked, "approve", "");
        is_one_too_few(&by("ann", acting(&engine, &stack, "billing")), &approval, "Another person must agree");
        is_one_too_few(&acting(&engine, &stack, "billing"), &approval, "Actor unknown");
        billing.write("main.tf", &approval);
        billing.applies();
        billing.plans_nothing();
        assert_eq!(refreshed(&shipping, REQUEST), "pending", "the platform did not agree");
        nothing_is_given(&stack);

        // Then the platform, which is neither of them.
        let approval = decision(&asked, "approve", "as = \"platform\"");
        for actor in ["ben", "ann"] {
            is_one_too_few(&by(actor, workspace_on(&engine, &stack)), &approval, "Another person must agree");
        }
        is_one_too_few(&workspace_on(&engine, &stack), &approval, "Actor unknown");
        nothing_is_given(&stack);
        let operations = by("cleo", workspace_on(&engine, &stack));
        operations.write("main.tf", &approval);
        operations.applies();
        operations.plans_nothing();
        assert_eq!(operations.attributes(DECISION)["status"], "active");
        assert_eq!(granted(&stack), ["READ"]);
        reads(&stack, "shipping.first");
        billing.plans_nothing();
        assert_eq!(refreshed(&shipping, REQUEST), "active");
        shipping.plans_nothing();

        // One of them is enough to end it.
        billing.remove("main.tf");
        billing.applies();
        nothing_is_given(&stack);
        operations.plan().says(&["Request over"]);
        operations.plans_nothing();
        assert_eq!(refreshed(&shipping, REQUEST), "revoked");
        for it in [operations, shipping] {
            it.destroy().success();
        }
        one_who_refuses_is_enough(&engine, &stack, &billing);
    }
}

/// Nothing comes of an approval, neither in the plan nor in the apply.
#[track_caller]
fn is_one_too_few(workspace: &Workspace, approval: &str, summary: &str) {
    workspace.write("main.tf", approval);
    workspace.plan().failure(&[summary]);
    workspace.apply().failure(&[summary]);
    assert_eq!(workspace.addresses(), Vec::<String>::new());
}

/// The platform is first this time, and the owner refuses.
#[track_caller]
fn one_who_refuses_is_enough(engine: &Engine, stack: &Stack, billing: &Workspace) {
    let shipping = by("ann", acting(engine, stack, "shipping"));
    shipping.write("main.tf", &request("read", ""));
    shipping.applies();
    let asked = shipping.attributes(REQUEST);
    let operations = by("cleo", workspace_on(engine, stack));
    operations.write("main.tf", &decision(&asked, "approve", "as = \"platform\""));
    operations.applies();
    nothing_is_given(stack);
    billing.write("main.tf", &decision(&asked, "reject", "reason = \"Ask for the other one.\""));
    billing.applies();
    billing.plans_nothing();
    operations.plans_nothing();
    assert_eq!(refreshed(&shipping, REQUEST), "rejected");
    nothing_is_given(stack);
    // Who changes their mind completes what the platform agreed to.
    billing.write("main.tf", &decision(&asked, "approve", ""));
    billing.applies();
    billing.plans_nothing();
    assert_eq!(granted(stack), ["READ"]);
    reads(stack, "shipping.second");
    operations.plans_nothing();
    operations.destroy().success();
    nothing_is_given(stack);
}

#[test]
fn where_checks_decide_what_they_find_in_order_needs_nobody() {
    for engine in Engine::usual() {
        let stack = Stack::start().expect("a broker starts");
        platform(&engine, &stack, "approval = { access = \"auto\" }");
        let shipping = acting(&engine, &stack, "shipping");
        let billing = acting(&engine, &stack, "billing");

        // The topic is not there: its owner is asked.
        shipping.write("main.tf", &request("read", ""));
        shipping.applies();
        shipping.plans_nothing();
        assert_eq!(shipping.attributes(REQUEST)["status"], "pending");
        assert_eq!(granted(&stack), Vec::<String>::new());
        has_topic(&stack, &billing, "");
        nothing_is_given(&stack);
        // The owner is asked, and not the platform.
        let asked = shipping.attributes(REQUEST);
        is_one_too_few(
            &workspace_on(&engine, &stack),
            &decision(&asked, "approve", "as = \"platform\""),
            "Not asked to decide",
        );
        shipping.destroy().success();

        // It is there: nobody is.
        shipping.applies();
        shipping.plans_nothing();
        assert_eq!(shipping.attributes(REQUEST)["status"], "active");
        assert_eq!(granted(&stack), ["READ"]);
        reads(&stack, "shipping.first");

        // More than to read and to write is for the owner to give, and what is given stays until then.
        let manage = request("manage", "");
        shipping.write("main.tf", &manage);
        shipping.applies();
        shipping.plans_nothing();
        assert_eq!(shipping.attributes(REQUEST)["status"], "pending");
        assert_eq!(granted(&stack), ["READ"]);
        billing.write("main.tf", &decision(&shipping.attributes(REQUEST), "approve", ""));
        billing.applies();
        billing.plans_nothing();
        assert!(granted(&stack).contains(&"ALTER_CONFIGS".to_owned()), "{:?}", granted(&stack));
        assert!(!granted(&stack).contains(&"READ".to_owned()), "{:?}", granted(&stack));
        is_refused(&stack);
        shipping.destroy().success();
        nothing_is_given(&stack);
        billing.plans_nothing();
    }
}
