"""A proxy, `kliento serve` behind it, and a server that counts what reaches it: the examples of forward-auth."""

import random
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from examples import FOLDER, run
from http1 import Connection, Door, request
from record import Record
from server import Server
import tls

# Ahead of the examples' own rules, which are the same for all methods: one that is not.
RULE_BY_METHOD = """[[rules]]
path = "/read/"
methods = ["GET", "HEAD"]
public = true

"""


def free_host():
    """An address of this machine that nobody else uses. (Ports of clients are all at 127.0.0.1 and 127.0.0.2.)"""
    while True:
        host = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        with socket.socket() as probe:
            if probe.connect_ex((host, 8000)) != 0:
                return host


def add(directory, line, addition):
    """Puts a line behind another, as far to the right."""
    for file in directory.rglob("*"):
        if file.is_file():
            file.write_text(re.sub(f"^( *){re.escape(line)}$", rf"\g<0>\n\g<1>{addition}", file.read_text(), flags=re.M))


class BadVerifier:
    """Stands where `kliento serve` was. It is no verifier: it answers all with the same octets, or with silence."""

    def __init__(self, address, answer):
        host, port = address.rsplit(":", 1)
        self.answer = answer
        self.connections = []
        self.listener = socket.create_server((host, int(port)), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection):
        try:
            while connection.recv(65536):
                if self.answer is not None:
                    connection.sendall(self.answer)
                    connection.close()
                    return
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # A listener that is closed in another thread's `accept` goes on accepting, unless it is shut down first.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            connection.close()


class Stage:
    def __init__(self, kliento, world, name, set_up, directory, *, with_tls=False):
        self.kliento, self.name, self.set_up = kliento, name, set_up
        self.directory = Path(directory)
        self.host = free_host()
        self.proxy, self.verifier, self.backend = (
            address.replace(run.HOST, self.host) for address in (run.PROXY, run.VERIFIER, run.BACKEND)
        )
        self.with_tls, self.door = with_tls, Door(self.proxy)
        self.processes = []
        # The tokens' world, where kliento.toml says.
        (self.directory / "world").symlink_to(Path(world).resolve())
        self.configuration = self.directory / "kliento.toml"
        settings, rules = (FOLDER / "kliento.toml").read_text().replace(run.HOST, self.host).split("[[rules]]", 1)
        self.configuration.write_text(f"{settings}{RULE_BY_METHOD}[[rules]]{rules}")
        self.record = Record(self.directory / "serve.log")

    def __enter__(self):
        self.server = Server(self.backend)
        try:
            self.start_verifier()
            process = self._start("proxy.log", self.start_proxy)
            run.wait_until_listening(self.proxy, process)
            self._wait_until_ready()
        except BaseException:
            for log in self.directory.glob("*.log"):
                print(log.read_text(), file=sys.stderr)
            self.__exit__()
            raise
        return self

    def _start(self, log, start):
        with (self.directory / log).open("ab") as output:
            process = start(stdout=output, stderr=subprocess.STDOUT)
        self.processes.append(process)
        return process

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()
        self.server.stop()

    def _wait_until_ready(self):
        """Some listen before they have read all of their configuration, Traefik with another certificate."""
        for _ in range(100):
            with suppress(ssl.SSLError), Connection(self.door) as connection:
                if connection.ask(request("/health/")).status == 200:
                    return
            time.sleep(0.1)

    def start_proxy(self, **output):
        folder, command = self.set_up.start
        directory = self.directory / self.name
        run.render(folder, directory, self.host)
        if self.set_up.addition:
            add(directory, *self.set_up.addition)
        if self.with_tls:
            self.door = Door(self.proxy, tls.turn_on(directory))
        return run.start_proxy(command, directory, **output)

    def start_verifier(self):
        command = [self.kliento, "serve", "--config", self.configuration, "--log", "json"]
        self.serve = self._start("serve.log", lambda **output: subprocess.Popen(command, **output))
        run.wait_until_listening(self.verifier, self.serve)

    def stop_verifier(self):
        self.serve.terminate()
        self.serve.wait()
        self.processes.remove(self.serve)
