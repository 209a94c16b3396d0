"""Certificates and signatures with a bit turned, or with another signature over what is signed."""

import der

# What to alter, in the words of the labels.
CERTIFICATE_PARTS = ("its serial number", "its signature")
SIGNED_DATA_PARTS = ("its signed attributes", "its signature")

METADATA = der.object_identifier("1.3.6.1.4.1.58708.1.0")


def turn_last_bit(octets):
    return octets[:-1] + bytes([octets[-1] ^ 1])


def certificate(certificate_der, part):
    """A certificate with a bit turned in one of `CERTIFICATE_PARTS`."""
    signed, algorithm, signature = der.elements(certificate_der)
    if part == "its signature":
        return der.sequence(signed, algorithm, turn_last_bit(signature))
    version, serial_number, *others = der.elements(signed)
    signed = der.sequence(version, turn_last_bit(serial_number), *others)
    return der.sequence(signed, algorithm, signature)


def resign_certificate(certificate_der, sign, algorithm=None):
    """A certificate that `sign` signs anew, and which says that it did so by `algorithm` (DER)."""
    signed, old_algorithm, _ = der.elements(certificate_der)
    algorithm = algorithm or old_algorithm
    version, serial_number, _, *others = der.elements(signed)
    signed = der.sequence(version, serial_number, algorithm, *others)
    return der.sequence(signed, algorithm, der.bit_string(sign(signed)))


class SignerInfo:
    """The one `SignerInfo` of a `ContentInfo`, taken apart."""

    def __init__(self, content_info):
        self._content_info = content_info
        _, explicit = der.elements(content_info)
        [signed_data] = der.elements(explicit)
        [self._encoding] = der.elements(der.elements(signed_data)[-1])
        *self._head, self._attributes, self._algorithm, self._signature = der.elements(self._encoding)

    def signature(self):
        return der.content(self._signature)

    def message(self):
        """What is signed (RFC 5652 §5.4)."""
        return der.retag(der.SET, self._attributes)

    def altered(self, part):
        """The `ContentInfo` with a bit turned in one of `SIGNED_DATA_PARTS`."""
        if part == "its signature":
            return self._replaced(self._attributes, self._algorithm, turn_last_bit(self._signature))
        # The last second of the period.
        [metadata] = [attribute for attribute in der.elements(self._attributes) if METADATA in attribute]
        later = metadata[:-2] + turn_last_bit(metadata[-2:-1]) + metadata[-1:]
        return self._replaced(self._attributes.replace(metadata, later), self._algorithm, self._signature)

    def resigned(self, sign, algorithm=None):
        """The `ContentInfo` with a signature that `sign` makes, by `algorithm` (DER) as it says."""
        signature = der.octet_string(sign(self.message()))
        return self._replaced(self._attributes, algorithm or self._algorithm, signature)

    def _replaced(self, attributes, algorithm, signature):
        signer = der.sequence(*self._head, attributes, algorithm, signature)
        content_type, explicit = der.elements(self._content_info)
        [signed_data] = der.elements(explicit)
        *fields, _ = der.elements(signed_data)
        signed_data = der.sequence(*fields, der.tlv(der.SET, signer))
        return der.sequence(content_type, der.context_constructed(0, signed_data))
