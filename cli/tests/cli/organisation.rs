//! `kliento organisation`.

use crate::support::{MIDNIGHT, Scratch, WORKSHOP};

#[test]
fn prints_the_record_as_a_line_of_a_zone_file_and_as_json() {
    let text = WORKSHOP
        .run("organisation record --domain Example.COM. --key org.key.pem")
        .exits(0);
    let document = WORKSHOP
        .run("org record --domain example.com --key org.key.pem --json")
        .exits(0)
        .json();
    assert_eq!(document["name"], "_veraid.example.com.");
    assert_eq!(document["type"], "TXT");
    let rdata = document["rdata"].as_str().unwrap();
    let fields: Vec<&str> = rdata.trim_matches('"').split(' ').collect();
    assert_eq!(fields.len(), 3);
    assert_eq!((fields[0], fields[1].len(), fields[2]), ("1", 44, "3600"));
    assert_eq!(
        text.text(),
        format!("_veraid.example.com. 3600 IN TXT {rdata}\n")
    );
}

#[test]
fn prints_the_record_of_a_public_key_too() {
    let of_private = WORKSHOP
        .run("org record --domain example.com --key alice.key.pem")
        .exits(0);
    let of_public = WORKSHOP
        .run("org record --domain example.com --key alice.pub.pem")
        .exits(0);
    assert_eq!(of_private.stdout, of_public.stdout);
}

#[test]
fn binds_the_record_to_a_service_and_a_ttl_override() {
    let run = WORKSHOP
        .run("org record --domain example.com --key org.key.pem --service kliento --ttl-override 90d")
        .exits(0);
    assert!(run.text().ends_with(" 7776000 1.3.6.1.4.1.58708.3.0\"\n"));
    let run = WORKSHOP
        .run("org record --domain example.com --key org.key.pem --service 1.2.3.4 --ttl-override 90s")
        .exits(0);
    assert!(run.text().ends_with(" 90 1.2.3.4\"\n"));
}

#[test]
fn refuses_records_that_no_verifier_would_read() {
    for (arguments, about) in [
        ("--domain example.com --ttl-override 91d", "90 days"),
        ("--domain example.com --ttl-override 0s", "one second"),
        ("--domain example.com --ttl-override 1.5h", "90s, 10m"),
        ("--domain example.com --service kliento2", "OID"),
        ("--domain example.com --dialect vera", "domainauth"),
        ("--domain bücher.example", "bücher.example"),
        ("--domain example..com", "example..com"),
        ("--domain .", "'.'"),
    ] {
        let run = WORKSHOP
            .run(&format!("org record --key org.key.pem {arguments}"))
            .exits(2);
        run.explains(about);
        assert!(run.stdout.is_empty());
    }
}

#[test]
fn the_organisation_certifies_itself() {
    let scratch = Scratch::new();
    let out = scratch.file("org.pem");
    let document = WORKSHOP
        .run(&format!(
            "organisation certificate --domain EXAMPLE.com --key org.key.pem --valid-for 1h \
             --not-before 2025-11-21T01:00:00+01:00 --out {out} --json"
        ))
        .exits(0)
        .json();
    assert_eq!(document["file"], out.as_str());
    assert_eq!(document["organisation"], "example.com");
    assert_eq!(document["validFrom"], MIDNIGHT);
    assert_eq!(document["validUntil"], "2025-11-21T01:00:00Z");
    assert!(
        std::fs::read_to_string(&out)
            .unwrap()
            .starts_with("-----BEGIN CERTIFICATE-----")
    );
    assert_eq!(scratch.names(), ["org.pem"]);
}

#[test]
fn refuses_times_that_are_none() {
    let scratch = Scratch::new();
    for arguments in [
        "--not-before yesterday",
        "--not-before 2025-11-21",
        "--valid-for 10",
        "--valid-for 9999999d",
    ] {
        WORKSHOP
            .run(&format!(
                "organisation certificate --domain example.com --key org.key.pem {arguments} --out {}",
                scratch.file("org.pem")
            ))
            .exits(2);
    }
    assert!(scratch.names().is_empty());
}
