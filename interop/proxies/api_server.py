"""Answers `kubectl` as an API server does, and asks the webhook token authenticator of `kliento serve` who is there as
kube-apiserver does: this is none, and knows no more of Kubernetes than signing in takes.

What it does as kube-apiserver: TokenReview v1 with its own audiences; an answer for none of them is no answer
(k8s.io/apiserver/plugin/pkg/authenticator/token/webhook); `Status` for errors; RBAC by one group.
"""

import http.client
import json
import socket
import ssl
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# As with `--api-audiences`.
AUDIENCES = ["https://kubernetes.example.com", "https://kubernetes.default.svc.cluster.local"]
# As with rbac.yaml of the examples.
VIEWERS = "kliento:organisation:example.com"


class Unauthorized(Exception):
    pass


class WebhookConnection(http.client.HTTPSConnection):
    """To the address of one server, with the name that its certificate is for."""

    def __init__(self, webhook):
        self.url = urllib.parse.urlsplit(webhook["server"])
        super().__init__(self.url.hostname, self.url.port, timeout=10)
        self.name = webhook.get("tls-server-name", self.url.hostname)
        self.tls = ssl.create_default_context(cafile=webhook["certificate-authority"])

    def connect(self):
        plain = socket.create_connection((self.host, self.port), self.timeout)
        self.sock = self.tls.wrap_socket(plain, server_hostname=self.name)


def ask(webhook, question):
    connection = WebhookConnection(webhook)
    try:
        connection.request("POST", connection.url.path, question, {"Content-Type": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise http.client.HTTPException(f"{response.status} {response.read()[:200]!r}")
        return json.load(response)
    finally:
        connection.close()


def review(webhook, token):
    """Whom the webhook knows the token's bearer to be, as `UserInfo`."""
    question = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "metadata": {"creationTimestamp": None},
        "spec": {"token": token, "audiences": AUDIENCES},
        "status": {"user": {}},
    }
    try:
        answer = ask(webhook, json.dumps(question))
    except (OSError, http.client.HTTPException) as error:
        raise Unauthorized(f"the webhook does not answer: {error}") from error
    if (answer["apiVersion"], answer["kind"]) != (question["apiVersion"], question["kind"]):
        raise Unauthorized("the webhook answers something else")
    status = answer["status"]
    if not status["authenticated"]:
        raise Unauthorized(status.get("error"))
    if not set(status.get("audiences", [])) & set(AUDIENCES):
        raise Unauthorized("the token is for others")
    return status["user"]


def failure(code, reason, message):
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return code, {**status, "message": message, "reason": reason, "code": code}


def resources(version, *names):
    found = [
        {"name": name, "singularName": "", "namespaced": False, "kind": kind, "verbs": verbs}
        for name, kind, verbs in names
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": found}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        # What kubectl creates here says nothing, and may be in Protobuf.
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            code, answer = self.dispatch(self.authenticate())
        except Unauthorized as refusal:
            self.server.refusals.append(str(refusal))
            code, answer = failure(401, "Unauthorized", "Unauthorized")
        octets = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    do_GET = do_POST = answer

    def authenticate(self):
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise Unauthorized("no token")
        user = review(self.server.webhook, token)
        self.server.users.append(user)
        return user

    def dispatch(self, user):
        path = self.path.split("?")[0]
        if path == "/version":
            return 200, {"major": "1", "minor": "20", "gitVersion": "v1.20.0"}
        if path == "/api":
            return 200, {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        if path == "/apis":
            return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": []}
        if path == "/api/v1":
            return 200, resources("v1", ("namespaces", "Namespace", ["get", "list"]))
        if path == "/apis/authentication.k8s.io/v1/selfsubjectreviews":
            group = "authentication.k8s.io/v1"
            return 201, {
                "kind": "SelfSubjectReview",
                "apiVersion": group,
                "metadata": {},
                "status": {"userInfo": user},
            }
        if path == "/api/v1/namespaces":
            if self.server.viewers not in user["groups"]:
                message = f'namespaces is forbidden: User "{user["username"]}" cannot list resource "namespaces"'
                return failure(403, "Forbidden", message)
            default = {"metadata": {"name": "default"}, "spec": {}, "status": {"phase": "Active"}}
            return 200, {"kind": "NamespaceList", "apiVersion": "v1", "metadata": {}, "items": [default]}
        return failure(404, "NotFound", "the server could not find the requested resource")

    def log_message(self, *_):
        pass


class ApiServer:
    """`webhook` is the cluster of a kubeconfig file; `tls.crt` and `tls.key` are in the directory."""

    def __init__(self, address, webhook, directory):
        host, port = address.rsplit(":", 1)
        self.server = ThreadingHTTPServer((host, int(port)), Handler)
        self.server.daemon_threads = True
        self.server.webhook = webhook
        self.server.viewers = VIEWERS
        self.server.users, self.server.refusals = [], []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{directory}/tls.crt", f"{directory}/tls.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.server

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
