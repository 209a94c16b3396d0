"""The verifier's record of decisions: lines of its log, which is JSON here."""

import json
import re
import unicodedata

# A text from outside is cut after so many bytes, and its odd characters are written so after that: SERVE.md.
MAX_LENGTH = 512
ESCAPE = re.compile(r"\\u\{[0-9a-f]{1,6}\}")
# Control characters, those that change the direction of text or take no room, and separators of lines (UAX #44 §5.7.1).
DECEPTIVE = {"Cc", "Cf", "Zl", "Zp"}


class Record:
    """`new()` is what has been decided since `forget()`. A decision is written before it is answered with."""

    def __init__(self, path):
        self.path, self.position = path, 0

    def forget(self):
        self.position = self.path.stat().st_size

    def new(self):
        with self.path.open("rb") as log:
            log.seek(self.position)
            return decisions(log.read().decode())


def decisions(log):
    # Not `splitlines`, to which odd characters are ends of lines, too.
    lines = (json.loads(line) for line in log.split("\n") if line.startswith("{"))
    return [line for line in lines if line.get("message") == "decision"]


def is_deceptive(text):
    return any(unicodedata.category(character) in DECEPTIVE for character in text)


def length(text):
    """In bytes, of what is written."""
    return len(ESCAPE.sub("?", text).encode())
