"""The TXT record of an organisation's key (DomainAuth draft, "TXT Record")."""

import base64
import hashlib

VERSION, TTL_OVERRIDE = 0, 3600
# Those of other algorithms than RSA are experimental.
ALGORITHMS = {
    "rsa-2048": 1,
    "rsa-3072": 2,
    "rsa-4096": 3,
    "ed25519": 240,
    "ecdsa-p256": 241,
    "ecdsa-p384": 242,
    "ml-dsa-44": 244,
    "ml-dsa-65": 245,
    "ml-dsa-87": 246,
}
DIGEST_TYPES = {1: hashlib.sha256, 2: hashlib.sha384, 3: hashlib.sha512}
# The type that stands for the key itself, and whose keys are short enough for that.
THE_KEY_ITSELF = 0
SHORT = ("ed25519", "ecdsa-p256", "ecdsa-p384")


def record(algorithm, public_der, digest_type):
    """The text for a DER `SubjectPublicKeyInfo`."""
    digest = DIGEST_TYPES.get(digest_type)
    key_id = digest(public_der).digest() if digest else public_der
    key_id = base64.b64encode(key_id).decode().rstrip("=")
    return f"{VERSION} {ALGORITHMS[algorithm]} {digest_type} {key_id} {TTL_OVERRIDE}"


def records(algorithm, public_der):
    """All that there can be for a key."""
    digest_types = [*DIGEST_TYPES] + ([THE_KEY_ITSELF] if algorithm in SHORT else [])
    return [record(algorithm, public_der, digest_type) for digest_type in digest_types]
