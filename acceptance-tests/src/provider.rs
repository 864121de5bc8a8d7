//! The provider of this checkout.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use crate::{engines::Engine, process::run_or_explain, workspace::hcl};

/// The provider's binary, built when it is first asked for.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| build().unwrap_or_else(|problem| panic!("building the provider: {problem}")))
}

/// The version of this checkout, and of the provider.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Makes `folder` a mirror from which `init` of that engine installs the provider. Returns the `provider_installation`
/// that says so.
pub fn mirror(folder: &Path, engine: &Engine) -> String {
    let os = if env::consts::OS == "macos" { "darwin" } else { env::consts::OS };
    let arch = if env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" };
    let place = folder.join(engine.registry).join("selfserve/kafka").join(VERSION).join(format!("{os}_{arch}"));
    let copied = fs::create_dir_all(&place)
        .and_then(|()| fs::copy(binary(), place.join(format!("terraform-provider-kafka_v{VERSION}"))));
    copied.unwrap_or_else(|problem| panic!("writing {}: {problem}", place.display()));
    format!("filesystem_mirror {{\npath = {}\n}}", hcl(&folder.to_string_lossy()))
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
