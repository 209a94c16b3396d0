//! VeraId's records.

use kliento::veraid::{DigestType, KeyAlgorithm, PublicKey, TxtRecord};

use super::dialect::DialectRecords;
use super::published::Published;
use super::reading::{Reading, Trouble, decode_key_id, reference_reads};
use crate::doctor::Examiner;
use crate::doctor::finding::{Finding, Severity};
use crate::doctor::findings::{record_text, records as found};

/// The digests by which VeraId's records identify keys.
const DIGEST_TYPES: [DigestType; 3] = [DigestType::Sha256, DigestType::Sha384, DigestType::Sha512];

pub(super) struct VeraId;

impl DialectRecords for VeraId {
    fn number_of(&self, algorithm: KeyAlgorithm) -> Option<u8> {
        // Other keys have numbers in DomainAuth alone.
        algorithm
            .record_number()
            .filter(|_| !algorithm.is_experimental())
    }

    fn first_field(&self, key: &PublicKey) -> String {
        self.number_of(key.algorithm())
            .map_or_else(String::new, |number| number.to_string())
    }

    fn longest_signature(&self) -> Option<u32> {
        None
    }

    fn warns_of_aliases(&self) -> bool {
        true
    }

    fn is_meant(&self, published: &Published) -> bool {
        published.reading().is_an_attempt()
    }

    fn is_read_exactly(&self, published: &Published) -> bool {
        matches!(published.reading(), Reading::Trouble(trouble) if trouble.is_exact())
    }

    fn is_under_another_algorithm(&self, published: &Published, key: &PublicKey) -> bool {
        let text = published.text();
        let mut fields = text.split_ascii_whitespace();
        let number = fields.next().filter(|field| field.parse::<u8>().is_ok());
        let digests = DIGEST_TYPES.map(|digest_type| key.key_id(digest_type));
        number.is_some_and(|number| number != self.first_field(key))
            && fields
                .filter_map(decode_key_id)
                .any(|id| digests.iter().any(|digest| digest.as_bytes() == id))
    }

    fn about_one(
        &self,
        published: &Published,
        has_good: bool,
        examiner: &Examiner<'_>,
    ) -> Vec<Finding> {
        let text = published.text();
        match published.reading() {
            Reading::Record(_, oddities) => oddities
                .into_iter()
                .map(|oddity| record_text::about_oddity(oddity, &text))
                .collect(),
            Reading::Trouble(trouble) => {
                let severity = match (has_good, &trouble) {
                    (false, _) => Severity::Problem,
                    (true, Trouble::Foreign) => Severity::Note,
                    (true, _) => Severity::Warning,
                };
                let explanation = record_text::about_trouble(&trouble, &examiner.subject.domain);
                let publishing = (!has_good).then(|| examiner.publishing());
                vec![found::unreadable(
                    text,
                    explanation,
                    severity,
                    publishing.as_ref(),
                )]
            }
        }
    }

    fn about_all(
        &self,
        published: &[Published],
        good: &[TxtRecord],
        _: &[TxtRecord],
        examiner: &Examiner<'_>,
    ) -> Option<Finding> {
        let unread: Vec<String> = published
            .iter()
            .filter(|published| !reference_reads(&published.strings()))
            .map(Published::text)
            .collect();
        (!good.is_empty() && !unread.is_empty())
            .then(|| found::reference_refuses(&examiner.survey.owner, unread))
    }
}
