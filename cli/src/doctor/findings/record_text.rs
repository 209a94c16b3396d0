//! Findings about the text of one VeraId record: what is odd about it, or wrong.

use std::borrow::Cow;

use kliento::veraid::Organisation;

use crate::doctor::finding::Finding;
use crate::doctor::records::reading::{FieldTrouble, Oddity, Trouble};
use crate::doctor::words::shortened;

/// A finding about a record that is odd and reads all the same.
pub(crate) fn about_oddity(oddity: Oddity, text: &str) -> Finding {
    let shown = shortened(text);
    let finding = match oddity {
        Oddity::Split => Finding::note(
            "records.split",
            format!(
                "The record \"{shown}\" comes in several pieces (character strings). kliento joins them; the \
                 reference library does not."
            ),
        )
        .advise(
            "A record of one key fits one piece: publish it as one, with one pair of quotes around the whole of it if \
             your host's form wants quotes.",
        ),
        Oddity::Spaces => Finding::note(
            "records.spaces",
            format!("The record \"{shown}\" has more spaces, or other ones, than it needs. It is read all the same."),
        )
        .advise("When you change it next, put one space between two fields and none at the ends."),
        Oddity::DigestType => Finding::note(
            "records.digest_type",
            format!(
                "The record \"{shown}\" has a digest type in its second field, as VeraId's specification has it. \
                 kliento reads that; the reference library does not."
            ),
        )
        .advise("Publish it in the form that `kliento organisation record` prints, which everybody reads."),
        Oddity::LargeTtlOverride => Finding::note(
            "records.ttl_override_large",
            format!("The record \"{shown}\" has a TTL override of more than 90 days. Verifiers count it as 90 days."),
        )
        .advise("Write 7776000 for 90 days; for tokens, an hour (3600) is enough."),
    };
    finding.with("record", text)
}

/// The explanation of why a text is no record.
pub(crate) struct Explanation {
    /// The finding's name.
    pub(crate) id: &'static str,
    /// The fault, as the end of a sentence that starts with the record.
    pub(crate) what: Cow<'static, str>,
    pub(crate) advice: Cow<'static, str>,
}

impl Explanation {
    fn new(
        id: &'static str,
        what: impl Into<Cow<'static, str>>,
        advice: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            id,
            what: what.into(),
            advice: advice.into(),
        }
    }
}

/// The reason why a text is no record.
pub(crate) fn about_trouble(trouble: &Trouble, domain: &Organisation) -> Explanation {
    match trouble {
        Trouble::Foreign => Explanation::new(
            "records.foreign",
            "is not a VeraId record. It is about something else.",
            "If it belongs to another name, move it there.",
        ),
        Trouble::Quoted => Explanation::new(
            "records.quoted",
            "has quotes in its value, which belong to zone files and not to the record.",
            "Type the value without quotes into your host's form: it adds them by itself where they are needed.",
        ),
        Trouble::Typography => Explanation::new(
            "records.typography",
            "has characters of a word processor in it: curly quotes, or spaces that are none.",
            "Copy the value from a terminal or a plain text file.",
        ),
        Trouble::ZoneLine => Explanation::new(
            "records.zone_line",
            "is a whole line of a zone file: name, type and value in one.",
            "Put into the value only what stands between the quotes.",
        ),
        Trouble::Key => Explanation::new(
            "records.key_pasted",
            "is a key, where the record has only the key's id, a digest of it.",
            format!(
                "`kliento organisation record --domain {domain} --key FILE` makes the record of a key. If what you \
                 pasted is a private key, it is public now: make a new one."
            ),
        ),
        Trouble::Separators => Explanation::new(
            "records.separators",
            "has commas or semicolons between its fields.",
            "Put one space between two fields.",
        ),
        Trouble::ControlCharacters => Explanation::new(
            "records.typography",
            "has a line break or another character in it that can't be seen.",
            "Type the value by hand, or copy it without the end of its line.",
        ),
        Trouble::DomainAuth => Explanation::new(
            "records.domainauth_form",
            "has the form of DomainAuth, VeraId's successor, which stands at another name.",
            format!("Move it to _domainauth.{domain}."),
        ),
        Trouble::Field(trouble) => about_field(trouble),
    }
}

/// The same where the text is a VeraId record, but for one field.
fn about_field(trouble: &FieldTrouble) -> Explanation {
    match trouble {
        FieldTrouble::Algorithm(field) => Explanation::new(
            "records.algorithm",
            format!(
                "starts with \"{}\", which is no key algorithm: 1 is RSA-2048, 2 RSA-3072 and 3 RSA-4096.",
                shortened(field)
            ),
            "Only RSA keys of these sizes have a number.",
        ),
        FieldTrouble::Incomplete => Explanation::new(
            "records.incomplete",
            "has too few fields: it takes an algorithm, a key id and a TTL override, with a space between two.",
            "Copy the whole of it. Some forms cut a value off at a space when it has no quotes around it.",
        ),
        FieldTrouble::HexKeyId => Explanation::new(
            "records.key_id_hex",
            "has its key id in hexadecimal digits, where it should be in Base64.",
            "It is the same digest, written otherwise.",
        ),
        FieldTrouble::KeyIdLength => Explanation::new(
            "records.key_id_length",
            "has a key id of the wrong length for its algorithm: 1 goes with SHA-256 (44 characters), 2 with SHA-384 \
             (64) and 3 with SHA-512 (88).",
            "Perhaps a part of it was lost in copying, or the first field should have another number.",
        ),
        FieldTrouble::KeyId => Explanation::new(
            "records.key_id",
            "has a key id that is not Base64: letters, digits, + and /, with = at the end.",
            "A form may have changed it: - and _ for + and /, or another character at the end, make it unreadable.",
        ),
        FieldTrouble::ZeroTtlOverride => Explanation::new(
            "records.ttl_override_zero",
            "has a TTL override of 0, with which it never counts.",
            "Write the seconds for which it should count: 3600 is an hour.",
        ),
        FieldTrouble::TtlOverride(field) => Explanation::new(
            "records.ttl_override",
            format!(
                "has \"{}\" for a TTL override, which should be a plain number of seconds.",
                shortened(field)
            ),
            "Write 3600 for an hour.",
        ),
        FieldTrouble::Service(field) => Explanation::new(
            "records.service",
            format!(
                "has \"{}\" for a service, which should be an OID: numbers with dots between them.",
                shortened(field)
            ),
            format!("Kliento's is {}.", kliento::SERVICE),
        ),
        FieldTrouble::TooManyFields => Explanation::new(
            "records.too_many_fields",
            "has more fields than a record has: algorithm, key id, TTL override and perhaps a service.",
            "Remove what comes after. Comments have no place in it, and each service takes a record of its own.",
        ),
    }
}
