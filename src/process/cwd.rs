//! Processes that live in a folder: where a host is a folder, its services run in it, whatever they call themselves.

use std::fs;

use camino::Utf8Path;

/// Processes whose working folder is this one or below it, also when it was removed under them. Zombies have none.
pub fn living_below(folder: &Utf8Path) -> Vec<i32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(cwd) = fs::read_link(entry.path().join("cwd")) else { continue };
        let shown = cwd.to_string_lossy();
        let path = Utf8Path::new(shown.strip_suffix(" (deleted)").unwrap_or(&shown));
        if path.starts_with(folder) {
            found.push(pid);
        }
    }
    found.sort_unstable();
    found
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_found_by_where_it_lives_and_not_by_a_longer_name() {
        let base = tempfile::tempdir().expect("a folder");
        let base = Utf8Path::from_path(base.path()).expect("UTF-8");
        let (here, beside) = (base.join("www-1"), base.join("www-10"));
        fs::create_dir_all(&here).expect("made");
        fs::create_dir_all(&beside).expect("made");
        let mut child = std::process::Command::new("sleep").arg("30").current_dir(&beside).spawn().expect("sleep runs");
        let (there, not_here) = (living_below(&beside), living_below(&here));
        child.kill().expect("it is ours");
        child.wait().expect("it ends");
        assert_eq!(there, [i32::try_from(child.id()).expect("a pid")]);
        assert_eq!(not_here, Vec::<i32>::new());
    }
}
