"""The package `cryptography`, which has an OpenSSL of its own: keys and certificates, and plain signatures."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.x509.oid import NameOID

_GENERATION = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ecdsa-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ml-dsa-44": mldsa.MLDSA44PrivateKey.generate,
    "ml-dsa-65": mldsa.MLDSA65PrivateKey.generate,
    "ml-dsa-87": mldsa.MLDSA87PrivateKey.generate,
}
_NAMES = {
    ed25519.Ed25519PublicKey: "ed25519",
    mldsa.MLDSA44PublicKey: "ml-dsa-44",
    mldsa.MLDSA65PublicKey: "ml-dsa-65",
    mldsa.MLDSA87PublicKey: "ml-dsa-87",
}


def version():
    return backend.openssl_version_text()


def generate(algorithm):
    if make := _GENERATION.get(algorithm):
        return make()
    return rsa.generate_private_key(public_exponent=65537, key_size=int(algorithm.removeprefix("rsa-")))


def private_key(pem):
    return serialization.load_pem_private_key(pem, password=None)


def public_key(pem):
    return serialization.load_pem_public_key(pem)


def private_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def algorithm(public_key):
    match public_key:
        case rsa.RSAPublicKey():
            return f"rsa-{public_key.key_size}"
        case ec.EllipticCurvePublicKey():
            return f"ecdsa-p{public_key.key_size}"
    return next(name for kind, name in _NAMES.items() if isinstance(public_key, kind))


def _hash(public_key):
    """With what messages are hashed first, if they are, when nothing else is said."""
    match public_key:
        case rsa.RSAPublicKey():
            return hashes.SHA256()
        case ec.EllipticCurvePublicKey():
            return hashes.SHA256() if public_key.key_size == 256 else hashes.SHA384()
    return None


def _pss(digest):
    return padding.PSS(padding.MGF1(digest), digest.digest_size)


def verify(public_key, signature, message):
    match public_key:
        case rsa.RSAPublicKey():
            digest = _hash(public_key)
            public_key.verify(signature, message, _pss(digest), digest)
        case ec.EllipticCurvePublicKey():
            public_key.verify(signature, message, ec.ECDSA(_hash(public_key)))
        case _:
            public_key.verify(signature, message)


def verify_issued(certificate_pem, issuer_pem):
    """That `issuer` is named as the issuer, and its key made the signature."""
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(issuer_pem))


def issue(name, public_key, issuer_name, issuer_key, basic_constraints=None):
    """A DER certificate without key identifiers."""
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer_name))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=30))
    )
    if basic_constraints:
        builder = builder.add_extension(basic_constraints, critical=True)
    digest = _hash(issuer_key.public_key())
    is_rsa = isinstance(issuer_key, rsa.RSAPrivateKey)
    certificate = builder.sign(issuer_key, digest, rsa_padding=_pss(digest) if is_rsa else None)
    return certificate.public_bytes(serialization.Encoding.DER)


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
