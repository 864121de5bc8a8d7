//! The ways to import an object, each of which a resource has an example of.

use acceptance_tests::{Stack, Workspace};

use crate::example;

/// The examples of a resource, by file, with the id of the cluster.
pub(crate) fn examples(resource: &str, stack: &Stack) -> impl Fn(&str) -> String {
    move |file| example(&format!("resources/{resource}/{file}")).replace("MkU3OEVBNTcwNTJENDM2Qg", stack.cluster_id())
}

/// Imports an object in every way that the engine has. What is imported is as good as what was created.
#[track_caller]
pub(crate) fn imports_are_as_good_as_creation(workspace: &Workspace, address: &str, examples: impl Fn(&str) -> String) {
    imports_by_command(workspace, address, &examples);
    workspace.plans_nothing();
    imports_by_blocks(workspace, address, &examples);
}

/// Imports an object by the command.
#[track_caller]
pub(crate) fn imports_by_command(workspace: &Workspace, address: &str, examples: impl Fn(&str) -> String) {
    let script = examples("import.sh");
    let command = script.lines().find_map(|it| it.strip_prefix("terraform ")).expect("the example is a command");
    workspace.forget(address);
    // What a shell would read otherwise is in quotes, which the engine never sees.
    workspace.run(&command.split(' ').map(|it| it.trim_matches('\'')).collect::<Vec<_>>()).success();
}

/// Imports an object by a block, which names it by its identifier or by its identity. Nothing is left to do.
#[track_caller]
pub(crate) fn imports_by_blocks(workspace: &Workspace, address: &str, examples: impl Fn(&str) -> String) {
    let by_identity = workspace.engine().imports_by_identity.then(|| examples("import-by-identity.tf"));
    for block in [Some(examples("import-by-string-id.tf")), by_identity].into_iter().flatten() {
        workspace.forget(address);
        workspace.write("import.tf", &block);
        workspace.apply().success().says(&["1 imported"]);
        workspace.remove("import.tf");
        workspace.plans_nothing();
    }
}
