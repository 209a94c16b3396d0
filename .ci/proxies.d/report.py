"""One line for each thing tried: `ok - LABEL` or `not ok - LABEL: WHY`. `.ci/proxies` counts them."""

from contextlib import contextmanager

# Of what is told of a failure.
MAX_LENGTH = 1000


class Wrong(Exception):
    """Something is not what it should be."""


def expect(what, found, wanted):
    if found != wanted:
        raise Wrong(f"{what}: expected {wanted!r}, got {found!r}")


def one_line(error):
    return " ".join(str(error).split())[:MAX_LENGTH]


@contextmanager
def check(label):
    """What is done within has to succeed; whatever it raises is told in the line."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a check that breaks down has failed, and the others go on
        print(f"not ok - {label}: {type(error).__name__} {one_line(error)}", flush=True)
    else:
        print(f"ok - {label}", flush=True)
