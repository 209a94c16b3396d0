#!/usr/bin/env python3
"""Checks rendered charts.

    compare.py FOLDER EXAMPLE

Each document of FOLDER/*.yaml must be valid by the strict schema of each version of Kubernetes. What the chart says of
its pods must be what the example's manifests say. Writes the configuration of each to FOLDER/*.toml.
"""

import pathlib
import sys

import kubernetes_validate
import yaml

# Of an operator, so Kubernetes' own schemas don't have it.
OTHERS = {"PodMonitor"}


def documents(path):
    with open(path, encoding="utf-8") as file:
        return [document for document in yaml.safe_load_all(file) if document]


def only(found, kind):
    matching = [document for document in found if document["kind"] == kind]
    assert len(matching) == 1, f"{len(matching)} documents of kind {kind}"
    return matching[0]


def pods(found):
    """What both must have in common: rights, probes, arguments, bounds and times."""
    template = only(found, "Deployment")["spec"]["template"]
    pod = template["spec"]
    (container,) = pod["containers"]
    ports = {port["containerPort"] for port in container["ports"]}
    mounts = {mount["mountPath"]: mount["readOnly"] for mount in container["volumeMounts"]}
    scraped = {name: value for name, value in template["metadata"]["annotations"].items() if "prometheus" in name}
    container_keys = ("args", "readinessProbe", "livenessProbe", "securityContext", "resources")
    pod_keys = (
        "securityContext",
        "automountServiceAccountToken",
        "enableServiceLinks",
        "terminationGracePeriodSeconds",
    )
    return (
        {key: container[key] for key in container_keys}
        | {key + " of the pod": pod[key] for key in pod_keys}
        | {"ports": ports, "mounts": mounts, "scraped": scraped}
    )


def settings(text):
    """The lines of a configuration that say something, in any order: the chart has its own at the top and the end."""
    return sorted(line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#"))


def main():
    folder, example = pathlib.Path(sys.argv[1]), documents(sys.argv[2])
    rendered = {name: documents(folder / f"{name}.yaml") for name in ("defaults", "plain", "full")}
    versions = sorted(set(kubernetes_validate.utils.all_versions()))
    assert len(versions) > 10, versions
    checked = 0
    for name, found in rendered.items():
        for document in found:
            if document["kind"] in OTHERS:
                continue
            for version in versions:
                kubernetes_validate.validate(document, version, strict=True)
                checked += 1
        text = only(found, "ConfigMap")["data"]["kliento.toml"]
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    print(f"{checked} times a document and a version of Kubernetes, {versions[0]} to {versions[-1]}")

    kinds = {name: sorted(document["kind"] for document in found) for name, found in rendered.items()}
    base = ["ConfigMap", "Deployment", "Service"]
    assert kinds["plain"] == base, kinds
    assert kinds["defaults"] == sorted([*base, "PodDisruptionBudget"]), kinds
    assert kinds["full"] == sorted([*base, "NetworkPolicy", "PodDisruptionBudget", "PodMonitor"]), kinds

    theirs = pods(example)
    for name in ("defaults", "full"):
        ours = pods(rendered[name])
        for key, value in theirs.items():
            assert ours[key] == value, f"{name}: {key} is {ours[key]}, and in the example {value}"

    full = rendered["full"]
    configuration = [only(found, "ConfigMap")["data"]["kliento.toml"] for found in (full, example)]
    assert settings(configuration[0]) == settings(configuration[1]), configuration
    policy, example_policy = (only(found, "NetworkPolicy")["spec"] for found in (full, example))
    assert policy["policyTypes"] == example_policy["policyTypes"] and policy["egress"] == [], policy
    assert policy["ingress"][1]["from"] == example_policy["ingress"][1]["from"], policy
    deployment = only(full, "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example.com/kliento@sha256:" + "0" * 64, container["image"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    for document in full:
        selector = document["spec"].get("selector") if "spec" in document else None
        if document["kind"] == "NetworkPolicy":
            selector = document["spec"]["podSelector"]
        if selector is not None:
            wanted = selector.get("matchLabels", selector)
            assert wanted.items() <= labels.items(), f"{document['kind']} selects {wanted}"

    # Another configuration replaces the pods, and nothing else does.
    annotation = "kliento.veraid.net/configuration"
    checksums = {
        only(found, "Deployment")["spec"]["template"]["metadata"]["annotations"][annotation]
        for found in rendered.values()
    }
    assert len(checksums) == 3, checksums


main()
