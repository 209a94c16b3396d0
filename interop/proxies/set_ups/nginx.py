"""nginx, by `auth_request`."""

from set_up import SetUp, example

SET_UP = SetUp(
    start=example("nginx"),
    version=("nginx", "-v"),
    packages=("nginx-light",),
    named_claims_alone=True,
)
