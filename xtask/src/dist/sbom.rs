//! The bill of materials in `CycloneDX` 1.5: each crate in the program with its licence, its digest and what it needs.
//!
//! It is written here, since it must be the same octets whenever and wherever it is made (no serial number, the time of
//! the commit), and for the crates of this program alone: cargo's metadata has the features of the whole workspace,
//! while `cargo tree` has those of the program.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::crates::{COMMAND, Crate, Id};
use super::{Release, timestamp};

pub(crate) fn name(release: &Release) -> String {
    format!("kliento-{}-{}.cdx.json", release.version, release.target)
}

pub(crate) fn write(
    release: &Release,
    crates: &BTreeMap<Id, Crate>,
    program_digest: &str,
) -> Result<Vec<u8>, String> {
    let program = crates
        .keys()
        .find(|id| id.name == COMMAND)
        .ok_or_else(|| format!("{COMMAND} is not among the crates"))?;
    let components: Vec<Value> = crates
        .iter()
        .filter(|(id, _)| *id != program)
        .map(|(id, of)| component(id, of))
        .collect();
    let dependencies: Vec<Value> = crates
        .iter()
        .map(|(id, of)| {
            let needs: Vec<String> = of.needs.iter().map(url).collect();
            json!({ "ref": url(id), "dependsOn": needs })
        })
        .collect();
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": timestamp(release.epoch)?,
            "tools": { "components": [{
                "type": "application",
                "name": "cargo xtask dist",
                "version": release.version,
            }] },
            "component": {
                "type": "application",
                "bom-ref": url(program),
                "name": "kliento",
                "version": release.version,
                "purl": url(program),
                "licenses": [{ "expression": "MIT OR Apache-2.0" }],
                "hashes": [{ "alg": "SHA-256", "content": program_digest }],
                "properties": properties(release),
            },
        },
        "components": components,
        "dependencies": dependencies,
    });
    let mut text = serde_json::to_vec_pretty(&document)
        .map_err(|error| format!("cannot write the bill of materials: {error}"))?;
    text.push(b'\n');
    Ok(text)
}

/// How to build the same program again.
fn properties(release: &Release) -> Vec<Value> {
    [
        (
            "kliento:commit",
            release.commit.as_deref().unwrap_or("unknown"),
        ),
        ("kliento:target", &release.target),
        ("kliento:rustc", &release.rustc),
        ("kliento:cc", &release.cc),
        ("kliento:libc", &release.libc),
    ]
    .into_iter()
    .map(|(name, value)| json!({ "name": name, "value": value }))
    .collect()
}

fn component(id: &Id, of: &Crate) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": url(id),
        "name": id.name,
        "version": id.version,
        "purl": url(id),
        "scope": "required",
    });
    let mut set = |key: &str, value: Value| {
        if let Some(object) = component.as_object_mut() {
            object.insert(key.to_owned(), value);
        }
    };
    if let Some(text) = &of.description {
        let line: Vec<&str> = text.split_whitespace().collect();
        set("description", line.join(" ").into());
    }
    if let Some(licence) = &of.licence {
        // Old manifests write `MIT/Apache-2.0`, which is no expression of SPDX.
        let expression = licence.replace('/', " OR ");
        set("licenses", json!([{ "expression": expression }]));
    }
    if let Some(checksum) = &of.checksum {
        set("hashes", json!([{ "alg": "SHA-256", "content": checksum }]));
    }
    component
}

/// A package URL; a `+` of build metadata is percent-encoded.
fn url(id: &Id) -> String {
    format!("pkg:cargo/{}@{}", id.name, id.version.replace('+', "%2B"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::dist::tests::release;

    #[test]
    fn crates_have_their_digest_licence_and_needs() {
        let id = |name: &str, version: &str| Id {
            name: name.to_owned(),
            version: version.to_owned(),
        };
        let library = id("toml", "1.0.2+spec-1.1.0");
        let crates = BTreeMap::from([
            (
                id(COMMAND, "1.2.3"),
                Crate {
                    description: None,
                    licence: None,
                    folder: std::path::PathBuf::new(),
                    checksum: None,
                    needs: BTreeSet::from([library.clone()]),
                },
            ),
            (
                library,
                Crate {
                    description: Some("Reads\n  TOML".to_owned()),
                    licence: Some("MIT/Apache-2.0".to_owned()),
                    folder: std::path::PathBuf::new(),
                    checksum: Some("00ff".to_owned()),
                    needs: BTreeSet::new(),
                },
            ),
        ]);
        let octets = write(&release(), &crates, "abcd").unwrap();
        let document: Value = serde_json::from_slice(&octets).unwrap();
        let library = "pkg:cargo/toml@1.0.2%2Bspec-1.1.0";
        assert_eq!(
            document["components"],
            json!([{
                "type": "library", "bom-ref": library, "purl": library, "name": "toml", "version": "1.0.2+spec-1.1.0",
                "scope": "required", "description": "Reads TOML",
                "licenses": [{ "expression": "MIT OR Apache-2.0" }],
                "hashes": [{ "alg": "SHA-256", "content": "00ff" }],
            }])
        );
        assert_eq!(
            document["dependencies"][0],
            json!({ "ref": "pkg:cargo/kliento-cli@1.2.3", "dependsOn": [library] })
        );
        assert_eq!(document["metadata"]["timestamp"], "2023-11-14T22:13:20Z");
        assert_eq!(
            document["metadata"]["component"]["hashes"][0]["content"],
            "abcd"
        );
        // Two documents of the same program would differ in it.
        assert!(document.get("serialNumber").is_none());
    }
}
