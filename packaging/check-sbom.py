#!/usr/bin/env python3
"""check-sbom.py DOCUMENT PROGRAM LOCK: the bill of materials by the schema of CycloneDX, and of this program."""

import hashlib
import json
import sys
import tomllib

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()
with open(sys.argv[2], "rb") as file:
    digest = hashlib.sha256(file.read()).hexdigest()
with open(sys.argv[3], "rb") as file:
    locked = {(package["name"], package["version"]): package for package in tomllib.load(file)["package"]}

problem = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
assert problem is None, problem
document = json.loads(text)
assert document["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": digest}]

components = document["components"]
for component in components:
    package = locked[component["name"], component["version"]]
    hashes = [entry["content"] for entry in component.get("hashes", [])]
    assert hashes == [package["checksum"]] if "checksum" in package else not hashes, component
    assert component.get("licenses"), component
references = {component["bom-ref"] for component in components} | {document["metadata"]["component"]["bom-ref"]}
assert references == {entry["ref"] for entry in document["dependencies"]}
assert all(set(entry["dependsOn"]) <= references for entry in document["dependencies"])

names = {component["name"] for component in components}
assert {"kliento", "veraid", "dnssec", "aws-lc-sys", "clap"} <= names, names
# The features of other members of the workspace are none of the program's.
assert not names & {"ring", "reqwest", "oqs", "xtask", "criterion"}, names
print(f"CycloneDX 1.5: {len(components)} components")
