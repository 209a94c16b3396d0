"""As much DER as it takes to open our bundles and to change signatures in what OpenSSL made (X.690)."""

import base64

OBJECT_IDENTIFIER, SEQUENCE, SET = 0x06, 0x30, 0x31
NULL = b"\x05\0"


def tlv(tag, content):
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*elements):
    return tlv(SEQUENCE, b"".join(elements))


def integer(number):
    """A small one."""
    return tlv(0x02, bytes([number]))


def octet_string(octets):
    return tlv(0x04, octets)


def bit_string(octets):
    return tlv(0x03, b"\0" + octets)


def context(number, content):
    """`[number]` of something primitive."""
    return tlv(0x80 | number, content)


def context_constructed(number, *elements):
    return tlv(0xA0 | number, b"".join(elements))


def object_identifier(text):
    first, second, *others = map(int, text.split("."))
    content = b""
    for arc in [40 * first + second, *others]:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        content += bytes(reversed(groups))
    return tlv(OBJECT_IDENTIFIER, content)


def _header_octets(der):
    return 2 if der[1] < 0x80 else 2 + (der[1] & 0x7F)


def content(der):
    return der[_header_octets(der) :]


def retag(tag, der):
    return bytes([tag]) + der[1:]


def elements(der):
    """The elements of something constructed, each with its header."""
    rest, found = content(der), []
    while rest:
        header = _header_octets(rest)
        size = header + (rest[1] if header == 2 else int.from_bytes(rest[2:header]))
        found.append(rest[:size])
        rest = rest[size:]
    return found


def from_pem(pem):
    return base64.b64decode(b"".join(pem.splitlines()[1:-1]))


def to_pem(label, der):
    return f"-----BEGIN {label}-----\n{base64.encodebytes(der).decode()}-----END {label}-----\n".encode()
