//! What the tests read from the environment, in one place.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use crate::engines;

/// Where fetched and built things are kept.
pub(crate) fn cache() -> PathBuf {
    let absolute = |it: OsString| Some(PathBuf::from(it)).filter(|it| it.is_absolute());
    env::var_os("XDG_CACHE_HOME")
        .and_then(absolute)
        .or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("terraform-provider-kafka")
}

/// `TEST_ENGINES`: the engines to test with, as names with commas between them, or `all`.
pub(crate) fn engines() -> Option<Vec<String>> {
    let names = env::var_os("TEST_ENGINES").filter(|it| !it.is_empty())?.to_string_lossy().into_owned();
    if names == "all" {
        return Some(engines::ALL.map(str::to_owned).to_vec());
    }
    Some(names.split(',').map(|it| it.trim().to_owned()).collect())
}

/// `KAFKA_HISTORIES_SEED` and `KAFKA_HISTORIES`: which random history is the first, and how many there are.
pub fn histories() -> (u64, u64) {
    let number = |name: &str| env::var_os(name)?.to_str()?.parse().ok();
    (number("KAFKA_HISTORIES_SEED").unwrap_or(1), number("KAFKA_HISTORIES").unwrap_or(100))
}

/// The variables that programs get: those they need to run, and none that steers Terraform or a Kafka provider.
pub(crate) fn inherited() -> impl Iterator<Item = (&'static str, OsString)> {
    ["PATH", "HOME", "TMPDIR", "LANG"].into_iter().filter_map(|name| Some((name, env::var_os(name)?)))
}

/// Where a program is on the search path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|it| it.join(program)).find(|it| it.is_file())
}

/// Where a program is on the search path.
///
/// # Errors
/// A sentence that names the program and how it is installed.
pub(crate) fn require(program: &str, install: &str) -> Result<PathBuf, String> {
    find(program).ok_or_else(|| format!("`{program}` is missing. Install it: {install}"))
}
