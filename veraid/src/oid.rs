//! Object identifiers, by the names that their specifications give them.

use der::asn1::ObjectIdentifier;

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

// RFC 8017 §A
pub(crate) const RSA_ENCRYPTION: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
pub(crate) const MGF1: ObjectIdentifier = oid("1.2.840.113549.1.1.8");
pub(crate) const RSASSA_PSS: ObjectIdentifier = oid("1.2.840.113549.1.1.10");
// RFC 5480 §2.1.1, RFC 8410 §3: only to say what a key is
pub(crate) const EC_PUBLIC_KEY: ObjectIdentifier = oid("1.2.840.10045.2.1");
pub(crate) const ED25519: ObjectIdentifier = oid("1.3.101.112");
pub(crate) const ED448: ObjectIdentifier = oid("1.3.101.113");
// RFC 5754 §2
pub(crate) const SHA_256: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.1");
pub(crate) const SHA_384: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.2");
pub(crate) const SHA_512: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.3");
// RFC 5652 §4, §5.1, §11
pub(crate) const DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.1");
pub(crate) const SIGNED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.2");
pub(crate) const CONTENT_TYPE: ObjectIdentifier = oid("1.2.840.113549.1.9.3");
pub(crate) const MESSAGE_DIGEST: ObjectIdentifier = oid("1.2.840.113549.1.9.4");
// RFC 5280 §4.2.1, §A.1
pub(crate) const COMMON_NAME: ObjectIdentifier = oid("2.5.4.3");
pub(crate) const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = oid("2.5.29.14");
pub(crate) const KEY_USAGE: ObjectIdentifier = oid("2.5.29.15");
pub(crate) const BASIC_CONSTRAINTS: ObjectIdentifier = oid("2.5.29.19");
pub(crate) const AUTHORITY_KEY_IDENTIFIER: ObjectIdentifier = oid("2.5.29.35");
// VeraId, appendix B
pub(crate) const SIGNATURE_METADATA: ObjectIdentifier = oid("1.3.6.1.4.1.58708.1.0");
pub(crate) const MEMBER_ATTRIBUTION: ObjectIdentifier = oid("1.3.6.1.4.1.58708.1.2");

/// The service to test with (VeraId, appendix B). Real services have identifiers of their own.
pub const TEST_SERVICE: ObjectIdentifier = oid("1.3.6.1.4.1.58708.1.1");
