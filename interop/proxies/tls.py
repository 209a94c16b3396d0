"""TLS between clients and a proxy: the lines for it that each example has as comments, and a certificate for them."""

import re
import subprocess

from http1 import HOST

# What comes before lines that are comments, each with `#` in place of nothing.
MARK = re.compile(r"\s*# With TLS\b.*:")
IN_PLACE = "in place of the line above"


def turn_on(directory):
    """Makes the comments of a configuration its lines, and puts beside it the certificate's files, which they name."""
    edited = 0
    for file in directory.rglob("*"):
        if file.is_file() and (text := file.read_text()) != (with_tls := uncomment(text)):
            file.write_text(with_tls)
            edited += 1
    if not edited:
        raise SystemExit(f"{directory.name} has no lines for TLS")
    return make_certificate(directory)


def uncomment(text):
    lines, within = [], False
    for line in text.split("\n"):
        if MARK.fullmatch(line):
            within = True
            if IN_PLACE in line:
                lines.pop()
        elif within and re.match(r"\s*#\S|\s*#  ", line):
            lines.append(line.replace("#", "", 1))
        else:
            within = False
            lines.append(line)
    return "\n".join(lines)


def make_certificate(directory):
    """A certificate that vouches for itself, and its key; and both in one file."""
    certificate, key, both = (directory / name for name in ("tls.crt", "tls.key", "tls.pem"))
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    both.write_text(certificate.read_text() + key.read_text())
    return certificate
