"""What the implementations raise when they refuse something."""

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

import report
from libcrypto import OpenSslError

# Anything else is a mistake of the caller's.
REFUSALS = (OpenSslError, InvalidSignature, UnsupportedAlgorithm, ValueError)


def refused(name):
    """What is done within has to be refused."""
    return report.refused(name, REFUSALS)
