"""Forms that CMS signatures can have elsewhere, good and bad, for `openssl_exchange read`."""

from libcrypto import CMS_NOATTR, CMS_STREAM, CMS_USE_KEYID
from parties import BOT, DOMAIN, USER, Party, Signer, Writer


def offer_forms(theirs):
    """By ECDSA keys, since those can sign in all forms."""
    organisation = Party(f"{DOMAIN}.", "ecdsa-p256", basic_constraints="CA:TRUE,pathlen:1")
    unit = Party("Staff", "ecdsa-p256", organisation, "CA:TRUE,pathlen:0")
    named = Party(BOT, "ecdsa-p256", organisation, "CA:TRUE,pathlen:0")
    user = Party(USER, "ecdsa-p256", unit)
    stranger = Party(f"{DOMAIN}.", "ecdsa-p256", basic_constraints="CA:TRUE")
    by_nobody = Signer("bot", organisation, [organisation])
    by_user = Signer("user", user, [user, unit])
    by_organisation = Signer("organisation", organisation, [], attribution=USER)
    writer = Writer(theirs, organisation)
    for label, signer, options, expected in (
        ("with the organisation’s certificate in it", Signer("user", user, [organisation, unit, user]), {}, "valid"),
        ("with a stranger’s certificate in it", Signer("user", user, [stranger, unit, user]), {}, "valid"),
        ("by an intermediate with a member’s name", Signer("bot", named, [named]), {}, "valid"),
        ("without the intermediate", Signer("user", user, [user]), {}, "x509.other_issuer"),
        ("without the signer’s certificate", Signer("user", user, [unit]), {}, "cms.no_signer_certificate"),
        ("by a member for another", Signer("user", user, [user, unit], BOT), {}, "veraid.attribution_by_member"),
        ("by the organisation for nobody", by_nobody, {}, "veraid.organisation_as_member"),
        ("of a signer named by key identifier", by_user, {"flags": CMS_USE_KEYID}, "cms.signer_identifier"),
        ("without signed attributes", by_user, {"flags": CMS_NOATTR}, "cms.missing_attribute"),
        ("by two signers", by_organisation, {"signers": 2}, "cms.signer_count"),
        ("of indefinite length", by_user, {"flags": CMS_STREAM}, "veraid.malformed_bundle"),
    ):
        label = f"we {'verify' if expected == 'valid' else 'refuse'} OpenSSL’s signature {label}"
        writer.signature(expected, label, signer, signer.sign(**options))
