"""The server behind the proxies: the examples' own, in this process, which writes down every octet that reaches it.

It is as careless as a server can be: it answers 101 to anything that looks like a wish to speak something else, and from
then on sends back what it gets, or really speaks HTTP/2 if it was asked for h2c and is set to.
"""

import base64
import hashlib
import json
import threading
import time

import http2
from examples import backend

# RFC 6455 §1.3.
WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
# In the target of a request whose `Upgrade` the server takes no notice of.
STAY = "stay"
# How long what a proxy sends on after it has answered takes to arrive.
SETTLING_SECONDS = 0.05


class Recording:
    """A stream of octets from a proxy, each of which is written down."""

    def __init__(self, stream, octets):
        self.stream, self.octets = stream, octets

    def read(self, *arguments):
        return self._record(self.stream.read(*arguments))

    def read1(self, *arguments):
        return self._record(self.stream.read1(*arguments))

    def readline(self, *arguments):
        return self._record(self.stream.readline(*arguments))

    def _record(self, octets):
        self.octets.extend(octets)
        return octets

    def __getattr__(self, name):
        return getattr(self.stream, name)


class Server:
    """`octets` and `requests` are what has come since `forget`."""

    def __init__(self, address):
        self.octets, self.requests = bytearray(), []
        # It speaks HTTP/2 after `Upgrade: h2c`.
        self.h2c = False
        host, port = address.rsplit(":", 1)
        self.server = backend.Server((host, int(port)), lambda *arguments: Handler(self, *arguments))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def forget(self):
        self.octets.clear()
        self.requests.clear()

    def settle(self):
        """Waits for what may still be on its way."""
        time.sleep(SETTLING_SECONDS)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Handler(backend.Echo):
    def __init__(self, record, *arguments):
        self.record = record
        super().__init__(*arguments)

    def setup(self):
        super().setup()
        self.rfile = Recording(self.rfile, self.record.octets)

    def got(self):
        return {"method": self.command, "target": self.path, "headers": self.headers.items()}

    def answer(self):
        self.record.requests.append(self.got())
        upgrade = ", ".join(self.headers.get_all("Upgrade", []))
        connection = ", ".join(self.headers.get_all("Connection", []))
        if STAY not in self.path and (upgrade or "upgrade" in connection.lower()):
            self.change_protocol(upgrade or "anything")
        else:
            super().answer()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def __getattr__(self, name):
        """Any method there is."""
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def change_protocol(self, upgrade):
        self.close_connection = True
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", upgrade.split(",")[0].strip())
        if key := self.headers.get("Sec-WebSocket-Key"):
            accept = base64.b64encode(hashlib.sha1(key.encode() + WEBSOCKET_GUID).digest())
            self.send_header("Sec-WebSocket-Accept", accept.decode())
        self.end_headers()
        self.wfile.flush()
        settings = self.headers.get("HTTP2-Settings", "")
        if self.record.h2c and "h2c" in upgrade.lower():
            self.connection.settimeout(5)
            http2.serve_upgraded(Tunnel(self), settings, self.answer_http2)
        else:
            while octets := self.rfile.read1(65_536):
                self.wfile.write(octets)
                self.wfile.flush()

    def answer_http2(self, fields):
        if fields:
            pseudo = dict(fields)
            got = {"method": pseudo[":method"], "target": pseudo.get(":path"), "headers": fields}
            self.record.requests.append(got)
        return json.dumps(self.got()).encode()


class Tunnel:
    """What is left of a connection when its head has been read."""

    def __init__(self, handler):
        self.sendall, self.handler = handler.connection.sendall, handler

    def recv(self, length):
        return self.handler.rfile.read1(length)
