"""An HTTP/2 client that sends what it is told, and the HTTP/2 that a server speaks once a connection is upgraded to it.

It rests on the package h2, whose checks of what goes out are turned off here.
"""

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    RequestReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError
from http1 import Response

# An answer in place of one to whoever sends what is no HTTP.
NO_ANSWER = Response(400, [], b"")


def configuration(*, client):
    return H2Configuration(
        client_side=client,
        header_encoding="latin-1",
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
        validate_inbound_headers=False,
    )


class Connection:
    """A client's connection. With `upgraded` the octets sent so far were HTTP/1.1, whose request is stream 1."""

    def __init__(self, stream, *, upgraded=False):
        self.socket = stream
        self.connection = H2Connection(configuration(client=True))
        if upgraded:
            self.connection.initiate_upgrade_connection()
        else:
            self.connection.initiate_connection()

    def ask(self, pseudo, fields=(), body=None, *, tunnel=None):
        """Sends a request, and returns the response.

        With `tunnel` those octets follow the head, the stream stays open, and what comes back is the body. That the
        server ends the stream or the connection in place of an answer is 400, too.
        """
        number = self.connection.get_next_available_stream_id()
        head = [*pseudo.items(), *((name.lower(), value) for name, value in fields)]
        try:
            self.connection.send_headers(number, head, end_stream=body is None and tunnel is None)
            for data in (body, tunnel):
                if data:
                    self.connection.send_data(number, data[:16_384], end_stream=tunnel is None)
            self._flush()
            return self._receive(number, stay_open=tunnel is not None)
        except (ProtocolError, ConnectionError):
            return NO_ANSWER

    def _flush(self):
        self.socket.sendall(self.connection.data_to_send())

    def _receive(self, number, *, stay_open):
        response = Response(0, [], b"")
        while octets := self.socket.recv(65_536):
            for event in self.connection.receive_data(octets):
                if isinstance(event, ConnectionTerminated):
                    return NO_ANSWER
                if getattr(event, "stream_id", None) != number:
                    continue
                if isinstance(event, StreamReset):
                    return NO_ANSWER
                if isinstance(event, ResponseReceived):
                    fields = dict(event.headers)
                    response.status = int(fields.pop(":status"))
                    response.headers = [(name, value) for name, value in event.headers if name != ":status"]
                elif isinstance(event, DataReceived):
                    response.body += event.data
                    self.connection.acknowledge_received_data(event.flow_controlled_length, number)
                    if stay_open:
                        return response
                elif isinstance(event, StreamEnded):
                    return response
            self._flush()
        return NO_ANSWER


def ask(door, pseudo, fields=(), body=None, *, tunnel=None):
    """Asks on a connection of its own."""
    with door.connect("h2") as stream:
        return Connection(stream).ask(pseudo, fields, body, tunnel=tunnel)


def serve_upgraded(stream, settings, answer):
    """Speaks HTTP/2 on a connection that was upgraded by `Upgrade: h2c` (RFC 7540 §3.2) as a server.

    `answer(fields)` is the body for each request; stream 1, which is the one that asked for the upgrade, has no fields.
    """
    connection = H2Connection(configuration(client=False))
    connection.initiate_upgrade_connection(settings.encode())
    respond(connection, 1, answer([]))
    stream.sendall(connection.data_to_send())
    while octets := stream.recv(65_536):
        for event in connection.receive_data(octets):
            if isinstance(event, RequestReceived):
                respond(connection, event.stream_id, answer(event.headers))
        stream.sendall(connection.data_to_send())


def respond(connection, number, body):
    connection.send_headers(number, [(":status", "200"), ("content-length", str(len(body)))])
    connection.send_data(number, body, end_stream=True)
