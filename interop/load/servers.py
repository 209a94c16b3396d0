"""Starts `kliento serve` and other servers on loopback, and asks them how they are."""

import json
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

# So that what was started is stopped, and its files go.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))

# Of a log, what is shown when something went wrong.
MAX_LOG = 2000
# Of the server that is asked.
PORT = 8080


def free_host():
    """An address of this machine that nobody else uses. (Clients' own ports are all at 127.0.0.1.)"""
    while True:
        host = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        with socket.socket() as probe:
            if probe.connect_ex((host, PORT)) != 0:
                return host


def wait_until_listening(address, process):
    host, port = address.rsplit(":", 1)
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit(f"{process.args[0]} ended at once, with status {process.returncode}")
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{process.args[0]} does not listen on {address}")


@contextmanager
def running(command, address, **options):
    process = subprocess.Popen(command, **options)
    try:
        wait_until_listening(address, process)
        yield process
    finally:
        process.terminate()
        process.wait()


class Serve:
    """`kliento serve` for everybody at example.com, with limits and further sections as TOML."""

    def __init__(self, kliento, world, directory, limits="", sections=""):
        self.kliento = kliento
        host = free_host()
        self.address, self.operations = f"{host}:{PORT}", f"{host}:9090"
        self.configuration = Path(directory) / "kliento.toml"
        self.configuration.write_text(
            f"""
listen = "{self.address}"
operations-listen = "{self.operations}"
audience = "https://app.example.com"
trust-anchors = "{Path(world).resolve() / "anchors"}"

[limits]
{limits}

[[rules]]
organisations = ["example.com"]

{sections}
"""
        )
        self.log = Path(directory) / "serve.log"

    def bound(self):
        """Octets of memory that it says it can take."""
        check = [self.kliento, "serve", "--config", self.configuration, "--check", "--json"]
        return json.loads(subprocess.run(check, check=True, capture_output=True).stdout)["memory"]["total"]

    @contextmanager
    def running(self):
        with self.log.open("wb") as log:
            command = [self.kliento, "serve", "--config", self.configuration]
            try:
                with running(command, self.address, stderr=log, stdout=log) as process:
                    self.process = process
                    yield self
            except BaseException:
                print(self.log.read_text()[-MAX_LOG:], file=sys.stderr)
                raise

    def peak_memory(self):
        """Octets that the process had at most in memory."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise LookupError("the kernel does not tell VmHWM")

    def metric(self, name):
        """The sum of a metric over those labels that are named, such as `kliento_requests_total{status="200"`."""
        text = urllib.request.urlopen(f"http://{self.operations}/metrics", timeout=60).read().decode()
        name, *labels = name.replace("}", "").replace("{", ",").split(",")
        total = 0
        for line in text.splitlines():
            series, _, value = line.rpartition(" ")
            if series.split("{")[0] == name and all(label in series for label in labels):
                total += float(value)
        return int(total)
