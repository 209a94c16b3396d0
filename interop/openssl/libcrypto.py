"""OpenSSL itself, by ctypes: as much of libcrypto as it takes to make and check keys, certificates and CMS.

The library is the one in the wheel of pycurl. Nothing is freed, since the programs that use this are short.
"""

import ctypes
import importlib.metadata
import secrets
import time
from ctypes import byref, c_char_p, c_int, c_long, c_size_t, c_uint, c_ulong, c_void_p

# As the manual has them; each kind of pointer is an address here, but for strings.
_DECLARATIONS = """
    char *OpenSSL_version(int)
    ulong ERR_get_error()
    void ERR_error_string_n(ulong, char *, size_t)
    void *OSSL_PROVIDER_load(void *, char *)
    int OSSL_PROVIDER_add_conf_parameter(void *, char *, char *)

    void *BIO_new(void *)
    void *BIO_s_mem()
    void *BIO_new_mem_buf(char *, int)
    int BIO_read_ex(void *, void *, size_t, void *)
    size_t BIO_ctrl_pending(void *)

    void *EVP_PKEY_CTX_new_from_name(void *, char *, char *)
    void *EVP_PKEY_CTX_new_from_pkey(void *, void *, char *)
    int EVP_PKEY_CTX_set_params(void *, void *)
    int EVP_PKEY_keygen_init(void *)
    int EVP_PKEY_generate(void *, void *)
    int EVP_PKEY_pairwise_check(void *)
    int EVP_PKEY_get_bits(void *)
    char *EVP_PKEY_get0_type_name(void *)

    void *PEM_read_bio_PrivateKey(void *, void *, void *, void *)
    void *PEM_read_bio_X509(void *, void *, void *, void *)
    int PEM_write_bio_PKCS8PrivateKey(void *, void *, void *, void *, int, void *, void *)
    int PEM_write_bio_PUBKEY(void *, void *)
    int i2d_PUBKEY(void *, void *)

    void *EVP_get_digestbyname(char *)
    void *EVP_MD_CTX_new()
    int EVP_DigestSignInit_ex(void *, void *, char *, void *, char *, void *, void *)
    int EVP_DigestSign(void *, void *, void *, char *, size_t)
    int EVP_DigestVerifyInit_ex(void *, void *, char *, void *, char *, void *, void *)
    int EVP_DigestVerify(void *, char *, size_t, char *, size_t)

    void *X509_new()
    void *d2i_X509(void *, void *, long)
    int i2d_X509(void *, void *)
    void *X509_get_pubkey(void *)
    void *X509_get_subject_name(void *)
    void *X509_get_serialNumber(void *)
    int X509_set_version(void *, long)
    int X509_set_pubkey(void *, void *)
    int X509_set_issuer_name(void *, void *)
    void *X509_getm_notBefore(void *)
    void *X509_getm_notAfter(void *)
    void *ASN1_TIME_set(void *, long)
    int ASN1_INTEGER_set_uint64(void *, ulong)
    int X509_NAME_add_entry_by_txt(void *, char *, int, char *, int, int, int)
    void X509V3_set_ctx(void *, void *, void *, void *, void *, int)
    void *X509V3_EXT_nconf(void *, void *, char *, char *)
    int X509_add_ext(void *, void *, int)
    int X509_sign_ctx(void *, void *)
    int X509_verify(void *, void *)

    void *X509_STORE_new()
    int X509_STORE_add_cert(void *, void *)
    int X509_STORE_set_flags(void *, ulong)
    void *X509_STORE_CTX_new()
    int X509_STORE_CTX_init(void *, void *, void *, void *)
    int X509_verify_cert(void *)
    int X509_STORE_CTX_get_error(void *)
    char *X509_verify_cert_error_string(long)
    void *OPENSSL_sk_new_null()
    int OPENSSL_sk_push(void *, void *)

    void *OBJ_txt2obj(char *, int)
    void *CMS_sign(void *, void *, void *, void *, uint)
    void *CMS_add1_signer(void *, void *, void *, void *, uint)
    int CMS_add1_cert(void *, void *)
    void *CMS_SignerInfo_get0_pkey_ctx(void *)
    int CMS_signed_add1_attr_by_OBJ(void *, void *, int, char *, int)
    int CMS_final(void *, void *, void *, uint)
    int CMS_verify(void *, void *, void *, void *, void *, uint)
    void *d2i_CMS_ContentInfo(void *, void *, long)
    int i2d_CMS_ContentInfo(void *, void *)
    int i2d_CMS_bio_stream(void *, void *, void *, int)
"""

_TYPES = {
    "void": None,
    "int": c_int,
    "uint": c_uint,
    "long": c_long,
    "ulong": c_ulong,
    "size_t": c_size_t,
    "char *": c_char_p,
    "void *": c_void_p,
}

OSSL_PARAM_INTEGER, OSSL_PARAM_UNSIGNED_INTEGER, OSSL_PARAM_UTF8_STRING, OSSL_PARAM_OCTET_STRING = 1, 2, 4, 5
X509_VERSION_3 = 2
MINUTE, MONTH = 60, 30 * 24 * 60 * 60
MBSTRING_UTF8 = 0x1000
X509_V_FLAG_X509_STRICT, X509_V_FLAG_CHECK_SS_SIGNATURE = 0x20, 0x4000
V_ASN1_UTF8STRING, V_ASN1_SEQUENCE = 12, 16
CMS_NOCERTS, CMS_DETACHED, CMS_BINARY, CMS_NOATTR, CMS_NOSMIMECAP = 0x2, 0x40, 0x80, 0x100, 0x200
CMS_STREAM, CMS_PARTIAL, CMS_USE_KEYID, CMS_KEY_PARAM, CMS_NO_SIGNING_TIME = 0x1000, 0x4000, 0x10000, 0x40000, 0x400000
# An X509V3_CTX, whose size is no business of callers', fits into this many octets.
X509V3_CTX_OCTETS = 256


class OpenSslError(Exception):
    """What OpenSSL has in its queue of errors."""


def _load():
    [path] = [file for file in importlib.metadata.files("pycurl") if file.name.startswith("libcrypto")]
    library = ctypes.CDLL(str(path.locate()))
    for declaration in filter(None, map(str.strip, _DECLARATIONS.splitlines())):
        head, arguments = declaration.removesuffix(")").split("(")
        kind, name = (head[: head.rindex("*") + 1], head[head.rindex("*") + 1 :]) if "*" in head else head.split()
        function = getattr(library, name)
        function.restype = _TYPES[kind]
        function.argtypes = [_TYPES[argument] for argument in arguments.split(", ") if argument]
    return library


_library = _load()
_default_provider = _library.OSSL_PROVIDER_load(None, b"default")


def _call(name, *arguments):
    """Calls a function that is not to give NULL, 0 or a negative number."""
    result = getattr(_library, name)(*arguments)
    if result is None or (isinstance(result, int) and result <= 0):
        raise OpenSslError(f"{name}: {'; '.join(_errors()) or 'failed'}")
    return result


def _errors():
    while code := _library.ERR_get_error():
        text = ctypes.create_string_buffer(256)
        _library.ERR_error_string_n(code, text, len(text))
        yield text.value.decode()


def version():
    return _library.OpenSSL_version(0).decode()


def _parameters(values):
    """An array of `OSSL_PARAM`, which ends with one of zeros."""
    array = (_Parameter * (len(values) + 1))()
    array.buffers = []
    for parameter, (key, value) in zip(array, values.items()):
        match value:
            case int():
                kind, buffer, size = OSSL_PARAM_UNSIGNED_INTEGER, c_size_t(value), ctypes.sizeof(c_size_t)
            case str():
                kind, buffer, size = OSSL_PARAM_UTF8_STRING, ctypes.create_string_buffer(value.encode()), len(value)
            case bytes():
                kind, buffer, size = OSSL_PARAM_OCTET_STRING, ctypes.create_string_buffer(value), len(value)
        # The structure holds an address alone: somebody has to hold what is there.
        array.buffers.append(buffer)
        parameter.key, parameter.data_type = key.encode(), kind
        parameter.data, parameter.data_size = ctypes.addressof(buffer), size
    return array


class _Parameter(ctypes.Structure):
    """`OSSL_PARAM`."""

    _fields_ = [
        ("key", c_char_p),
        ("data_type", c_uint),
        ("data", c_void_p),
        ("data_size", c_size_t),
        ("return_size", c_size_t),
    ]


def _memory(octets=b""):
    """A BIO to read those octets from, or an empty one to write to."""
    if octets:
        return _call("BIO_new_mem_buf", octets, len(octets))
    return _call("BIO_new", _call("BIO_s_mem"))


def _written(bio):
    buffer = ctypes.create_string_buffer(_library.BIO_ctrl_pending(bio))
    size = c_size_t(0)
    if len(buffer):
        _call("BIO_read_ex", bio, buffer, len(buffer), byref(size))
    return buffer.raw[: size.value]


def _encode(function, thing):
    """The DER that an `i2d_…` writes."""
    buffer = ctypes.create_string_buffer(_call(function, thing, None))
    _call(function, thing, byref(c_void_p(ctypes.addressof(buffer))))
    return buffer.raw


def _decode(function, der):
    """What a `d2i_…` reads, with nothing behind it."""
    buffer = ctypes.create_string_buffer(der, len(der))
    cursor = c_void_p(ctypes.addressof(buffer))
    thing = _call(function, None, byref(cursor), len(der))
    if cursor.value != ctypes.addressof(buffer) + len(der):
        raise OpenSslError(f"{function}: octets left over")
    return thing


def _stack(things):
    stack = _call("OPENSSL_sk_new_null")
    for thing in things:
        _call("OPENSSL_sk_push", stack, thing)
    return stack


# What to generate, and how to sign with it, by the name of a key's algorithm.
_GENERATION = {
    "ed25519": ("ED25519", {}),
    "ecdsa-p256": ("EC", {"group": "P-256"}),
    "ecdsa-p384": ("EC", {"group": "P-384"}),
    "ml-dsa-44": ("ML-DSA-44", {}),
    "ml-dsa-65": ("ML-DSA-65", {}),
    "ml-dsa-87": ("ML-DSA-87", {}),
}
_PSS = {"pad-mode": "pss", "saltlen": "digest"}


class Key:
    """A private key, or the public half alone."""

    def __init__(self, pointer):
        self.pointer = pointer

    @classmethod
    def generate(cls, algorithm):
        return cls.generate_as(*_GENERATION.get(algorithm) or ("RSA", {"bits": int(algorithm.removeprefix("rsa-"))}))

    @classmethod
    def generate_as(cls, kind, parameters):
        """A key of any kind that OpenSSL knows."""
        context = _call("EVP_PKEY_CTX_new_from_name", None, kind.encode(), None)
        _call("EVP_PKEY_keygen_init", context)
        if parameters:
            _call("EVP_PKEY_CTX_set_params", context, _parameters(parameters))
        pointer = c_void_p()
        _call("EVP_PKEY_generate", context, byref(pointer))
        return cls(pointer)

    @classmethod
    def from_private_pem(cls, pem):
        return cls(_call("PEM_read_bio_PrivateKey", _memory(pem), None, None, None))

    def algorithm(self):
        kind, bits = _call("EVP_PKEY_get0_type_name", self.pointer).decode(), _call("EVP_PKEY_get_bits", self.pointer)
        return {"RSA": f"rsa-{bits}", "RSA-PSS": f"rsa-{bits}", "EC": f"ecdsa-p{bits}"}.get(kind, kind.lower())

    def private_pem(self, ml_dsa_form="seed-only"):
        """PKCS #8. The form of ML-DSA keys is one of seed-only, priv-only and seed-priv."""
        _call("OSSL_PROVIDER_add_conf_parameter", _default_provider, b"ml-dsa.output_formats", ml_dsa_form.encode())
        bio = _memory()
        _call("PEM_write_bio_PKCS8PrivateKey", bio, self.pointer, None, None, 0, None, None)
        return _written(bio)

    def public_pem(self):
        bio = _memory()
        _call("PEM_write_bio_PUBKEY", bio, self.pointer)
        return _written(bio)

    def public_der(self):
        """`SubjectPublicKeyInfo`."""
        return _encode("i2d_PUBKEY", self.pointer)

    def check_pair(self):
        """That the private key belongs to the public one."""
        _call("EVP_PKEY_pairwise_check", _call("EVP_PKEY_CTX_new_from_pkey", None, self.pointer, None))

    def _digest(self):
        """With what the messages are hashed first, if they are."""
        if self.is_rsa():
            return b"SHA256"
        return {"ecdsa-p256": b"SHA256", "ecdsa-p384": b"SHA384"}.get(self.algorithm())

    def is_rsa(self):
        return self.algorithm().startswith("rsa-")

    def context(self, function, parameters=None, digest=None):
        """An `EVP_MD_CTX` after one of the functions that start to sign or verify."""
        context = _call("EVP_MD_CTX_new")
        parameters = _parameters(parameters or (_PSS if self.is_rsa() else {}))
        digest = digest.encode() if digest else self._digest()
        _call(function, context, None, digest, None, None, self.pointer, parameters)
        return context

    def sign(self, message, parameters=None, digest=None):
        context = self.context("EVP_DigestSignInit_ex", parameters, digest)
        size = c_size_t()
        _call("EVP_DigestSign", context, None, byref(size), message, len(message))
        signature = ctypes.create_string_buffer(size.value)
        _call("EVP_DigestSign", context, signature, byref(size), message, len(message))
        return signature.raw[: size.value]

    def verify(self, signature, message):
        context = self.context("EVP_DigestVerifyInit_ex")
        _call("EVP_DigestVerify", context, signature, len(signature), message, len(message))


class Certificate:
    def __init__(self, pointer):
        self.pointer = pointer

    @classmethod
    def from_pem(cls, pem):
        return cls(_call("PEM_read_bio_X509", _memory(pem), None, None, None))

    @classmethod
    def from_der(cls, der):
        return cls(_decode("d2i_X509", der))

    @classmethod
    def issue(cls, name, key, issuer, issuer_key, extensions):
        """A certificate by `issuer`, or by itself if there is none; `extensions` are as in OpenSSL's configuration."""
        pointer = _call("X509_new")
        self = cls(pointer)
        _call("X509_set_version", pointer, X509_VERSION_3)
        _call("ASN1_INTEGER_set_uint64", _call("X509_get_serialNumber", pointer), secrets.randbits(63) | 1)
        subject = _call("X509_get_subject_name", pointer)
        _call("X509_NAME_add_entry_by_txt", subject, b"CN", MBSTRING_UTF8, name.encode(), -1, -1, 0)
        _call("X509_set_issuer_name", pointer, _call("X509_get_subject_name", (issuer or self).pointer))
        now = int(time.time())
        _call("ASN1_TIME_set", _call("X509_getm_notBefore", pointer), now - MINUTE)
        _call("ASN1_TIME_set", _call("X509_getm_notAfter", pointer), now + MONTH)
        _call("X509_set_pubkey", pointer, key.pointer)
        for extension, value in extensions.items():
            self._extend(issuer or self, extension, value)
        _call("X509_sign_ctx", pointer, issuer_key.context("EVP_DigestSignInit_ex"))
        return self

    def _extend(self, issuer, extension, value):
        context = ctypes.create_string_buffer(X509V3_CTX_OCTETS)
        _library.X509V3_set_ctx(context, issuer.pointer, self.pointer, None, None, 0)
        made = _call("X509V3_EXT_nconf", None, context, extension.encode(), value.encode())
        _call("X509_add_ext", self.pointer, made, -1)

    def der(self):
        return _encode("i2d_X509", self.pointer)

    def key(self):
        return Key(_call("X509_get_pubkey", self.pointer))

    def verify_signature(self, issuer_key):
        _call("X509_verify", self.pointer, issuer_key.pointer)


def _store(anchor):
    """Trusts one certificate, and takes RFC 5280 at its word."""
    store = _call("X509_STORE_new")
    _call("X509_STORE_set_flags", store, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE)
    _call("X509_STORE_add_cert", store, anchor.pointer)
    return store


def verify_path(certificate, intermediates, anchor):
    """RFC 5280 §6, at present, for a path from `anchor` on."""
    context = _call("X509_STORE_CTX_new")
    others = _stack(other.pointer for other in intermediates)
    _call("X509_STORE_CTX_init", context, _store(anchor), certificate.pointer, others)
    if _library.X509_verify_cert(context) != 1:
        code = _library.X509_STORE_CTX_get_error(context)
        raise OpenSslError(_library.X509_verify_cert_error_string(code).decode())


def sign_content(content, certificate, key, digest, attributes, certificates, flags=0, signers=1):
    """CMS `SignedData` with further signed attributes, given as kind and value by identifier; gives a `ContentInfo`.

    `certificates` are to be in it. With `CMS_STREAM` it is BER of indefinite length, else DER.
    """
    flags |= CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP | CMS_NOCERTS
    signed_data = _call("CMS_sign", None, None, None, None, flags)
    for other in certificates:
        _call("CMS_add1_cert", signed_data, other.pointer)
    digest = _call("EVP_get_digestbyname", digest.encode())
    signer_flags = flags | CMS_KEY_PARAM if key.is_rsa() else flags
    for _ in range(signers):
        signer = _call("CMS_add1_signer", signed_data, certificate.pointer, key.pointer, digest, signer_flags)
        if key.is_rsa():
            _call("EVP_PKEY_CTX_set_params", _call("CMS_SignerInfo_get0_pkey_ctx", signer), _parameters(_PSS))
        for identifier, (kind, value) in attributes.items():
            identifier = _call("OBJ_txt2obj", identifier.encode(), 1)
            _call("CMS_signed_add1_attr_by_OBJ", signer, identifier, kind, value, len(value))
    if flags & CMS_STREAM:
        output = _memory()
        _call("i2d_CMS_bio_stream", output, signed_data, _memory(content), flags)
        return _written(output)
    _call("CMS_final", signed_data, _memory(content), None, flags)
    return _encode("i2d_CMS_ContentInfo", signed_data)


def verify_content(signed_data_der, anchor, detached_content=None, certificates=()):
    """Checks the signature, and the signer's path from `anchor`; gives the content."""
    signed_data = _decode("d2i_CMS_ContentInfo", signed_data_der)
    content = None if detached_content is None else _memory(detached_content)
    certificates = _stack(certificate.pointer for certificate in certificates)
    output = _memory()
    _call("CMS_verify", signed_data, certificates, _store(anchor), content, output, CMS_BINARY)
    return _written(output)
