//! A password whose making is killed: nobody can read whose it is, so that the next apply tries it.

use acceptance_tests::{Engine, Stack};
use wire_proxy::{Action, ApiKey};

use super::{Kill, Site, kill, kill_apply_at};
use crate::{connections::sasl, provider};

const MECHANISM: &str = "SCRAM-SHA-512";
const PASSWORD: &str = "correct-horse-battery";

/// The middles of its making, and whether the cluster has it then.
const OF_CREATION: [(Kill, bool); 3] = [
    (kill(ApiKey::AlterUserScramCredentials, 0, Action::KillBefore), false),
    (kill(ApiKey::AlterUserScramCredentials, 0, Action::KillAfter), true),
    // After those of the plan that the engine makes again, and of the look whether it is there.
    (kill(ApiKey::DescribeUserScramCredentials, 2, Action::KillAfter), true),
];

#[test]
fn a_password_whose_making_is_killed_is_finished_by_the_next_apply_and_no_other_taken_for_it() {
    for engine in Engine::usual() {
        let site = Site::of(Stack::start().expect("a broker starts"));
        let with_sasl = provider(&sasl(&site.stack, MECHANISM, Stack::ADMIN));
        for (number, (kill, is_made)) in OF_CREATION.into_iter().enumerate() {
            let user = format!("killed{number}");
            let workspace = site.workspace(&engine);
            workspace.write("main.tf", &credential(&user, PASSWORD));
            kill_apply_at(&workspace, &site.proxy, kill);
            assert_eq!(workspace.addresses(), Vec::<String>::new(), "{kill:?}: the run knows of nothing");
            assert_eq!(site.stack.user(&user).contains(MECHANISM), is_made, "{kill:?}");
            if is_made {
                // Nobody can log in there, so that nobody can tell.
                workspace.apply().failure(&["Credential already exists", "(offered: none)", "on_existing"]);
            }
            workspace.write("provider.tf", &with_sasl);
            if is_made {
                workspace.write("main.tf", &credential(&user, "another-password"));
                workspace.apply().failure(&["Credential already exists", "Nobody can log in with the one"]);
                workspace.write("main.tf", &credential(&user, PASSWORD));
            }
            let plan = workspace.run(&["plan", "-no-color"]).success();
            assert!(!plan.words().contains("already exists"), "{kill:?}: {plan}");
            workspace.applies();
            site.stack.log_in(MECHANISM, &user, PASSWORD).success();
            workspace.destroy().success();
            assert!(!site.stack.user(&user).contains(MECHANISM), "{kill:?}");
        }
    }
}

fn credential(user: &str, password: &str) -> String {
    format!(
        "resource \"kafka_user_scram_credential\" \"it\" {{\n username = \"{user}\"\n scram_mechanism = \
         \"{MECHANISM}\"\n password_wo = \"{password}\"\n password_wo_version = \"1\"\n}}\n"
    )
}
