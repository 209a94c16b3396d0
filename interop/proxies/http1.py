"""An HTTP/1.1 client that sends what it is told, octet by octet: others would clean up half of what is tried here."""

import socket
import ssl
from dataclasses import dataclass

from report import expect

# Longer than any proxy waits for a verifier that does not answer.
PATIENCE_SECONDS = 60
# The address that clients have. Proxies ask from 127.0.0.1, so that neither is taken for the other.
CLIENT = "127.0.0.2"


# The host that is asked for, unless another is.
HOST = "app.example.com"


@dataclass(frozen=True)
class Door:
    """Where a proxy takes connections, and the certificate by which it is known if it speaks TLS."""

    address: str
    certificate: object = None

    @property
    def scheme(self):
        return "https" if self.certificate else "http"

    def connect(self, protocol="http/1.1"):
        """With TLS the protocol is agreed on (RFC 7301), and otherwise both know it."""
        host, port = self.address.rsplit(":", 1)
        stream = socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS, source_address=(CLIENT, 0))
        if self.certificate is None:
            return stream
        context = ssl.create_default_context(cafile=self.certificate)
        context.set_alpn_protocols([protocol])
        stream = context.wrap_socket(stream, server_hostname=HOST)
        expect("ALPN", stream.selected_alpn_protocol(), protocol)
        return stream


@dataclass
class Response:
    status: int
    headers: list  # of (name in lower case, value)
    body: bytes

    def values(self, name):
        return [value for found, value in self.headers if found == name]


class Connection:
    def __init__(self, door):
        self.socket = door.connect()
        self.stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stream.close()
        self.socket.close()

    def ask(self, request):
        """Sends a request as octets, and returns the response.

        Servers that refuse what is no HTTP may do so before they have read all of it, or by no more than the end of the
        connection: 400, too.
        """
        try:
            self.send(request)
            return self.receive()
        except ConnectionError:
            return Response(400, [], b"")

    def send(self, octets):
        self.socket.sendall(octets)

    def receive(self):
        """The next response that is final (RFC 9110 §15.2), or one that changes the protocol."""
        while (response := self._head()).status in (100, 102, 103):
            pass
        response.body = self._body(response)
        return response

    def _head(self):
        status = int(self._line().split(b" ", 2)[1])
        headers = []
        while line := self._line():
            name, value = line.split(b":", 1)
            headers.append((name.decode("latin-1").lower(), value.strip().decode("latin-1")))
        return Response(status, headers, b"")

    def _line(self):
        line = self.stream.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError(f"the connection ended within {line!r}")
        return line.rstrip(b"\r\n")

    def _body(self, response):
        if "chunked" in response.values("transfer-encoding"):
            return self._chunks()
        lengths = response.values("content-length")
        if lengths:
            return self.stream.read(int(lengths[0]))
        return b"" if response.status in (101, 204, 304) else self.stream.read()

    def _chunks(self):
        body = b""
        while length := int(self._line(), 16):
            body += self.stream.read(length)
            self._line()
        while self._line():
            pass
        return body


def request(target, fields=(), *, method="GET", host=HOST, body=None):
    """A request as octets, from strings: nothing in them is looked at."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")
