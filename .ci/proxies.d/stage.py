"""A proxy, `kliento serve` behind it, and a server that keeps what reaches it, started as in `examples/forward-auth`."""

import shutil
import socket
import subprocess
import threading
import time
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

from http1 import Connection, request

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples" / "forward-auth"


def load(name):
    """A program of the examples, as a module."""
    loader = SourceFileLoader(name, str(EXAMPLES / name))
    module = module_from_spec(spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


run = load("run")
backend = load("backend")


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


class Backend:
    """The server of the examples, in this process: `reached` counts the requests that it got."""

    def __init__(self, address):
        self.reached = 0
        outer = self

        class Counting(backend.Echo):
            def parse_request(self):
                outer.reached += 1
                return super().parse_request()

        host, port = address.rsplit(":", 1)
        self.server = backend.Server((host, int(port)), Counting)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


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
    def __init__(self, kliento, world, proxy, directory):
        self.kliento = kliento
        self.directory = Path(directory)
        self.proxy, self.verifier, self.backend_address = (free_address() for _ in range(3))
        self.addresses = {run.PROXY: self.proxy, run.VERIFIER: self.verifier, run.BACKEND: self.backend_address}
        self.processes = []
        self.name = proxy
        self.serve = None
        # The tokens' world, as kliento.toml names it.
        (self.directory / "world").symlink_to(Path(world).resolve())
        self.configuration = self.directory / "kliento.toml"
        text = (EXAMPLES / "kliento.toml").read_text().replace(run.VERIFIER, self.verifier)
        self.configuration.write_text(text)

    def __enter__(self):
        try:
            self.backend = Backend(self.backend_address)
            self.start_verifier()
            output = (self.directory / "proxy.log").open("wb")
            process = run.start_proxy(
                self.name, self.directory / self.name, self.addresses, stdout=output, stderr=subprocess.STDOUT
            )
            self.processes.append(process)
            run.wait_until_listening(self.proxy, process)
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()
        self.backend.stop()

    def _wait_until_ready(self):
        """Some listen before they have read all of their configuration."""
        for _ in range(100):
            with Connection(self.proxy) as connection:
                if connection.ask(request("/health/")).status == 200:
                    return
            time.sleep(0.1)

    def start_verifier(self):
        output = (self.directory / "serve.log").open("ab")
        command = [self.kliento, "serve", "--config", self.configuration, "--log", "json"]
        self.serve = subprocess.Popen(command, cwd=self.directory, stdout=output, stderr=subprocess.STDOUT)
        self.processes.append(self.serve)
        run.wait_until_listening(self.verifier, self.serve)

    def stop_verifier(self):
        self.serve.terminate()
        self.serve.wait()
        self.processes.remove(self.serve)

    def keep_logs(self, directory):
        for name in ("proxy.log", "serve.log"):
            if (self.directory / name).exists():
                shutil.copy(self.directory / name, Path(directory) / f"{self.name}.{name}")
