//! `kafka_user_scram_credential`.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use acceptance_tests::{Engine, Stack, Workspace, run};
use serde_json::json;

use crate::{
    connections::sasl,
    example,
    importing::{examples, imports_by_blocks, imports_by_command},
    workspace, workspace_with,
};

const ADDRESS: &str = "kafka_user_scram_credential.billing";
const USER: &str = "billing-app";
const MECHANISM: &str = "SCRAM-SHA-512";
const FIRST: &str = "correct-horse-battery";
const SECOND: &str = "staple-of-another-day";

#[test]
fn the_example_lives_from_create_to_destroy() {
    let stack = Stack::shared();
    for engine in Engine::all() {
        let mut workspace = workspace(&engine);
        // What the engine and the provider log at their most talkative.
        let log = workspace.path().join("everything.log");
        workspace.set_variable("TF_LOG", "TRACE");
        workspace.set_variable("TF_LOG_PATH", &log.to_string_lossy());
        workspace.set_variable("TF_VAR_billing_password", FIRST);
        let example = example("resources/kafka_user_scram_credential/resource.tf");
        workspace.write("main.tf", &example);
        workspace.run(&["plan", "-out=saved.plan"]).success();
        assert!(log.is_file(), "the engine logs");
        nobody_reads_the_passwords(&workspace);
        workspace.applies();
        assert!(stack.user(USER).contains("SCRAM-SHA-512=iterations=8192"), "{}", stack.user(USER));
        stack.log_in(MECHANISM, USER, FIRST).success();

        workspace.set_variable("TF_VAR_billing_password", SECOND);
        workspace.plans_nothing();
        let rotated = example.replace("password_wo_version = \"1\"", "password_wo_version = \"2\"");
        workspace.write("main.tf", &rotated);
        assert_eq!(workspace.plans(), updates());
        workspace.applies();
        stack.log_in(MECHANISM, USER, SECOND).success();
        stack.log_in(MECHANISM, USER, FIRST).failure(&["Authentication failed"]);

        iterations_that_somebody_changed_are_seen_and_mended(stack, &workspace);

        let shown = crate::example("data-sources/kafka_user_scram_credentials/data-source.tf");
        workspace.write("show.tf", &shown);
        workspace.apply().success();
        let credentials = workspace.attributes("data.kafka_user_scram_credentials.all")["credentials"].clone();
        let own = json!({ "username": USER, "scram_mechanism": MECHANISM, "scram_iterations": 8192 });
        assert!(credentials.as_array().is_some_and(|it| it.contains(&own)), "{credentials}");
        workspace.remove("show.tf");
        workspace.apply().success();

        let examples = examples("kafka_user_scram_credential", stack);
        imports_by_command(&workspace, ADDRESS, &examples);
        assert_eq!(workspace.plans(), updates(), "an import sends the password once");
        workspace.applies();
        imports_by_blocks(&workspace, ADDRESS, examples);

        nobody_reads_the_passwords(&workspace);
        workspace.destroy().success();
        assert_eq!(workspace.addresses(), Vec::<String>::new());
        assert!(!stack.user(USER).contains("SCRAM"), "{}", stack.user(USER));
        stack.log_in(MECHANISM, USER, SECOND).failure(&["Authentication failed"]);
        nobody_reads_the_passwords(&workspace);
    }
}

fn updates() -> [(String, String); 1] {
    [(ADDRESS.to_owned(), "update".to_owned())]
}

#[track_caller]
fn iterations_that_somebody_changed_are_seen_and_mended(stack: &Stack, workspace: &Workspace) {
    stack.set_password(USER, MECHANISM, 4096, "somebody-elses");
    assert_eq!(workspace.plans(), updates());
    workspace.applies();
    assert!(stack.user(USER).contains("SCRAM-SHA-512=iterations=8192"), "{}", stack.user(USER));
    stack.log_in(MECHANISM, USER, SECOND).success();
}

/// Looks for the passwords in all files of a workspace: the state, its backup, logs and saved plans, which are archives.
#[track_caller]
fn nobody_reads_the_passwords(workspace: &Workspace) {
    let unpack = "import sys, zipfile\nfor path in sys.argv[1:]:\n with zipfile.ZipFile(path) as it:\n  for name in \
                  it.namelist(): print(name, it.read(name))";
    for entry in std::fs::read_dir(workspace.path()).expect("it is there") {
        let path = entry.expect("it is there").path();
        let Ok(mut bytes) = std::fs::read(&path) else { continue };
        if bytes.starts_with(b"PK") {
            let unpacked = run(Command::new("python3").args(["-c", unpack]).arg(&path), Duration::from_mins(1));
            bytes = unpacked.expect("Python is there").success().stdout.into_bytes();
        }
        let text = String::from_utf8_lossy(&bytes);
        for password in [FIRST, SECOND] {
            assert!(!text.contains(password), "{} has a password", path.display());
        }
    }
}

#[test]
fn a_user_has_both_mechanisms_in_one_apply() {
    let stack = Stack::shared();
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        let block = "resource \"kafka_user_scram_credential\" \"a\" {\n for_each = toset([\"SCRAM-SHA-256\", \
                     \"SCRAM-SHA-512\"])\n username = \"scram.both\"\n scram_mechanism = each.key\n password_wo = \
                     \"for both of them\"\n password_wo_version = \"1\"\n}\n";
        workspace.write("main.tf", block);
        workspace.applies();
        for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
            stack.log_in(mechanism, "scram.both", "for both of them").success();
        }
        workspace.destroy().success();
        assert!(!stack.user("scram.both").contains("SCRAM"));
    }
}

#[test]
fn a_password_that_would_be_stored_is_refused_with_what_to_write() {
    for engine in Engine::usual() {
        let workspace = workspace(&engine);
        workspace.write(
            "main.tf",
            "resource \"kafka_user_scram_credential\" \"a\" {\n username = \"a\"\n scram_mechanism = \
             \"SCRAM-SHA-256\"\n password = \"hunter2\"\n}\n",
        );
        workspace.plan().failure(&["Password would be stored", "password_wo_version"]);
    }
}

#[test]
fn who_may_not_see_credentials_is_told_so_at_once() {
    let stack = Stack::shared();
    let team = sasl(stack, "SCRAM-SHA-256", Stack::TEAM);
    for engine in Engine::usual() {
        let mut workspace = workspace_with(&engine, &team);
        workspace.set_variable("TF_VAR_billing_password", FIRST);
        workspace.write("main.tf", &example("resources/kafka_user_scram_credential/resource.tf"));
        let began = Instant::now();
        workspace.plan().says(&["may not DESCRIBE the cluster"]);
        workspace.write("main.tf", "data \"kafka_user_scram_credentials\" \"all\" {}\n");
        workspace.plan().failure(&["may not DESCRIBE the cluster"]);
        assert!(began.elapsed() < Duration::from_secs(25), "{:?}", began.elapsed());
    }
}
