//! Object identifiers, with the names from their specifications.

use der::asn1::ObjectIdentifier;

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

// RFC 8017 §A
pub(crate) const RSA_ENCRYPTION: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
pub(crate) const MGF1: ObjectIdentifier = oid("1.2.840.113549.1.1.8");
pub(crate) const RSASSA_PSS: ObjectIdentifier = oid("1.2.840.113549.1.1.10");
// RFC 5480 §2.1.1
pub(crate) const EC_PUBLIC_KEY: ObjectIdentifier = oid("1.2.840.10045.2.1");
pub(crate) const SECP256R1: ObjectIdentifier = oid("1.2.840.10045.3.1.7");
pub(crate) const SECP384R1: ObjectIdentifier = oid("1.3.132.0.34");
// RFC 5758 §3.2
pub(crate) const ECDSA_WITH_SHA_256: ObjectIdentifier = oid("1.2.840.10045.4.3.2");
pub(crate) const ECDSA_WITH_SHA_384: ObjectIdentifier = oid("1.2.840.10045.4.3.3");
// RFC 8410 §3
pub(crate) const ED25519: ObjectIdentifier = oid("1.3.101.112");
// RFC 9881 §2
pub(crate) const ML_DSA_44: ObjectIdentifier = oid("2.16.840.1.101.3.4.3.17");
pub(crate) const ML_DSA_65: ObjectIdentifier = oid("2.16.840.1.101.3.4.3.18");
pub(crate) const ML_DSA_87: ObjectIdentifier = oid("2.16.840.1.101.3.4.3.19");
// RFC 5754 §2
pub(crate) const SHA_256: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.1");
pub(crate) const SHA_384: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.2");
pub(crate) const SHA_512: ObjectIdentifier = oid("2.16.840.1.101.3.4.2.3");
// Only to describe an unsupported key or signature: RFC 8017 §A.2.4, RFC 5758 §3, RFC 5480 §2.1.1,
// SEC 2, RFC 8410 §3, RFC 9881 §4
pub(crate) const PKCS1_SHA_1: ObjectIdentifier = oid("1.2.840.113549.1.1.5");
pub(crate) const PKCS1_SHA_256: ObjectIdentifier = oid("1.2.840.113549.1.1.11");
pub(crate) const PKCS1_SHA_384: ObjectIdentifier = oid("1.2.840.113549.1.1.12");
pub(crate) const PKCS1_SHA_512: ObjectIdentifier = oid("1.2.840.113549.1.1.13");
pub(crate) const PKCS1_SHA_224: ObjectIdentifier = oid("1.2.840.113549.1.1.14");
pub(crate) const ECDSA_WITH_SHA_1: ObjectIdentifier = oid("1.2.840.10045.4.1");
pub(crate) const ECDSA_WITH_SHA_224: ObjectIdentifier = oid("1.2.840.10045.4.3.1");
pub(crate) const ECDSA_WITH_SHA_512: ObjectIdentifier = oid("1.2.840.10045.4.3.4");
pub(crate) const SECP224R1: ObjectIdentifier = oid("1.3.132.0.33");
pub(crate) const SECP521R1: ObjectIdentifier = oid("1.3.132.0.35");
pub(crate) const SECP256K1: ObjectIdentifier = oid("1.3.132.0.10");
pub(crate) const X25519: ObjectIdentifier = oid("1.3.101.110");
pub(crate) const X448: ObjectIdentifier = oid("1.3.101.111");
pub(crate) const ED448: ObjectIdentifier = oid("1.3.101.113");
pub(crate) const HASH_ML_DSA_44: ObjectIdentifier = oid("2.16.840.1.101.3.4.3.32");
pub(crate) const HASH_ML_DSA_65: ObjectIdentifier = oid("2.16.840.1.101.3.4.3.33");
pub(crate) const HASH_ML_DSA_87: ObjectIdentifier = oid("2.16.840.1.101.3.4.3.34");
// RFC 5652 §4, §5.1, §11
pub(crate) const DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.1");
pub(crate) const SIGNED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.2");
pub(crate) const CONTENT_TYPE: ObjectIdentifier = oid("1.2.840.113549.1.9.3");
pub(crate) const MESSAGE_DIGEST: ObjectIdentifier = oid("1.2.840.113549.1.9.4");
// RFC 5280 §4.2.1, §A.1
pub(crate) const COMMON_NAME: ObjectIdentifier = oid("2.5.4.3");
pub(crate) const ORGANISATIONAL_UNIT: ObjectIdentifier = oid("2.5.4.11");
pub(crate) const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = oid("2.5.29.14");
pub(crate) const KEY_USAGE: ObjectIdentifier = oid("2.5.29.15");
pub(crate) const BASIC_CONSTRAINTS: ObjectIdentifier = oid("2.5.29.19");
pub(crate) const AUTHORITY_KEY_IDENTIFIER: ObjectIdentifier = oid("2.5.29.35");
// VeraId, appendix B
pub(crate) const SIGNATURE_METADATA: ObjectIdentifier = oid("1.3.6.1.4.1.58708.1.0");
pub(crate) const MEMBER_ATTRIBUTION: ObjectIdentifier = oid("1.3.6.1.4.1.58708.1.2");
