//! Programs that are published as Python packages.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    environment::require,
    process::{run, run_or_explain},
};

const INSTALL: &str = "`sudo apt-get install python3 python3-pip` or `brew install python`";

/// Python itself.
///
/// # Errors
/// How it is installed.
pub(crate) fn program() -> Result<PathBuf, String> {
    require("python3", INSTALL)
}

/// Puts a package of that version, as `name==version`, into a folder.
///
/// # Errors
/// What is missing for that, or what `pip` said.
pub(crate) fn install(package: &str, folder: &Path) -> Result<(), String> {
    pip(&["--no-deps", package], folder)
}

/// The same, with what the package needs.
///
/// # Errors
/// As for [`install`].
pub(crate) fn install_with_dependencies(package: &str, folder: &Path) -> Result<(), String> {
    pip(&[package], folder)
}

fn pip(arguments: &[&str], folder: &Path) -> Result<(), String> {
    let python = program()?;
    if !run(Command::new(&python).args(["-m", "pip", "--version"]), Duration::from_mins(1))?.succeeded() {
        return Err(format!("Python's `pip` is missing. Install it: {INSTALL}"));
    }
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]);
    pip.arg("--target").arg(folder).args(arguments);
    run_or_explain(&mut pip, Duration::from_mins(15)).map(|_| ())
}
