//! Bundles that the reference library made: what must come of each is in `fixtures/reference/index.json`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use veraid::{
    MemberIdBundle, Period, ServiceOid, SignatureBundle, SignedBy, Timestamp, TrustAnchors,
    Verification, VerifyError,
};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/reference")
}

fn read(file: &str) -> Vec<u8> {
    fs::read(directory().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn text<'j>(object: &'j Value, field: &str) -> &'j str {
    object[field]
        .as_str()
        .unwrap_or_else(|| panic!("no text {field} in {object}"))
}

fn time(object: &Value, field: &str) -> Timestamp {
    text(object, field).parse().unwrap()
}

fn period(verification: &Value) -> Period {
    if verification.get("at").is_some() {
        Period::at(time(verification, "at"))
    } else {
        Period::new(time(verification, "from"), time(verification, "until")).unwrap()
    }
}

/// What a verifier tells: organisation, user, subject, who signed, content and period.
struct Told {
    organisation: String,
    user: Option<String>,
    subject: String,
    signed_by: Option<SignedBy>,
    content: Option<Vec<u8>>,
    period: Period,
}

struct Case<'j> {
    object: &'j Value,
    bundle: Vec<u8>,
    anchors: TrustAnchors,
    service: ServiceOid,
}

impl<'j> Case<'j> {
    fn new(object: &'j Value) -> Self {
        let anchors: Vec<&str> = object["trustAnchors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line.as_str().unwrap())
            .collect();
        Self {
            object,
            bundle: read(text(object, "file")),
            anchors: anchors.join("\n").parse().unwrap(),
            service: text(object, "service").parse().unwrap(),
        }
    }

    fn content(&self) -> Option<Vec<u8>> {
        let file = self.object["expected"]["contentFile"].as_str()?;
        Some(read(file))
    }

    fn verify(&self, period: Period) -> Result<Told, VerifyError> {
        match text(self.object, "format") {
            "signature-bundle" => self.verify_signature(period),
            "member-id-bundle" => self.verify_member(period),
            format => panic!("no format {format}"),
        }
    }

    fn verify_signature(&self, period: Period) -> Result<Told, VerifyError> {
        let content = self.content().unwrap_or_default();
        let mut verification = Verification::new(self.service, period, &self.anchors);
        if self.object["encapsulation"] == "detached" {
            verification = verification.with_detached_content(&content);
        }
        let verified = SignatureBundle::from_der(&self.bundle)?.verify(&verification)?;
        let id = verified.member_id();
        Ok(Told {
            organisation: id.organisation().to_string(),
            user: id.user().map(ToString::to_string),
            subject: id.to_string(),
            signed_by: Some(verified.signed_by()),
            content: verified.content().map(<[u8]>::to_vec),
            period: verified.period(),
        })
    }

    fn verify_member(&self, period: Period) -> Result<Told, VerifyError> {
        let bundle = MemberIdBundle::from_der(&self.bundle)?;
        let verified = bundle.verify(&Verification::new(self.service, period, &self.anchors))?;
        let id = verified.member_id();
        Ok(Told {
            organisation: id.organisation().to_string(),
            user: id.user().map(ToString::to_string),
            subject: id.to_string(),
            signed_by: None,
            content: None,
            period: verified.period(),
        })
    }

    fn check(&self, verification: &Value) {
        let name = text(self.object, "name");
        let period = period(verification);
        let outcome = self.verify(period);
        // What is wrong with a token alone is none of this crate's business.
        let token_alone = self.object["layer"] == "kliento";
        match (text(verification, "status"), outcome) {
            ("valid", Ok(told)) => self.check_told(name, period, &told),
            ("invalid", Ok(_)) if token_alone => {}
            ("invalid", Err(error)) if !token_alone => {
                let reason = text(verification, "reason");
                assert!(
                    error.reason().starts_with(reason),
                    "{name}: {} at {period}",
                    error.reason()
                );
                assert!(!error.is_malformed(), "{name}");
            }
            (status, Ok(_)) => panic!("{name}: should be {status} at {period}, is valid"),
            (status, Err(error)) => panic!("{name}: should be {status} at {period}: {error}"),
        }
    }

    fn check_told(&self, name: &str, period: Period, told: &Told) {
        let expected = &self.object["expected"];
        assert_eq!(told.organisation, text(expected, "organisation"), "{name}");
        assert_eq!(told.user.as_deref(), expected["user"].as_str(), "{name}");
        assert_eq!(told.subject, text(expected, "subject"), "{name}");
        assert!(told.period.overlaps(period), "{name}");
        if let Some(signed_by) = told.signed_by {
            let signed_by = match signed_by {
                SignedBy::Member => "member",
                SignedBy::Organisation => "organisation",
                _ => "another",
            };
            assert_eq!(signed_by, text(expected, "signedBy"), "{name}");
            assert_eq!(told.content, self.content(), "{name}");
        }
    }
}

#[test]
fn agrees_with_the_index_about_every_bundle_of_the_reference_library() {
    let index: Value = serde_json::from_slice(&read("index.json")).unwrap();
    let cases = index["cases"].as_array().unwrap();
    assert!(cases.len() > 50);
    for object in cases {
        let case = Case::new(object);
        for verification in object["verifications"].as_array().unwrap() {
            case.check(verification);
        }
    }
}

#[test]
fn writes_member_id_bundles_of_the_reference_library_as_it_read_them() {
    for file in [
        "id-bundle-member-user-rsa-2048",
        "id-bundle-member-bot-rsa-4096",
    ] {
        let der = read(&format!("bundles/{file}.der"));
        let bundle = MemberIdBundle::from_der(&der).unwrap();
        let written = MemberIdBundle::from_der(&bundle.to_der().unwrap()).unwrap();
        assert_eq!(written, bundle);
        // The reference does not sort its chain; all else stays as it was.
        assert_eq!(bundle.to_der().unwrap().len(), der.len());
    }
}
