//! The provider of this checkout.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use crate::process::run_or_explain;

/// The provider's binary, built when it is first asked for.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| build().unwrap_or_else(|problem| panic!("building the provider: {problem}")))
}

fn build() -> Result<PathBuf, String> {
    let mut cargo = Command::new(env!("CARGO"));
    // The whole workspace decides the features of the dependencies, so that nothing is built twice.
    cargo.args(["build", "--workspace", "--bin", "terraform-provider-kafka", "--message-format=json"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    let built = run_or_explain(&mut cargo, Duration::from_mins(15))?;
    let messages = built.stdout.lines().filter_map(|it| serde_json::from_str::<serde_json::Value>(it).ok());
    let mut executables = messages.filter_map(|it| it["executable"].as_str().map(PathBuf::from));
    executables.next().ok_or_else(|| "cargo named no executable".to_owned())
}
