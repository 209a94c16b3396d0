"""HAProxy, by a program in Lua."""

from set_up import SetUp, example

SET_UP = SetUp(
    start=example("haproxy"),
    version=("haproxy", "-v"),
    packages=("haproxy",),
    http2=True,
)
