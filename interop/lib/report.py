"""Results of a comparison, as `report.sh` counts them: `ok NAME` or `FAILED NAME: WHY`, a line each."""

from contextlib import contextmanager

# Of what is told of a failure.
MAX_LENGTH = 1000


class Wrong(Exception):
    """Something is not what it should be."""


def expect(what, found, wanted):
    if found != wanted:
        raise Wrong(f"{what}: expected {wanted!r}, got {found!r}")


def one_line(text):
    return " ".join(str(text).split())[:MAX_LENGTH]


def passed(name):
    print(f"ok {name}", flush=True)


def failed(name, why):
    print(f"FAILED {name}: {one_line(why)}", flush=True)


@contextmanager
def check(name):
    """What is done within has to succeed; whatever it raises is told in the line."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a check that breaks down has failed, and the others go on
        failed(name, f"{type(error).__name__} {error}")
    else:
        passed(name)


@contextmanager
def refused(name, refusals):
    """What is done within has to raise one of these."""
    try:
        yield
    except refusals:
        passed(name)
    except Exception as error:  # noqa: BLE001 - as above
        failed(name, f"{type(error).__name__} {error}")
    else:
        failed(name, "accepted")
