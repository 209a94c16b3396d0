//! `kliento member renew`, with resolvers on loopback that answer out of worlds in memory.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kliento_fixtures::{Algorithm, SERVFAIL, World, WorldBuilder};

use crate::resolver::resolver;
use crate::support::{Run, Scratch, mode, run_in};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(now.unwrap().as_secs()).unwrap()
}

fn kliento(scratch: &Scratch, line: &str) -> Run {
    let arguments: Vec<&str> = line.split_whitespace().collect();
    run_in(scratch.path(), &arguments, b"")
}

/// An organisation and a member, in files.
struct Organisation {
    scratch: Scratch,
    record: String,
}

impl Organisation {
    fn new() -> Self {
        let scratch = Scratch::new();
        for line in [
            "key generate --algorithm rsa-2048 --out org.key.pem",
            "key generate --algorithm rsa-2048 --out alice.key.pem",
            "key public --key alice.key.pem --out alice.pub.pem",
            "organisation certificate --domain example.com --key org.key.pem --valid-for 30d --out org.pem",
        ] {
            kliento(&scratch, line).exits(0);
        }
        let line = "organisation record --domain example.com --key org.key.pem --json";
        let document = kliento(&scratch, line).exits(0).json();
        let rdata = document["rdata"].as_str().unwrap();
        let record = rdata.trim_matches('"').to_owned();
        fs::write(scratch.file("anchors"), "").unwrap();
        Self { scratch, record }
    }

    fn zones(&self) -> WorldBuilder {
        World::builder()
            .zone(".", Algorithm::EcdsaP256Sha256)
            .zone("com.", Algorithm::EcdsaP256Sha256)
            .zone("example.com.", Algorithm::EcdsaP256Sha256)
            .txt("_veraid.example.com.", self.record.clone())
    }

    /// A world whose signatures hold from an hour ago until so many seconds from now, and whose root is trusted.
    fn world(&self, seconds: i64) -> World {
        self.world_with(seconds, |world| world)
    }

    fn world_with(&self, seconds: i64, with: impl FnOnce(WorldBuilder) -> WorldBuilder) -> World {
        let world = with(self.zones().at(now()).window(now() - HOUR, now() + seconds)).build();
        let anchors = fs::read_to_string(self.scratch.file("anchors")).unwrap();
        fs::write(self.scratch.file("anchors"), anchors + &world.anchors()).unwrap();
        world
    }

    fn resolver(&self, seconds: i64) -> SocketAddr {
        resolver(self.world(seconds), |_| {})
    }

    /// Makes the member's bundle in a world, with a certificate for so long.
    fn certify(&self, seconds: i64, valid_for: &str) {
        let address = self.resolver(seconds);
        for line in [
            format!(
                "dnssec retrieve --domain example.com --resolver {address} --trust-anchors anchors --out chain"
            ),
            format!(
                "member certify --name alice --public-key alice.pub.pem --organisation-certificate org.pem \
                 --organisation-key org.key.pem --dnssec-chain chain --valid-for {valid_for} --trust-anchors anchors \
                 --out alice.member-id"
            ),
        ] {
            kliento(&self.scratch, &line).exits(0);
        }
    }

    fn renew(&self, resolver: impl std::fmt::Display, more: &str) -> Run {
        kliento(
            &self.scratch,
            &format!(
                "member renew --member-id-bundle alice.member-id --trust-anchors anchors --resolver {resolver} {more}"
            ),
        )
    }

    fn bundle(&self) -> Vec<u8> {
        fs::read(self.scratch.file("alice.member-id")).unwrap()
    }
}

#[test]
fn a_member_renews_its_bundle_with_nobodys_key() {
    let organisation = Organisation::new();
    organisation.certify(DAY, "20d");
    let later = organisation.resolver(5 * DAY);
    for key in ["org.key.pem", "alice.key.pem"] {
        let file = |name: &str| organisation.scratch.file(name);
        fs::rename(file(key), file(&format!("away.{key}"))).unwrap();
    }
    let before = organisation.bundle();
    let path = organisation.scratch.file("alice.member-id");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();

    let document = organisation
        .renew(later, "--if-less-than 2d --json")
        .exits(0)
        .json();
    assert_eq!(document["renewed"], true);
    assert_eq!(document["member"], "alice@example.com");
    assert_eq!(document["file"], "alice.member-id");
    let renewed = organisation.bundle();
    assert_ne!(renewed, before);
    assert_eq!(mode(&path), 0o640);
    for line in [
        "token issue --audience https://api.example.com --member-id-bundle alice.member-id --key away.alice.key.pem \
         --trust-anchors anchors --out token",
        "token verify --audience https://api.example.com --trust-anchors anchors token",
    ] {
        kliento(&organisation.scratch, line).exits(0);
    }

    // It is good for longer than that now, and the resolver is not even asked.
    let run = organisation
        .renew("127.0.0.1:1", "--if-less-than 2d")
        .exits(0);
    assert!(
        run.text()
            .starts_with("alice.member-id is still valid until ")
    );
    assert_eq!(organisation.bundle(), renewed);
    // There is nothing newer.
    let run = organisation.renew(later, "--json").exits(0);
    assert_eq!(run.json()["renewed"], false);
    let run = organisation.renew(later, "--if-less-than 6d").exits(1);
    assert!(run.text().contains("no later signatures"), "{}", run.text());
    assert_eq!(organisation.bundle(), renewed);
}

#[test]
fn an_expired_bundle_comes_back_to_life() {
    let organisation = Organisation::new();
    organisation.certify(2, "20d");
    std::thread::sleep(std::time::Duration::from_secs(4));
    let run = organisation.renew("127.0.0.1:1", "").exits(2);
    assert!(
        run.stderr.contains("was not renewed, and is not valid now"),
        "{}",
        run.stderr
    );
    let later = organisation.resolver(DAY);
    let run = organisation.renew(later, "").exits(0);
    assert!(
        run.text()
            .starts_with("Renewed alice.member-id, the bundle of alice@example.com: ")
    );
}

/// The form of the file stays, since whoever reads it may know one alone.
#[test]
fn base64_stays_base64() {
    let organisation = Organisation::new();
    organisation.certify(DAY, "20d");
    let path = organisation.scratch.file("alice.member-id");
    let text = STANDARD.encode(organisation.bundle());
    fs::write(&path, &text).unwrap();
    let later = organisation.resolver(5 * DAY);
    organisation.renew(later, "").exits(0);
    let renewed = fs::read_to_string(&path).unwrap();
    assert_ne!(renewed.trim_end(), text);
    let der = STANDARD.decode(renewed.trim_end().as_bytes()).unwrap();
    assert_eq!(der[0], 0x30);
}

#[test]
fn nothing_good_is_replaced_by_anything_worse() {
    let organisation = Organisation::new();
    organisation.certify(5 * DAY, "20d");
    let before = organisation.bundle();
    let world = organisation.world(9 * DAY);
    let other = organisation.zones().build();
    let failing = resolver(world.clone(), |response| response.rcode = SERVFAIL);
    let stripping = resolver(world.clone(), |response| {
        response.drop_signatures();
    });
    let lying = resolver(other, |_| {});
    let other_key = resolver(
        world.with_txt(
            "_veraid.example.com.",
            "1 QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY= 3600",
        ),
        |_| {},
    );
    let older = organisation.resolver(2 * DAY);
    for (name, address, status) in [
        ("silent", "127.0.0.1:1".parse().unwrap(), 2),
        ("failing", failing, 2),
        ("stripping", stripping, 2),
        ("lying", lying, 1),
        ("another key", other_key, 1),
        ("older", older, 0),
    ] {
        let run = organisation.renew(address, "").exits(status);
        if status != 0 {
            let told = "alice.member-id was not renewed, and is valid until ";
            assert!(run.stderr.contains(told), "{name}: {}", run.stderr);
        }
        assert_eq!(organisation.bundle(), before, "{name}");
        assert!(
            !organisation
                .scratch
                .names()
                .iter()
                .any(|name| name.starts_with(".kliento"))
        );
    }
    // One that answers well, after others that do not.
    let good = resolver(world, |_| {});
    organisation
        .renew(failing, &format!("--resolver {good}"))
        .exits(0);
    assert_ne!(organisation.bundle(), before);
}

#[test]
fn a_chain_does_not_renew_certificates() {
    let organisation = Organisation::new();
    organisation.certify(5 * DAY, "1d");
    let before = organisation.bundle();
    let later = organisation.resolver(9 * DAY);
    let run = organisation.renew(later, "").exits(0);
    assert!(
        run.stderr.contains("organisation's administrator"),
        "{}",
        run.stderr
    );
    organisation.renew(later, "--if-less-than 2d").exits(1);
    assert_eq!(organisation.bundle(), before);
    organisation.certify(DAY, "1s");
    std::thread::sleep(std::time::Duration::from_secs(3));
    organisation
        .renew(later, "")
        .exits(1)
        .explains("x509.expired")
        .hints();
}

/// An administrator has sent a new bundle in the meantime, with newer certificates.
#[test]
fn a_bundle_that_was_replaced_meanwhile_is_left_alone() {
    let organisation = Organisation::new();
    organisation.certify(DAY, "20d");
    let path = organisation.scratch.file("alice.member-id");
    let sent = path.clone();
    let later = resolver(organisation.world(5 * DAY), move |_| {
        fs::write(&sent, "a new bundle").unwrap();
    });
    let run = organisation.renew(later, "").exits(2);
    run.explains("was replaced while its chain was being retrieved")
        .hints();
    assert_eq!(organisation.bundle(), b"a new bundle");
}

/// Any number of other TXT records may stand beside the organisation's.
#[test]
fn a_chain_that_is_too_large_for_tokens_is_refused() {
    let organisation = Organisation::new();
    organisation.certify(DAY, "20d");
    let before = organisation.bundle();
    let world = organisation.world_with(5 * DAY, |world| {
        (0..60).fold(world, |world, number| {
            let text = format!("{number}{}", "x".repeat(240));
            world.txt("_veraid.example.com.", text)
        })
    });
    let run = organisation.renew(resolver(world, |_| {}), "").exits(1);
    run.explains("kliento.bundle_too_large")
        .explains("was not renewed, and is valid until ");
    assert_eq!(organisation.bundle(), before);
}

#[test]
fn a_bundle_to_renew_is_a_file() {
    let scratch = Scratch::new();
    for (file, told) in [
        ("-", "stdin is not a regular file"),
        (".", ". is not a regular file"),
        ("missing", "cannot read missing"),
    ] {
        let line = format!("member renew --member-id-bundle {file}");
        let run = kliento(&scratch, &line).exits(2);
        assert!(run.stderr.contains(told), "{}", run.stderr);
    }
    fs::write(scratch.file("text"), "text").unwrap();
    kliento(&scratch, "member renew --member-id-bundle text").exits(1);
}
