"""Says which releases of OpenSSL are there, and fails if one is too old for ML-DSA."""

import re
import sys

import libcrypto
import pyca

# The first release with ML-DSA.
NEEDED = (3, 5)

versions = [f"{libcrypto.version()} (by its C functions)", f"{pyca.version()} (in the package cryptography)"]
print(*versions, sep="\n")
for version in versions:
    major, minor = map(int, re.match(r"OpenSSL (\d+)\.(\d+)\.", version).groups())
    if (major, minor) < NEEDED:
        sys.exit(f"{version} is too old")
