//! The Helm chart, packed as `helm package` does.

use std::fs;
use std::path::Path;

use super::Release;
use super::archive::{DATA, Tree, gzip};
use crate::checks::root;

const FOLDER: &str = "packaging/helm/kliento";

pub(crate) fn name(release: &Release) -> String {
    format!("kliento-chart-{}.tgz", release.version)
}

pub(crate) fn write(release: &Release) -> Result<Vec<u8>, String> {
    let mut tree = Tree::default();
    add_folder(&mut tree, &root().join(FOLDER), "kliento")?;
    let description = tree
        .files()
        .find(|(path, _)| *path == "kliento/Chart.yaml")
        .map(|(_, octets)| String::from_utf8_lossy(octets).into_owned())
        .ok_or("the chart has no Chart.yaml")?;
    check_versions(&description, &release.version)?;
    tree.tar("", release.epoch)
        .and_then(|tar| gzip(&tar))
        .map_err(|error| format!("cannot write the chart: {error}"))
}

fn add_folder(tree: &mut Tree, folder: &Path, prefix: &str) -> Result<(), String> {
    let cannot = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let path = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().map_err(cannot)?.is_dir() {
            add_folder(tree, &entry.path(), &path)?;
        } else {
            tree.add(&path, DATA, fs::read(entry.path()).map_err(cannot)?);
        }
    }
    Ok(())
}

/// The chart has the version of the program that it starts.
fn check_versions(description: &str, version: &str) -> Result<(), String> {
    for wanted in [
        format!("version: {version}"),
        format!("appVersion: \"{version}\""),
    ] {
        if !description.lines().any(|line| line == wanted) {
            return Err(format!("{FOLDER}/Chart.yaml has no line `{wanted}`"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_of_this_repository_is_of_its_version() {
        let description = fs::read_to_string(root().join(FOLDER).join("Chart.yaml")).unwrap();
        assert_eq!(
            check_versions(&description, env!("CARGO_PKG_VERSION")),
            Ok(())
        );
        assert!(check_versions(&description, "9.9.9").is_err());
    }
}
