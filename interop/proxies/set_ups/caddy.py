"""Caddy, by `forward_auth`."""

from set_up import SetUp, example

SET_UP = SetUp(
    start=example("caddy"),
    version=("caddy", "version"),
    packages=("caddy",),
    named_claims_alone=True,
)
