//! A folder of configuration, an engine that applies it, and what came of it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    engines::Engine,
    process::{Outcome, Running},
    provider,
};

/// How long a test may take, from the making of its workspace.
const DEADLINE: Duration = Duration::from_mins(3);

/// A folder of configuration and state. It is removed when this is dropped.
#[derive(Debug)]
pub struct Workspace {
    engine: Engine,
    folder: TempDir,
    variables: Vec<(String, String)>,
    deadline: Instant,
}

impl Workspace {
    /// A workspace in which the engine takes the provider of this checkout.
    pub fn new(engine: &Engine) -> Self {
        let folder = provider::binary().parent().expect("a binary is in a folder");
        Self::with_installation(
            engine,
            &format!("dev_overrides {{\n\"selfserve/kafka\" = {}\n}}\ndirect {{}}", hcl(&folder.to_string_lossy())),
        )
    }

    /// A workspace into which `init` installs the provider of this checkout from a mirror.
    pub fn with_mirror(engine: &Engine) -> Self {
        let this = Self::with_installation(engine, "");
        let installation = provider::mirror(&this.path().join("mirror"), engine);
        this.install_from(&installation);
        this
    }

    /// A workspace with the given `provider_installation`.
    fn with_installation(engine: &Engine, installation: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("workspace-").tempdir().expect("the temporary folder is writable");
        let this = Self { engine: engine.clone(), folder, variables: Vec::new(), deadline: Instant::now() + DEADLINE };
        this.install_from(installation);
        this.write(
            "versions.tf",
            "terraform {\n  required_providers {\n    kafka = { source = \"selfserve/kafka\" }\n  }\n}\n",
        );
        this
    }

    fn install_from(&self, installation: &str) {
        self.write("cli.tfrc", &format!("provider_installation {{\n{installation}\n}}\n"));
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// When the test has to be over.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Sets a variable of the engine's environment, which the provider inherits.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Writes a file. `provider.tf`, `main.tf` and `import.tf` are what tests write.
    pub fn write(&self, file: &str, text: &str) -> PathBuf {
        let path = self.path().join(file);
        fs::write(&path, text).expect("the workspace is writable");
        path
    }

    /// Removes a file.
    pub fn remove(&self, file: &str) {
        fs::remove_file(self.path().join(file)).expect("the file was written");
    }

    /// `validate`.
    #[track_caller]
    pub fn validate(&self) -> Outcome {
        self.run(&["validate", "-no-color"])
    }

    /// `plan`, whose exit code is 2 if there is something to do.
    #[track_caller]
    pub fn plan(&self) -> Outcome {
        self.run(&["plan", "-no-color", "-input=false", "-detailed-exitcode"])
    }

    /// Plans, and ends the test unless there is nothing to do.
    #[track_caller]
    pub fn plans_nothing(&self) {
        let plan = self.plan();
        assert_eq!(plan.code(), Some(0), "there should be nothing to do\n{plan}");
    }

    /// Plans, and ends the test unless there is something to do. Returns each address with its actions, such as
    /// `("kafka_topic.a", "update")` or `("kafka_topic.b", "delete create")`; what stays as it is is left out.
    #[track_caller]
    pub fn plans(&self) -> Vec<(String, String)> {
        let plan = self.run(&["plan", "-no-color", "-input=false", "-detailed-exitcode", "-out=plan.bin"]);
        assert_eq!(plan.code(), Some(2), "there should be something to do\n{plan}");
        let plan = self.run(&["show", "-json", "plan.bin"]).success();
        let plan: Value = serde_json::from_str(&plan.stdout).expect("`show -json` answers JSON");
        plan["resource_changes"].as_array().map_or_else(Vec::new, |it| it.iter().filter_map(change).collect())
    }

    /// `apply`, without asking.
    #[track_caller]
    pub fn apply(&self) -> Outcome {
        self.run(&["apply", "-no-color", "-input=false", "-auto-approve"])
    }

    /// `apply` that must succeed and leave nothing to do.
    #[track_caller]
    pub fn applies(&self) {
        self.apply().success();
        self.plans_nothing();
    }

    /// `destroy`, without asking.
    #[track_caller]
    pub fn destroy(&self) -> Outcome {
        self.run(&["destroy", "-no-color", "-input=false", "-auto-approve"])
    }

    /// `import` of an object by its id.
    #[track_caller]
    pub fn import(&self, address: &str, id: &str) -> Outcome {
        self.run(&["import", "-no-color", "-input=false", address, id])
    }

    /// `state rm`: the engine forgets the object, which stays.
    #[track_caller]
    pub fn forget(&self, address: &str) {
        self.run(&["state", "rm", "-no-color", address]).success();
    }

    /// The addresses of what is in the state.
    #[track_caller]
    pub fn addresses(&self) -> Vec<String> {
        let state = self.state();
        let resources = state["values"]["root_module"]["resources"].as_array();
        resources.into_iter().flatten().filter_map(|it| Some(it["address"].as_str()?.to_owned())).collect()
    }

    /// The attributes of a managed or data resource of the root module, from the state.
    #[track_caller]
    pub fn attributes(&self, address: &str) -> Value {
        let state = self.state();
        let mut resources = state["values"]["root_module"]["resources"].as_array().into_iter().flatten();
        let found = resources.find(|it| it["address"] == address);
        found.map_or_else(|| panic!("no {address} in the state: {state}"), |it| it["values"].clone())
    }

    /// `show -json`.
    #[track_caller]
    pub fn state(&self) -> Value {
        let state = self.run(&["show", "-json"]).success();
        serde_json::from_str(&state.stdout).expect("`show -json` answers JSON")
    }

    /// The text of `terraform.tfstate`.
    pub fn state_file(&self) -> Value {
        let text = fs::read_to_string(self.path().join("terraform.tfstate")).expect("there is a state");
        serde_json::from_str(&text).expect("a state is JSON")
    }

    /// Runs the engine to its end.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        let running = self.start(arguments);
        running.wait(self.deadline).unwrap_or_else(|problem| panic!("{} {arguments:?}: {problem}", self.engine.name))
    }

    /// Starts the engine.
    #[track_caller]
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(self.command().args(arguments)).unwrap_or_else(|problem| panic!("{problem}"))
    }

    /// A command of the engine in this folder.
    pub fn command(&self) -> Command {
        let mut command = self.engine.command();
        command.current_dir(self.path()).env("TF_CLI_CONFIG_FILE", self.path().join("cli.tfrc"));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The address and the actions of a change that is one.
fn change(resource: &Value) -> Option<(String, String)> {
    let actions: Vec<_> = resource["change"]["actions"].as_array()?.iter().filter_map(Value::as_str).collect();
    let changes = resource["mode"] == "managed" && actions != ["no-op"];
    changes.then(|| (resource["address"].as_str().unwrap_or_default().to_owned(), actions.join(" ")))
}

/// A text as an HCL string.
pub fn hcl(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{}\"", text.replace("${", "$${").replace("%{", "%%{"))
}
