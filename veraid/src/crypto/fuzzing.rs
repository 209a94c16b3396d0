//! Entry points for the targets in `fuzz/`: the verdict of each back end in the build. Nothing else may rest on them.

use super::{BACK_ENDS, Failure, HashAlgorithm};
use crate::algorithm::SignatureAlgorithm;
use crate::asn1::{Value, tag};
use crate::key::PublicKeyRef;

/// What a back end says of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The feature that enables the back end.
    pub back_end: &'static str,
    /// True if the signature is valid.
    pub valid: bool,
    /// The same with a key that was prepared for many signatures, if the back end prepares such keys. A key that can't be
    /// prepared makes no valid signature.
    pub prepared: Option<bool>,
}

/// The verdicts of all back ends that support the key in a DER `SubjectPublicKeyInfo`; none if there is none in it. `hash`
/// is that of RSASSA-PSS, and counts for RSA alone.
pub fn verdicts(
    spki: &[u8],
    hash: HashAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> Vec<Verdict> {
    let Ok(value) = Value::whole(spki, tag::SEQUENCE, "a SubjectPublicKeyInfo") else {
        return Vec::new();
    };
    let Ok(key) = PublicKeyRef::parse(value) else {
        return Vec::new();
    };
    let algorithm = match SignatureAlgorithm::written_by(key.algorithm) {
        SignatureAlgorithm::RsassaPss(_) => SignatureAlgorithm::RsassaPss(hash),
        other => other,
    };
    if !key.makes(algorithm) {
        return Vec::new();
    }
    let verdicts = BACK_ENDS.iter().filter_map(|back_end| {
        let verdict = back_end.verify(algorithm, key.bare(), message, signature);
        let prepared = back_end.prepare(algorithm, key.bare());
        let prepared = prepared.and_then(|key| key.verify(message, signature));
        let is_lacking = |verdict| verdict == Err(Failure::Lacking);
        (!is_lacking(verdict)).then(|| Verdict {
            back_end: back_end.feature(),
            valid: verdict.is_ok(),
            prepared: (!is_lacking(prepared)).then_some(prepared.is_ok()),
        })
    });
    verdicts.collect()
}
