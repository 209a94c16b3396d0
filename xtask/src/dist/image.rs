//! The container image: the program alone, for a user without rights.
//!
//! The file is a layout of the OCI image specification 1.1 in a tar archive, with the index of `docker save` beside it,
//! so that Podman, Skopeo and Docker all load it. No engine is needed to make it.

use serde_json::{Value, json};

use super::archive::{DATA, PROGRAM, Tree, gzip};
use super::{Material, Release, digest, timestamp};

/// The user of the image, by number, so that Kubernetes can see that it is not root.
const USER: u32 = 65_532;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIGURATION: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

pub(crate) fn name(release: &Release) -> Result<String, String> {
    Ok(format!(
        "kliento-{}-image-{}.tar",
        release.version,
        architecture(&release.target)?
    ))
}

/// Go's name for a target, by which images name processors.
fn architecture(target: &str) -> Result<&'static str, String> {
    match target.split('-').next() {
        Some("x86_64") => Ok("amd64"),
        Some("aarch64") => Ok("arm64"),
        _ => Err(format!("no architecture of images is known for {target}")),
    }
}

pub(crate) fn write(release: &Release, material: &Material) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| format!("cannot write the image: {error}");
    let plain = files(material).tar("", release.epoch).map_err(cannot)?;
    let layer = gzip(&plain).map_err(cannot)?;
    let configuration = configuration(release, &digest(&plain))?.to_string();
    let manifest = manifest(release, configuration.as_bytes(), &layer).to_string();

    let mut archive = Tree::default();
    let mut blob = |octets: &[u8]| {
        let path = format!("blobs/sha256/{}", digest(octets));
        archive.add(&path, DATA, octets);
        path
    };
    let layer_path = blob(&layer);
    let configuration_path = blob(configuration.as_bytes());
    blob(manifest.as_bytes());
    let tag = format!("kliento:{}", release.version);
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            "mediaType": MANIFEST,
            "digest": format!("sha256:{}", digest(manifest.as_bytes())),
            "size": manifest.len(),
            "platform": { "architecture": architecture(&release.target)?, "os": "linux" },
            "annotations": {
                "io.containerd.image.name": format!("docker.io/library/{tag}"),
                "org.opencontainers.image.ref.name": release.version,
            },
        }],
    });
    // The index of `docker save`, which older versions of Docker read in place of the layout's.
    let of_docker = json!([{
        "Config": configuration_path,
        "RepoTags": [tag],
        "Layers": [layer_path],
    }]);
    archive.add(
        "oci-layout",
        DATA,
        json!({ "imageLayoutVersion": "1.0.0" }).to_string(),
    );
    archive.add("index.json", DATA, index.to_string());
    archive.add("manifest.json", DATA, of_docker.to_string());
    archive.tar("", release.epoch).map_err(cannot)
}

/// What the image holds. Roots of TLS are compiled into the program.
fn files(material: &Material) -> Tree {
    let mut tree = Tree::default();
    tree.add("kliento", PROGRAM, material.program.clone());
    // An empty folder to mount the configuration at.
    tree.add_folder("etc/kliento", PROGRAM);
    let user = format!("kliento:x:{USER}:{USER}:kliento:/nonexistent:/sbin/nologin\n");
    tree.add(
        "etc/passwd",
        DATA,
        format!("root:x:0:0:root:/nonexistent:/sbin/nologin\n{user}"),
    );
    tree.add("etc/group", DATA, format!("root:x:0:\nkliento:x:{USER}:\n"));
    let licences = "usr/share/doc/kliento/THIRD-PARTY-LICENCES";
    tree.add(licences, DATA, material.licences.as_bytes());
    tree
}

/// The same user, entry point and arguments as those of `cli/packaging/Containerfile`.
fn configuration(release: &Release, plain_layer: &str) -> Result<Value, String> {
    let created = timestamp(release.epoch)?;
    Ok(json!({
        "created": created,
        "architecture": architecture(&release.target)?,
        "os": "linux",
        "config": {
            "User": format!("{USER}:{USER}"),
            "ExposedPorts": { "8080/tcp": {} },
            "Entrypoint": ["/kliento"],
            "Cmd": ["serve", "--config", "/etc/kliento/kliento.toml", "--listen", "0.0.0.0:8080"],
            "WorkingDir": "/",
            "Labels": {
                "org.opencontainers.image.title": "kliento",
                "org.opencontainers.image.version": release.version,
                "org.opencontainers.image.revision": release.commit.as_deref().unwrap_or("unknown"),
                "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
            },
        },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{plain_layer}")] },
        "history": [{ "created": created, "created_by": "cargo xtask dist" }],
    }))
}

fn manifest(release: &Release, configuration: &[u8], layer: &[u8]) -> Value {
    let descriptor = |kind: &str, octets: &[u8]| {
        json!({
            "mediaType": kind,
            "digest": format!("sha256:{}", digest(octets)),
            "size": octets.len(),
        })
    };
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIGURATION, configuration),
        "layers": [descriptor(LAYER, layer)],
        "annotations": { "org.opencontainers.image.version": release.version },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::io::Read as _;

    use super::*;
    use crate::checks::root;
    use crate::dist::tests::{material, release};

    fn unpack(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        for entry in tar::Archive::new(tar).entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            let mut octets = Vec::new();
            entry.read_to_end(&mut octets).unwrap();
            files.insert(path, octets);
        }
        files
    }

    fn parse(octets: &[u8]) -> Value {
        serde_json::from_slice(octets).unwrap()
    }

    #[test]
    fn every_digest_leads_to_what_has_it() {
        let files = unpack(&write(&release(), &material()).unwrap());
        let blob = |descriptor: &Value| {
            let wanted = descriptor["digest"]
                .as_str()
                .unwrap()
                .strip_prefix("sha256:")
                .unwrap();
            let octets = &files[&format!("blobs/sha256/{wanted}")];
            assert_eq!(digest(octets), wanted);
            assert_eq!(descriptor["size"], octets.len());
            octets.clone()
        };
        let index = parse(&files["index.json"]);
        let manifest = parse(&blob(&index["manifests"][0]));
        let configuration = blob(&manifest["config"]);
        let layer = blob(&manifest["layers"][0]);
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(layer.as_slice())
            .read_to_end(&mut plain)
            .unwrap();
        let configuration_value = parse(&configuration);
        assert_eq!(
            configuration_value["rootfs"]["diff_ids"][0],
            format!("sha256:{}", digest(&plain))
        );
        let of_docker = parse(&files["manifest.json"]);
        let path = |value: &Value| files[value.as_str().unwrap()].clone();
        assert_eq!(path(&of_docker[0]["Config"]), configuration);
        assert_eq!(path(&of_docker[0]["Layers"][0]), layer);

        let inside = unpack(&plain);
        assert_eq!(inside["kliento"], b"program");
        assert_eq!(configuration_value["config"]["User"], "65532:65532");
    }

    #[test]
    fn the_container_file_makes_an_image_of_the_same_kind() {
        let file = fs::read_to_string(root().join("cli/packaging/Containerfile")).unwrap();
        let of_file = |instruction: &str| {
            let last = file
                .lines()
                .filter_map(|line| line.strip_prefix(instruction))
                .next_back();
            last.unwrap().trim().to_owned()
        };
        let configuration = configuration(&release(), "").unwrap();
        let config = &configuration["config"];
        assert_eq!(config["User"], of_file("USER"));
        assert_eq!(
            config["Entrypoint"],
            parse(of_file("ENTRYPOINT").as_bytes())
        );
        assert_eq!(config["Cmd"], parse(of_file("CMD").as_bytes()));
        assert!(config["ExposedPorts"][format!("{}/tcp", of_file("EXPOSE"))].is_object());
    }
}
