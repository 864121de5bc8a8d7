//! Folders that are made once and kept outside the checkout.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::environment;

/// The cache's folder `name`, which `make` fills if it is not there yet. It appears whole or not at all, and processes
/// that want it at the same time wait for the first.
pub(crate) fn folder(name: &str, make: impl FnOnce(&Path) -> Result<(), String>) -> Result<PathBuf, String> {
    let cache = environment::cache();
    let folder = cache.join(name);
    let failed = |problem: io::Error| format!("making {}: {problem}", folder.display());
    fs::create_dir_all(&cache).map_err(failed)?;
    let lock = File::create(cache.join(format!("{name}.lock"))).map_err(failed)?;
    lock.lock().map_err(failed)?;
    if !folder.exists() {
        let unfinished = tempfile::Builder::new().prefix(&format!("{name}.")).tempdir_in(&cache).map_err(failed)?;
        make(unfinished.path())?;
        fs::rename(unfinished.keep(), &folder).map_err(failed)?;
    }
    Ok(folder)
}
