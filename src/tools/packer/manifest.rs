//! The manifest post-processor's file: which artifacts the last run left.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

/// One build of the last run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The build's name.
    pub name: String,
    /// `null`, `digitalocean`, ...
    pub builder_type: String,
    /// `nyc3:1031`, `region:ami-...,region:ami-...`; empty where the image is a file.
    pub artifact_id: String,
    /// Files with their sizes in bytes, absolute; the first one is the image where the image is a file.
    pub files: Vec<(Utf8PathBuf, u64)>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    builds: Option<Vec<Build>>,
    #[serde(default)]
    last_run_uuid: String,
}

#[derive(Deserialize)]
struct Build {
    #[serde(default)]
    name: String,
    #[serde(default)]
    builder_type: String,
    #[serde(default)]
    files: Option<Vec<File>>,
    #[serde(default)]
    artifact_id: Option<String>,
    #[serde(default)]
    packer_run_uuid: String,
}

#[derive(Deserialize)]
struct File {
    name: String,
    #[serde(default)]
    size: u64,
}

/// Reads a manifest: only the builds of its last run (the file grows with every run), relative files below `base`
/// (Packer's working folder), each build once.
///
/// # Errors
/// The text is no manifest, with the reason.
pub fn read(text: &str, base: &Utf8Path) -> Result<Vec<Built>, String> {
    let manifest: Manifest =
        serde_json::from_str(text).map_err(|error| format!("Packer's manifest cannot be read: {error}"))?;
    let last = manifest.last_run_uuid;
    let mut found: Vec<Built> = Vec::new();
    for build in manifest.builds.unwrap_or_default().into_iter().filter(|build| build.packer_run_uuid == last) {
        let files = build.files.unwrap_or_default();
        let built = Built {
            name: build.name,
            builder_type: build.builder_type,
            artifact_id: build.artifact_id.unwrap_or_default(),
            files: files.into_iter().map(|file| (base.join(file.name), file.size)).collect(),
        };
        if !found.contains(&built) {
            found.push(built);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_run_counts_and_files_become_absolute() {
        let text = r#"{"builds":[
          {"name":"a","builder_type":"null","files":[{"name":"old","size":1}],"artifact_id":"","packer_run_uuid":"1"},
          {"name":"a","builder_type":"null","files":[{"name":"out/a.tar.gz","size":9},{"name":"/x/b","size":2}],"artifact_id":"","packer_run_uuid":"2"},
          {"name":"b","builder_type":"digitalocean","files":null,"artifact_id":"nyc3:7","packer_run_uuid":"2"},
          {"name":"b","builder_type":"digitalocean","files":null,"artifact_id":"nyc3:7","packer_run_uuid":"2"}],
          "last_run_uuid":"2"}"#;
        let built = read(text, "/run".into()).expect("a manifest");
        assert_eq!(built.len(), 2);
        assert_eq!(built[0].files, [("/run/out/a.tar.gz".into(), 9), ("/x/b".into(), 2)]);
        assert_eq!((built[1].artifact_id.as_str(), built[1].files.len()), ("nyc3:7", 0));
        assert!(read("{", "/".into()).is_err());
        assert!(read("{\"builds\":null}", "/".into()).expect("no builds").is_empty());
    }
}
