#!/usr/bin/env python3
"""Writes a resolver's answers as a chain: whole DNS messages, unverified, as the DER of a SET OF OCTET STRING.

    collect-chain.py RESOLVER FILE NAME/TYPE...

For chains that `kliento dnssec retrieve` refuses to make, since they prove nothing. The questions go over TCP, with
the DO bit (RFC 3225) for the signatures and the CD bit (RFC 4035 §3.2.2) for answers that the resolver finds bogus.
"""

import socket
import struct
import sys

TYPES = {"MX": 15, "TXT": 16, "DS": 43, "DNSKEY": 48}
RECURSION_DESIRED_AND_CHECKING_DISABLED = 0x0110
CLASS_IN = 1
OPT, UDP_SIZE, DNSSEC_OK = 41, 1232, 0x8000
OCTET_STRING, SET = 0x04, 0x31


def query(number, question):
    name, record_type = question.rsplit("/", 1)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label)
    header = struct.pack(">HHHHHH", number, RECURSION_DESIRED_AND_CHECKING_DISABLED, 1, 0, 0, 1)
    options = b"\0" + struct.pack(">HHIH", OPT, UDP_SIZE, DNSSEC_OK, 0)
    return header + labels + b"\0" + struct.pack(">HH", TYPES[record_type], CLASS_IN) + options


def ask(resolver, questions):
    with socket.create_connection((resolver, 53), timeout=10) as connection, connection.makefile("rwb") as stream:
        for number, question in enumerate(questions):
            message = query(number, question)
            stream.write(struct.pack(">H", len(message)) + message)
            stream.flush()
            yield stream.read(struct.unpack(">H", stream.read(2))[0])


def der(tag, content):
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def main():
    resolver, file, *questions = sys.argv[1:]
    responses = sorted({der(OCTET_STRING, response) for response in ask(resolver, questions)})
    with open(file, "wb") as chain:
        chain.write(der(SET, b"".join(responses)))


main()
