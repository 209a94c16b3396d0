"""One line for each thing tried: `ok - LABEL` or `not ok - LABEL: WHY`. `.ci/openssl` counts them."""

from contextlib import contextmanager

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from libcrypto import OpenSslError

# What the implementations raise when they refuse something; anything else is a mistake of the caller's.
REFUSALS = (OpenSslError, InvalidSignature, UnsupportedAlgorithm, ValueError)


class Wrong(Exception):
    """Something was accepted, but it is not what it should be."""


def expect(found, wanted):
    if found != wanted:
        raise Wrong(f"expected {wanted!r}, got {found!r}")


@contextmanager
def accepted(label):
    """What is done within has to succeed."""
    try:
        yield
    except (*REFUSALS, Wrong) as error:
        print(f"not ok - {label}: {type(error).__name__} {error}", flush=True)
    else:
        print(f"ok - {label}", flush=True)


@contextmanager
def refused(label):
    """What is done within has to be refused."""
    try:
        yield
    except REFUSALS:
        print(f"ok - {label}", flush=True)
    else:
        print(f"not ok - {label}: accepted", flush=True)
