"""What goes between these scripts and the example `openssl_exchange`: a JSON object a line, octets in Base64."""

import base64
import json


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def octets(text):
    return base64.b64decode(text, validate=True)


class Writer:
    """Things for our library to read. `expected` is `valid`, or the reason for which it has to refuse them."""

    def __init__(self, path):
        self._file = open(path, "w", encoding="utf-8")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def write(self, kind, label, expected, **fields):
        row = {"kind": kind, "label": label, "expected": expected}
        self._file.write(json.dumps(row | fields, default=_in_base64) + "\n")


def _in_base64(value):
    return base64.b64encode(value).decode()
