"""`kubectl` signs in with `kliento kubectl-credential`, and an API server asks `kliento serve` who that is.

usage: kubernetes.py KLIENTO WORLD KUBECTL EXEC-VERSION

With the files of `examples/kubernetes`, in which only names and addresses are put in place of others. EXEC-VERSION is
that of `client.authentication.k8s.io` which the KUBECTL at hand speaks.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from api_server import AUDIENCES, ApiServer
from examples import run
from report import Wrong, check, expect
from stage import free_host

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples" / "kubernetes"
AUDIENCE = "https://kubernetes.example.com"
# What kubectl makes of 401.
KINDS = ["Namespace", "ConfigMap", "Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"]
UNAUTHORIZED = "You must be logged in to the server"


class Cluster:
    def __init__(self, kliento, world, kubectl, version, directory):
        self.kliento, self.kubectl, self.version = Path(kliento).resolve(), Path(kubectl).resolve(), version
        self.world, self.directory = Path(world).resolve(), Path(directory)
        self.host = free_host()
        self.api_address, self.serve_address = f"{self.host}:6443", f"{self.host}:8443"
        self.name = f"kubectl {self.kubectl_version()}, {version}"

    # ---- setting up

    def kubectl_version(self):
        answer = json.loads(self.run_kubectl("version", "--client", "--output", "json").stdout)
        return answer["clientVersion"]["gitVersion"]

    def make_certificates(self):
        """One that signs itself stands for the authority too."""
        names = f"DNS:kliento.kliento.svc,DNS:kubernetes.example.com,IP:{self.host}"
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "2",
            ]
            + ["-subj", "/CN=kliento", "-addext", f"subjectAltName={names}", "-keyout", "tls.key", "-out", "tls.crt"],
            cwd=self.directory,
            check=True,
            capture_output=True,
        )

    def render(self, name, changes):
        text = (EXAMPLES / name).read_text()
        for told, wanted in changes.items():
            if told not in text:
                raise Wrong(f"{name} does not say {told}")
            text = text.replace(told, wanted)
        path = self.directory / name
        path.write_text(text)
        return path

    def serve_configuration(self):
        path = self.render(
            "kliento.toml",
            {
                "0.0.0.0": self.host,
                "/etc/kliento-tls/": f"{self.directory}/",
            },
        )
        # The world's root in place of the Internet's.
        path.write_text(f'trust-anchors = "{self.world}/anchors"\n{path.read_text()}')
        return path

    def webhook(self):
        changes = {
            "https://10.96.100.100:443": f"https://{self.serve_address}",
            "/etc/kubernetes/kliento/ca.crt": f"{self.directory}/tls.crt",
        }
        path = self.render("webhook.kubeconfig", changes)
        view = self.run_kubectl("config", "view", "--raw", "--output", "json", kubeconfig=path)
        return json.loads(view.stdout)["clusters"][0]["cluster"]

    def kubeconfig(self, *arguments, signer=("alice.member-id", "alice.key.pem"), audience=AUDIENCE):
        changes = {
            "https://kubernetes.example.com:6443": f"https://{self.api_address}",
            "ca.crt": f"{self.directory}/tls.crt",
            "client.authentication.k8s.io/v1": f"client.authentication.k8s.io/{self.version}",
            "command: kliento": f"command: {self.kliento}",
            "alice.member-id": f"{self.world}/{signer[0]}",
            "alice.key.pem": f"{self.world}/{signer[1]}",
            f"--audience={AUDIENCE}": f"--audience={audience}",
        }
        path = self.render("user.kubeconfig", changes)
        extra = "".join(
            f"          - {argument}\n" for argument in [f"--trust-anchors={self.world}/anchors", *arguments]
        )
        path.write_text(path.read_text().replace("        interactiveMode:", f"{extra}        interactiveMode:"))
        return path

    # ---- asking

    def read(self, name):
        """The objects in a file of the examples, as kubectl reads them."""
        command = ["label", "--local", "--filename", EXAMPLES / name, "checked=yes", "--output", "json"]
        answer = self.run_kubectl(*command)
        if answer.returncode:
            raise Wrong(answer.stderr)
        # One document after another.
        decoder, rest, items = json.JSONDecoder(), answer.stdout.strip(), []
        while rest:
            document, end = decoder.raw_decode(rest)
            items += document.get("items", [document])
            rest = rest[end:].strip()
        return items

    def run_kubectl(self, *arguments, kubeconfig=None):
        environment = {**os.environ, "HOME": str(self.directory), "KUBECONFIG": str(kubeconfig or "/nonexistent")}
        return subprocess.run(
            [self.kubectl, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    def signs_in(self, api, kubeconfig):
        """Whom the API server knows the user to be."""
        before = len(api.users)
        answer = self.run_kubectl("get", "namespaces", "--output", "name", kubeconfig=kubeconfig)
        expect("kubectl’s answer", (answer.stdout, answer.returncode), ("namespace/default\n", 0))
        if len(api.users) == before:
            raise Wrong("the API server did not ask who it is")
        return api.users[-1]

    def is_refused(self, api, kubeconfig, words):
        before = len(api.users)
        answer = self.run_kubectl("get", "namespaces", kubeconfig=kubeconfig)
        expect("kubectl’s exit status", answer.returncode, 1)
        if words not in answer.stderr:
            raise Wrong(f"kubectl says {answer.stderr}")
        return api.users[before:]


ALICE = {
    "username": "kliento:alice@example.com",
    "uid": "alice@example.com",
    "groups": ["kliento:authenticated", "kliento:organisation:example.com"],
    "extra": {
        "kliento.veraid.net/organisation": ["example.com"],
        "kliento.veraid.net/user": ["alice"],
        "kliento.veraid.net/signed-by": ["member"],
    },
}


def files(cluster):
    with check(f"{cluster.name}: manifests.yaml holds what kliento.toml says, and memory for it"):
        items = {item["kind"]: item for item in cluster.read("manifests.yaml")}
        expect("kinds", list(items), KINDS)
        configuration = items["ConfigMap"]["data"]["kliento.toml"]
        expect("configuration", tomllib.loads(configuration), tomllib.loads((EXAMPLES / "kliento.toml").read_text()))
        container = items["Deployment"]["spec"]["template"]["spec"]["containers"][0]
        limit = int(container["resources"]["limits"]["memory"].removesuffix("Mi")) * 2**20
        plan = subprocess.run(
            [cluster.kliento, "serve", "--config", cluster.serve_configuration(), "--check", "--json"],
            check=True,
            capture_output=True,
        )
        bound = json.loads(plan.stdout)["memory"]["total"]
        if not bound <= limit:
            raise Wrong(f"it can take {bound} octets, and may have {limit}")
    with check(f"{cluster.name}: rbac.yaml can be read"):
        expect("bindings", len(cluster.read("rbac.yaml")), 3)
    with check(f"{cluster.name}: the webhook’s audience is one of the API server’s"):
        audiences = tomllib.loads((EXAMPLES / "kliento.toml").read_text())["kubernetes"]["audiences"]
        if (
            not set(audiences) <= set(AUDIENCES)
            or f"--api-audiences={','.join(AUDIENCES)}" not in (EXAMPLES / "webhook.kubeconfig").read_text()
        ):
            raise Wrong(str(audiences))


def people(cluster, api):
    name = cluster.name
    with check(f"{name}: alice signs in with a token of her own"):
        expect("user", cluster.signs_in(api, cluster.kubeconfig()), ALICE)
    with check(f"{name}: a claim that is to be handed on is, and groups are not hers to say"):
        user = cluster.signs_in(api, cluster.kubeconfig("--claim=team=blue", "--claim=groups=admins"))
        extra = {**ALICE["extra"], "kliento.veraid.net/claim-team": ["blue"]}
        expect("user", user, {**ALICE, "extra": extra})
    with check(f"{name}: the audience can stand with the cluster, where that is asked for"):
        path = cluster.kubeconfig()
        extension = (
            "      extensions:\n        - name: client.authentication.k8s.io/exec\n"
            f"          extension: {{audience: {AUDIENCE}}}\n"
        )
        text = (
            path.read_text()
            .replace(f"          - --audience={AUDIENCE}\n", "          - --audience-from-cluster\n")
            .replace("users:\n", f"{extension}users:\n")
        )
        path.write_text(
            text.replace("        interactiveMode:", "        provideClusterInfo: true\n        interactiveMode:")
        )
        expect("user", cluster.signs_in(api, path), ALICE)
    organisation = ["--organisation-certificate", "--dnssec-chain"]
    with check(f"{name}: the organisation signs for its bot, and says which groups it is in"):
        path = cluster.kubeconfig("--bot", "--claim=groups=admins", "--claim=team=blue")
        text = path.read_text().replace(
            f"--member-id-bundle={cluster.world}/alice.member-id",
            f"{organisation[0]}={cluster.world}/org.pem\n          - {organisation[1]}={cluster.world}/org.chain",
        )
        path.write_text(text.replace("alice.key.pem", "org.key.pem"))
        user = cluster.signs_in(api, path)
        expect("name", user["username"], "kliento:example.com")
        if "kliento:group:example.com:admins" not in user["groups"]:
            raise Wrong(f"groups: {user['groups']}")
    if cluster.version == "v1":
        with check(f"{name}: `kubectl auth whoami` says who one is"):
            answer = cluster.run_kubectl("auth", "whoami", "--output", "json", kubeconfig=cluster.kubeconfig())
            if answer.returncode:
                raise Wrong(answer.stderr)
            expect("user", json.loads(answer.stdout)["status"]["userInfo"], ALICE)


def refusals(cluster, api):
    name = cluster.name
    with check(f"{name}: a token for another cluster is refused"):
        path = cluster.kubeconfig(audience="https://other.example.com")
        expect("users", cluster.is_refused(api, path, UNAUTHORIZED), [])
    with check(f"{name}: a token for the API server that the webhook is not for is refused"):
        path = cluster.kubeconfig(audience=AUDIENCES[1])
        expect("users", cluster.is_refused(api, path, UNAUTHORIZED), [])
    with check(f"{name}: no token at all is refused"):
        path = cluster.kubeconfig()
        text = path.read_text()
        path.write_text(
            text[: text.index("    user:\n      exec:")] + "    user: {}\n" + text[text.index("contexts:") :]
        )
        answer = cluster.run_kubectl("get", "namespaces", kubeconfig=path)
        expect("exit status", answer.returncode, 1)
    with check(f"{name}: what is no token is refused"):
        path = cluster.kubeconfig()
        text = path.read_text()
        path.write_text(
            text[: text.index("    user:\n      exec:")]
            + "    user: {token: AAAA}\n"
            + text[text.index("contexts:") :]
        )
        expect("users", cluster.is_refused(api, path, UNAUTHORIZED), [])
    with check(f"{name}: the command fails, and kubectl says so"):
        path = cluster.kubeconfig(signer=("alice.member-id", "org.key.pem"))
        expect("users", cluster.is_refused(api, path, "executable"), [])
    with check(f"{name}: one who is authenticated and may not is told so"):
        viewers = api.viewers
        api.viewers = "nobody"
        try:
            users = cluster.is_refused(api, cluster.kubeconfig(), "Forbidden")
        finally:
            api.viewers = viewers
        expect("last user", users[-1], ALICE)


def main(kliento, world, kubectl, version):
    with tempfile.TemporaryDirectory(prefix="kliento-kubernetes.") as directory:
        cluster = Cluster(kliento, world, kubectl, version, directory)
        cluster.make_certificates()
        files(cluster)
        with (Path(directory) / "serve.log").open("wb") as log:
            command = [kliento, "serve", "--config", cluster.serve_configuration()]
            serve = subprocess.Popen(command, stdout=log, stderr=log)
            try:
                run.wait_until_listening(cluster.serve_address, serve)
                with ApiServer(cluster.api_address, cluster.webhook(), directory) as api:
                    people(cluster, api)
                    refusals(cluster, api)
                    serve.terminate()
                    serve.wait()
                    with check(f"{cluster.name}: the webhook is down: nobody gets in"):
                        expect("users", cluster.is_refused(api, cluster.kubeconfig(), UNAUTHORIZED), [])
            finally:
                serve.terminate()
                serve.wait()


if __name__ == "__main__":
    # So that what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    main(*sys.argv[1:])
