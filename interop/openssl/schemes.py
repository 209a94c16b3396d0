"""Ways to sign: the right one for a key, and those that it may not use here or that may not pass for another."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import der
from libcrypto import Key

SHA_1, MGF1, RSASSA_PSS = "1.3.14.3.2.26", "1.2.840.113549.1.1.8", "1.2.840.113549.1.1.10"
SHA_256, SHA_384, SHA_512 = (f"2.16.840.1.101.3.4.2.{number}" for number in (1, 2, 3))
# The order of Ed25519's group (RFC 8032 §5.1).
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def identifier(algorithm, *parameters):
    """`AlgorithmIdentifier`."""
    return der.sequence(der.object_identifier(algorithm), *parameters)


def pss(digest=SHA_256, mask_digest=SHA_256, salt_octets=32):
    digest, mask_digest = (identifier(one, der.NULL) for one in (digest, mask_digest))
    parameters = (digest, identifier(MGF1, mask_digest), der.integer(salt_octets))
    parameters = (der.context_constructed(number, value) for number, value in enumerate(parameters))
    return identifier(RSASSA_PSS, der.sequence(*parameters))


# RFC 4055 §3.1, RFC 8410 §3, RFC 5758 §3.2, RFC 9881 §2.
IDENTIFIERS = {
    **dict.fromkeys(("rsa-2048", "rsa-3072", "rsa-4096"), pss()),
    "ed25519": identifier("1.3.101.112"),
    "ecdsa-p256": identifier("1.2.840.10045.4.3.2"),
    "ecdsa-p384": identifier("1.2.840.10045.4.3.3"),
    "ml-dsa-44": identifier("2.16.840.1.101.3.4.3.17"),
    "ml-dsa-65": identifier("2.16.840.1.101.3.4.3.18"),
    "ml-dsa-87": identifier("2.16.840.1.101.3.4.3.19"),
}
# HashML-DSA with SHA-512 (FIPS 204 §5.4); the numbers are those of NIST's register.
PRE_HASH_IDENTIFIERS = {
    "ml-dsa-44": identifier("2.16.840.1.101.3.4.3.32"),
    "ml-dsa-65": identifier("2.16.840.1.101.3.4.3.33"),
    "ml-dsa-87": identifier("2.16.840.1.101.3.4.3.34"),
}


def usual_digest(algorithm):
    """With what to hash content beside a signature by that key.

    It is the signature's own hash (RFC 8933 §3.1), or else the longest (RFC 8419 §3.1, RFC 9882 §3.3).
    """
    if algorithm == "ecdsa-p384":
        return "SHA384"
    return "SHA256" if algorithm.startswith(("rsa-", "ecdsa-")) else "SHA512"


# Reasons: `valid`, or what our library calls it in a certificate and in CMS.
VALID = ("valid", "valid")
BAD_SIGNATURE = ("x509.bad_signature", "cms.bad_signature")
UNSUPPORTED = ("x509.unsupported_signature_algorithm", "cms.unsupported_signature_algorithm")
UNSUPPORTED_DIGEST = ("x509.unsupported_signature_algorithm", "cms.unsupported_digest_algorithm")
OTHER_KEY = ("x509.issuer_key_algorithm", "cms.signer_key_algorithm")


@dataclass
class Scheme:
    """A way to sign, and what is to come of it in a certificate and in CMS."""

    label: str
    reasons: tuple[str, str]
    # Makes a signature of a message.
    sign: Callable[[Key, bytes], bytes]
    # What the signature is said to be, if not what it should be.
    identifier: bytes | None = None
    # With what the content is hashed, if not with what is usual.
    content_digest: str | None = None

    @property
    def verb(self):
        return "verify" if self.reasons == VALID else "refuse"


def parameters(label, reasons, identifier=None, digest=None, **values):
    """A scheme that OpenSSL is told to use by a digest and parameters."""
    values = {name.replace("_", "-"): value for name, value in values.items()}
    content_digest = digest if identifier else None
    return Scheme(label, reasons, lambda key, message: key.sign(message, values, digest), identifier, content_digest)


def schemes(algorithm):
    """What to try with keys of an algorithm."""
    yield parameters("as it should be", VALID)
    stranger = Key.generate(algorithm)
    yield Scheme("by another key of the same kind", BAD_SIGNATURE, lambda key, message: stranger.sign(message))
    other = next(other for other in IDENTIFIERS if other.split("-")[0] != algorithm.split("-")[0])
    other_key = Key.generate(other)
    yield Scheme(
        f"by an {other} key, as it says",
        OTHER_KEY,
        lambda key, message: other_key.sign(message),
        IDENTIFIERS[other],
        usual_digest(other),
    )
    match algorithm.split("-"):
        case "rsa", _:
            yield from rsa_schemes()
        case ["ed25519"]:
            yield from ed25519_schemes()
        case "ecdsa", _:
            yield from ecdsa_schemes(algorithm)
        case "ml", "dsa", _:
            yield from ml_dsa_schemes(algorithm)


def rsa_schemes():
    pkcs1 = identifier("1.2.840.113549.1.1.11", der.NULL)
    yield parameters("with PKCS #1 v1.5, as it says", UNSUPPORTED, pkcs1, pad_mode="pkcs1")
    yield parameters("with PKCS #1 v1.5, though it says RSASSA-PSS", BAD_SIGNATURE, pad_mode="pkcs1")
    salt = {"pad_mode": "pss", "saltlen": "20"}
    yield parameters("with a salt of 20 octets, as it says", UNSUPPORTED, pss(salt_octets=20), **salt)
    yield parameters("with a salt of 20 octets, though it says 32", BAD_SIGNATURE, **salt)
    mask = {"pad_mode": "pss", "saltlen": "digest", "mgf1_digest": "SHA512"}
    yield parameters("with another hash in MGF1, as it says", UNSUPPORTED, pss(mask_digest=SHA_512), **mask)
    sha_1 = {"digest": "SHA1", "pad_mode": "pss", "saltlen": "digest"}
    yield parameters("with SHA-1, as it says", UNSUPPORTED_DIGEST, pss(SHA_1, SHA_1, 20), **sha_1)
    for name, oid, octets in (("SHA384", SHA_384, 48), ("SHA512", SHA_512, 64)):
        parts = {"digest": name, "pad_mode": "pss", "saltlen": "digest"}
        yield parameters(f"with {name}, as it says", VALID, pss(oid, oid, octets), **parts)


def ed25519_schemes():
    yield parameters("as Ed25519ph", BAD_SIGNATURE, instance="Ed25519ph")
    yield parameters("as Ed25519ctx", BAD_SIGNATURE, instance="Ed25519ctx", context_string=b"context")
    yield Scheme("with an S that is not reduced", BAD_SIGNATURE, sign_with_large_s)


def sign_with_large_s(key, message):
    """What satisfies the equation as well as the one signature there is (RFC 8032 §8.4)."""
    signature = key.sign(message)
    s = int.from_bytes(signature[32:], "little") + ED25519_ORDER
    return signature[:32] + s.to_bytes(32, "little")


def ecdsa_schemes(algorithm):
    """RFC 5758 §3.2: a SEQUENCE of two INTEGERs."""
    digest, other = ("SHA384", "ecdsa-p384") if algorithm == "ecdsa-p256" else ("SHA256", "ecdsa-p256")
    yield parameters(f"with {digest}, as it says", OTHER_KEY, IDENTIFIERS[other], digest)
    yield parameters(f"with {digest}, though it says otherwise", BAD_SIGNATURE, digest=digest)
    sha_1 = identifier("1.2.840.10045.4.1")
    yield parameters("with SHA-1, as it says", UNSUPPORTED_DIGEST, sha_1, digest="SHA1")

    def sign_in_two_halves(key, message):
        numbers = der.elements(key.sign(message))
        octets = 32 if algorithm == "ecdsa-p256" else 48
        return b"".join(int.from_bytes(der.content(number)).to_bytes(octets) for number in numbers)

    yield Scheme("in two halves of equal length, not DER", BAD_SIGNATURE, sign_in_two_halves)


def ml_dsa_schemes(algorithm):
    yield parameters("for a context that is not empty", BAD_SIGNATURE, context_string=b"context")
    yield parameters("without a word of context", BAD_SIGNATURE, message_encoding=0)
    yield Scheme("of the pre-hash variant, though it says otherwise", BAD_SIGNATURE, sign_pre_hashed)
    yield Scheme("of the pre-hash variant, as it says", UNSUPPORTED, sign_pre_hashed, PRE_HASH_IDENTIFIERS[algorithm])


def sign_pre_hashed(key, message):
    """HashML-DSA with SHA-512 and no context (FIPS 204 §5.4.1), which OpenSSL does not have by itself."""
    prefixed = b"\x01\x00" + der.object_identifier(SHA_512) + hashlib.sha512(message).digest()
    return key.sign(prefixed, {"message-encoding": 0})
