//! The files of a template: which variables they declare, and whether they need plugins.

use std::collections::BTreeSet;
use std::{fs, io};

use camino::Utf8Path;

use crate::tools::terraform::hcl::scan;

/// The file with nothing but `required_plugins`, for versions that have none inside.
const PLUGINS: &str = "plugins.pkr.hcl";

/// Names of the variables that a template declares: any other one would be a warning of every build.
///
/// # Errors
/// The folder or a file cannot be read.
pub fn declared_variables(folder: &Utf8Path) -> io::Result<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        if entry.file_name().ends_with(".pkr.hcl") {
            let body = scan(&fs::read_to_string(entry.path())?);
            all.extend(body.of_kind("variable").filter_map(|block| block.labels.first().cloned()));
        }
    }
    Ok(all)
}

/// Whether a Packer that has plugins of its own has to look for some.
pub fn needs_plugins(folder: &Utf8Path) -> bool {
    folder.join(PLUGINS).is_file()
}
