//! Each target takes each input of its corpus.

use std::fs;
use std::path::Path;

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 13] = [
    ("dns_message", kliento_fuzz::dns_message),
    ("chain", kliento_fuzz::chain),
    ("authentication_chain", kliento_fuzz::authentication_chain),
    ("bundle", kliento_fuzz::bundle),
    ("certificate", kliento_fuzz::certificate),
    ("txt_record", kliento_fuzz::txt_record),
    ("token", kliento_fuzz::token),
    ("header", kliento_fuzz::header),
    ("trust_anchors", kliento_fuzz::trust_anchors),
    ("keys", kliento_fuzz::keys),
    ("names", kliento_fuzz::names),
    ("verified_bundle", kliento_fuzz::verified_bundle),
    ("resigned_bundle", kliento_fuzz::resigned_bundle),
];

#[test]
fn every_target_takes_its_corpus() {
    for (name, target) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("corpus")
            .join(name);
        let mut inputs: Vec<_> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.expect("the folder can be read").path())
            .collect();
        inputs.sort();
        assert!(!inputs.is_empty(), "{name} has no corpus");
        for input in inputs {
            target(&fs::read(&input).expect("the input can be read"));
        }
    }
}
