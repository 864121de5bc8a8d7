//! The provider of this checkout.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Duration,
};

use serde_json::Value;

use crate::{engines::Engine, process::run_or_explain, workspace::hcl};

const NAME: &str = "terraform-provider-kafka";

/// The provider's binary, built when it is first asked for.
pub fn binary() -> &'static Path {
    &built().provider
}

/// The binary of the tests that every implementation of the provider's Kafka client must pass.
pub fn conformance_tests() -> &'static Path {
    &built().conformance
}

/// The version of this checkout, and of the provider.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Makes `folder` a mirror from which `init` of that engine installs the provider. Returns the `provider_installation`
/// that says so.
pub fn mirror(folder: &Path, engine: &Engine) -> String {
    let os = if env::consts::OS == "macos" { "darwin" } else { env::consts::OS };
    let arch = if env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" };
    let place = folder.join(engine.registry).join("selfserve/kafka").join(VERSION).join(format!("{os}_{arch}"));
    let copied = fs::create_dir_all(&place).and_then(|()| fs::copy(binary(), place.join(format!("{NAME}_v{VERSION}"))));
    copied.unwrap_or_else(|problem| panic!("writing {}: {problem}", place.display()));
    format!("filesystem_mirror {{\npath = {}\n}}", hcl(&folder.to_string_lossy()))
}

#[derive(Debug)]
struct Built {
    provider: PathBuf,
    conformance: PathBuf,
}

fn built() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(|| build().unwrap_or_else(|problem| panic!("building the provider: {problem}")))
}

fn build() -> Result<Built, String> {
    let mut cargo = Command::new(env!("CARGO"));
    // With an integration test of its own, cargo builds the provider as `cargo test --workspace` does, so that nothing is
    // built twice.
    cargo.args(["test", "--no-run", "--workspace", "--test", "conformance", "--message-format=json"]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = run_or_explain(&mut cargo, Duration::from_mins(15))?.stdout;
    let messages: Vec<Value> = output.lines().filter_map(|it| serde_json::from_str(it).ok()).collect();
    let executable = |kind: &str, name: &str| {
        let target = |it: &&Value| it["target"]["kind"][0] == kind && it["target"]["name"] == name;
        let found = messages.iter().filter(target).find_map(|it| it["executable"].as_str());
        found.map(PathBuf::from).ok_or_else(|| format!("cargo built no {kind} {name}"))
    };
    Ok(Built { provider: executable("bin", NAME)?, conformance: executable("test", "conformance")? })
}
