//! otto's own callback plugin, written to a folder that Ansible is pointed at.

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};

/// The plugin.
pub const SOURCE: &str = include_str!("callback.py");

/// Its file's name; Ansible takes the plugin's name from it.
pub const FILE: &str = "otto_events.py";

/// The variable that names the file its events go to.
pub const EVENTS: &str = "OTTO_EVENTS";

/// Writes the plugin into `folder` unless it is there as it should be, and answers the file. Safe when several do it
/// at once: the file appears whole or not at all.
///
/// # Errors
/// The folder or the file cannot be written.
pub fn install(folder: &Utf8Path) -> io::Result<Utf8PathBuf> {
    let path = folder.join(FILE);
    if fs::read_to_string(&path).is_ok_and(|text| text == SOURCE) {
        return Ok(path);
    }
    fs::create_dir_all(folder)?;
    // No `.py` at its end: Ansible loads every such file of the folder.
    let part = folder.join(format!("{FILE}.{}.part", std::process::id()));
    fs::write(&part, SOURCE)?;
    fs::rename(&part, &path)?;
    Ok(path)
}
