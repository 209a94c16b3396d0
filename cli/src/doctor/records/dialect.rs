//! The rules that each dialect has for its records, as far as the examination is concerned.

use kliento::veraid::{Dialect, KeyAlgorithm, PublicKey, TxtRecord};

use super::domain_auth::DomainAuth;
use super::published::Published;
use super::veraid::VeraId;
use crate::doctor::Examiner;
use crate::doctor::finding::Finding;

/// The rules that a dialect has for its records.
pub(in crate::doctor) trait DialectRecords: Sync {
    /// The number that stands for a key algorithm in its records, if one does.
    fn number_of(&self, algorithm: KeyAlgorithm) -> Option<u8>;

    /// The first field of a key's records.
    fn first_field(&self, key: &PublicKey) -> String;

    /// The longest validity of signatures in a chain, in seconds, if that is limited.
    fn longest_signature(&self) -> Option<u32>;

    /// Tells whether those who verify its records may refuse to follow aliases.
    fn warns_of_aliases(&self) -> bool;

    /// Tells whether somebody meant a record as one of the dialect, well made or not.
    fn is_meant(&self, published: &Published) -> bool;

    /// Tells whether the reading alone says exactly what is wrong with a record.
    fn is_read_exactly(&self, published: &Published) -> bool;

    /// Tells whether a record has the key's id behind another algorithm's number.
    fn is_under_another_algorithm(&self, published: &Published, key: &PublicKey) -> bool;

    /// Findings about one record, given whether others are good.
    fn about_one(
        &self,
        published: &Published,
        has_good: bool,
        examiner: &Examiner<'_>,
    ) -> Vec<Finding>;

    /// A finding about all records: those that are published, those that are good, and those of them that count.
    fn about_all(
        &self,
        published: &[Published],
        good: &[TxtRecord],
        counting: &[TxtRecord],
        examiner: &Examiner<'_>,
    ) -> Option<Finding>;
}

/// The rules of a dialect.
pub(in crate::doctor) fn records_of(dialect: Dialect) -> &'static dyn DialectRecords {
    match dialect {
        Dialect::DomainAuth => &DomainAuth,
        _ => &VeraId,
    }
}
