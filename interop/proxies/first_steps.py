"""The commands that `examples/forward-auth/run` prints, which do what it says of them.

usage: first_steps.py KLIENTO WORLD SET-UP...

They are pasted into a shell, one set-up after the other: all have the addresses that the files of the example name. Each makes
a world of its own.
"""

import re
import signal
import subprocess
import sys

from examples import FOLDER
from report import Wrong, check

# With what the text ends.
END = "Ctrl-C ends everything."
COMMAND = re.compile(r"  (curl .*)\n {6}(.*)\n")
# A file beside the command's own, with which the outcome is said to be the same.
ANOTHER = re.compile(r"(?<!\S)@[a-z-]+")


def text_of(process):
    """All that it says before it waits."""
    text = ""
    for line in process.stdout:
        text += line
        if END in line:
            return text
    raise Wrong(f"it ended: {text}")


def paste(directory, command, said):
    """`said` begins with the status or `no`, and goes on with what else there is to see."""
    # Without such a file curl would ask without a token, and say nothing.
    files = "".join(f"test -f {name[1:]} && " for name in ANOTHER.findall(command))
    line = f"{directory} && {files}{command}"
    shell = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=True)
    status = shell.stdout.split()[1]
    statuses = re.findall(r"\b\d{3}\b", said)
    if (status in statuses) == said.startswith("no "):
        raise Wrong(f"{command}: status {status}, and {said!r} is said")
    if status == "200" and "alice@example.com" in said:
        subject = re.search(r'"X-Kliento-Subject",\s*"(.*?)"', shell.stdout, re.IGNORECASE)
        if subject is None or subject[1] != "alice@example.com":
            raise Wrong(f"{command}: not alice, but {shell.stdout}")


def try_out(kliento, name):
    run = [FOLDER / "run", "--kliento", kliento, name]
    with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            text = text_of(process)
            directory = re.search(r"  (cd .*)\n", text)[1]
            commands = COMMAND.findall(text)
            if len(commands) != text.count("  curl "):
                raise Wrong(f"of these commands nothing is said: {text}")
            for command, said in commands:
                paste(directory, command, said)
                for another in ANOTHER.findall(said):
                    paste(directory, ANOTHER.sub(another, command), said)
        finally:
            # It stops what it has started. (Programs in the background of a shell take no notice of SIGINT.)
            process.terminate()


def main(kliento, _, *names):
    for name in names:
        with check(f"{name}: what `run` prints works when it is pasted"):
            try_out(kliento, name)
    with check("`run` says what proxies there are"):
        refused = subprocess.run([FOLDER / "run", "apache"], capture_output=True, text=True)
        if refused.returncode != 2 or not all(name in refused.stderr for name in names):
            raise Wrong(f"status {refused.returncode}, {refused.stderr}")


if __name__ == "__main__":
    # So that what was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    main(*sys.argv[1:])
