"""Paths that are right and wrong, which OpenSSL judges as they are made, for `openssl_exchange read`."""

import libcrypto
from parties import BOT, DOMAIN, USER, Party, Writer
from refusals import refused
from report import check

TOO_LONG = "x509.path_length_exceeded"
CA = "CA:TRUE"
# What the organisation and its intermediates are allowed, from above downwards, and what OpenSSL and we are to say.
PATHS = (
    ("two intermediates, as many as are allowed", (f"{CA},pathlen:2", f"{CA},pathlen:1", f"{CA},pathlen:0"), "valid"),
    ("two intermediates and no bounds", (CA, CA, CA), "valid"),
    ("one intermediate more than the organisation allows", (f"{CA},pathlen:0", CA), TOO_LONG),
    ("two intermediates, one more than the organisation allows", (f"{CA},pathlen:1", CA, CA), TOO_LONG),
    ("two intermediates, of which the upper one allows no other", (CA, f"{CA},pathlen:0", CA), TOO_LONG),
    ("an intermediate that is no CA", (CA, "CA:FALSE"), "x509.intermediate_not_ca"),
    ("an intermediate without basic constraints", (CA, None), "x509.intermediate_not_ca"),
    ("an organisation that is no CA", ("CA:FALSE",), "x509.organisation_not_ca"),
)


def offer_paths(theirs):
    """Paths of Ed25519 keys."""
    for label, constraints, expected in PATHS:
        organisation = Party(f"{DOMAIN}.", "ed25519", basic_constraints=constraints[0])
        intermediates = []
        for number, constraint in enumerate(constraints[1:]):
            issuer = intermediates[-1] if intermediates else organisation
            intermediates.append(Party(f"Unit {number}", "ed25519", issuer, constraint))
        user = Party(USER, "ed25519", intermediates[-1] if intermediates else organisation)
        offer_path(theirs, label, expected, organisation, intermediates, user)

    # A CA's certificate for itself counts against no path length (RFC 5280 §4.2.1.9).
    organisation = Party(f"{DOMAIN}.", "ed25519", basic_constraints=f"{CA},pathlen:0")
    renewed = Party(f"{DOMAIN}.", "ed25519", organisation, CA)
    user = Party(USER, "ed25519", renewed)
    offer_path(theirs, "a new key of the organisation’s between", "valid", organisation, [renewed], user)

    # Whoever has a name has not its key.
    stranger = Party(f"{DOMAIN}.", "ed25519", basic_constraints=CA)
    user = Party(USER, "ed25519", stranger)
    offer_path(theirs, "an organisation of the same name", "x509.key_identifier_mismatch", organisation, [], user)

    # Nor has a member a CA's powers.
    member = Party(BOT, "ed25519", organisation)
    user = Party(USER, "ed25519", member)
    offer_path(theirs, "a member for an issuer", "x509.intermediate_not_ca", organisation, [member], user)


def offer_path(theirs, label, expected, organisation, intermediates, user):
    judge, verb = (check, "verify") if expected == "valid" else (refused, "refuse")
    with judge(f"OpenSSL has to {verb} a path with {label}"):
        certificates = [intermediate.certificate for intermediate in intermediates]
        libcrypto.verify_path(user.certificate, certificates, organisation.certificate)
    Writer(theirs, organisation).member_id(expected, f"we {verb} a path with {label}", user, intermediates)
