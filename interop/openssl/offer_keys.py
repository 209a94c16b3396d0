"""Key files in each form that OpenSSL writes, right and wrong, for `openssl_exchange read`.

    python offer_keys.py KEYS

writes a good one of each algorithm, for `openssl_exchange offer`.
"""

import sys

import der
import pyca
import rows
from libcrypto import Key
from record import ALGORITHMS

ML_DSA_FORMS = ("seed-only", "priv-only", "seed-priv")
# From before RFC 9881: what should be in the OCTET STRING, without a tag.
OLD_ML_DSA_FORMS = ("bare-seed", "bare-priv")
# Parts of an expanded private key (FIPS 204 §7.2, skEncode), and where one octet of each lies.
EXPANDED_KEY_OCTETS = {"ml-dsa-44": 2560, "ml-dsa-65": 4032, "ml-dsa-87": 4896}
EXPANDED_KEY_PARTS = {"rho": 0, "tr": 64, "s1": 128, "t0": -1}
# Kinds of key that nothing here can be signed with.
OTHERS = (
    ("ED448", {}),
    ("EC", {"group": "P-521"}),
    ("EC", {"group": "secp256k1"}),
    ("EC", {"group": "P-256", "encoding": "explicit"}),
    ("RSA", {"bits": 1024}),
    ("RSA-PSS", {"bits": 2048}),
    ("SLH-DSA-SHA2-128s", {}),
    ("X25519", {}),
    ("ML-KEM-768", {}),
)


def offer_keys(theirs, algorithms):
    for algorithm in algorithms:
        key = Key.generate(algorithm)
        if algorithm in EXPANDED_KEY_OCTETS:
            offer_ml_dsa_key(theirs, algorithm, key)
        else:
            write(theirs, "valid", f"we read OpenSSL’s {algorithm} key", algorithm, key.private_pem(), key.public_pem())
        key = pyca.generate(algorithm)
        label = f"we read cryptography’s {algorithm} key"
        write(theirs, "valid", label, algorithm, pyca.private_pem(key), pyca.public_pem(key))
    for algorithm in ("rsa-2048", "ecdsa-p256", "ecdsa-p384"):
        # The last octets are those of a coefficient, or of the public key.
        key = Key.generate(algorithm)
        spoiled = turn_bit(key.private_pem(), -1)
        label = f"we refuse OpenSSL’s {algorithm} key with a bit turned"
        write(theirs, "refused", label, algorithm, spoiled, key.public_pem())
    for kind, parameters in OTHERS:
        label = f"we refuse OpenSSL’s {' '.join(map(str, (kind, *parameters.values())))} key"
        key = Key.generate_as(kind, parameters)
        write(theirs, "refused", label, kind, key.private_pem(), key.public_pem())


def offer_ml_dsa_key(theirs, algorithm, key):
    for form in (*ML_DSA_FORMS, *OLD_ML_DSA_FORMS):
        verb, expected = ("read", "valid") if form in ML_DSA_FORMS else ("refuse", "refused")
        label = f"we {verb} OpenSSL’s {algorithm} key, {form}"
        write(theirs, expected, label, algorithm, key.private_pem(form), key.public_pem())
    for form in ("priv-only", "seed-priv"):
        for part, place in EXPANDED_KEY_PARTS.items():
            # It is the last of what the file holds.
            place = place if place < 0 else place - EXPANDED_KEY_OCTETS[algorithm]
            label = f"we refuse OpenSSL’s {algorithm} key, {form}, with a bit turned in {part}"
            write(theirs, "refused", label, algorithm, turn_bit(key.private_pem(form), place), key.public_pem())


def is_expanded(algorithm, private_pem):
    """Whether it is an ML-DSA key in another form than its seed."""
    return algorithm in EXPANDED_KEY_OCTETS and len(der.from_pem(private_pem)) > EXPANDED_KEY_OCTETS[algorithm]


def turn_bit(pem, place):
    octets = bytearray(der.from_pem(pem))
    octets[place] ^= 1
    return der.to_pem("PRIVATE KEY", octets)


def write(theirs, expected, label, algorithm, private_pem, public_pem):
    theirs.write(
        "private-key",
        label,
        expected,
        private_key=private_pem.decode(),
        public_key=public_pem.decode(),
        algorithm=algorithm,
    )


if __name__ == "__main__":
    with rows.Writer(sys.argv[1]) as keys:
        for algorithm in ALGORITHMS:
            key = Key.generate(algorithm)
            write(keys, "valid", f"OpenSSL’s {algorithm} key", algorithm, key.private_pem(), key.public_pem())
