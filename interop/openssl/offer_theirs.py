"""What OpenSSL makes, right and wrong, for `openssl_exchange read`: keys, certificates and signatures.

    python offer_theirs.py THEIRS
"""

import sys
from functools import partial

from cryptography import x509

import alter
import pyca
import rows
from libcrypto import CMS_DETACHED, CMS_NO_SIGNING_TIME, Key
from offer_forms import offer_forms
from offer_keys import offer_keys
from offer_paths import offer_paths
from parties import BOT, DOMAIN, USER, Party, Signer, Writer
from record import ALGORITHMS
from schemes import schemes

RSA = ("rsa-2048", "rsa-3072", "rsa-4096")
# Whose keys certify an organisation's intermediate and member: algorithms so many places further on.
INTERMEDIATE_OFFSET, MEMBER_OFFSET = 1, 4

# What is to come of a signature with a digest, by what OpenSSL calls it. RSASSA-PSS and ECDSA use it themselves, beside
# the others only some may stand (RFC 4056 §3, RFC 5754 §3.3, RFC 8419 §3.1, RFC 9882 §3.3).
VALID, TOO_SHORT = "valid", "cms.digest_algorithm_mismatch"
OTHER_CURVE, UNUSED = "cms.signer_key_algorithm", "cms.unsupported_signature_algorithm"
DIGESTS = {
    **{algorithm: {"SHA256": VALID, "SHA384": VALID, "SHA512": VALID} for algorithm in RSA},
    "ed25519": {"SHA256": TOO_SHORT, "SHA384": TOO_SHORT, "SHA512": VALID},
    "ecdsa-p256": {"SHA256": VALID, "SHA384": OTHER_CURVE, "SHA512": UNUSED},
    "ecdsa-p384": {"SHA256": OTHER_CURVE, "SHA384": VALID, "SHA512": UNUSED},
    "ml-dsa-44": {"SHA256": VALID, "SHA384": VALID, "SHA512": VALID},
    "ml-dsa-65": {"SHA256": TOO_SHORT, "SHA384": VALID, "SHA512": VALID},
    "ml-dsa-87": {"SHA256": TOO_SHORT, "SHA384": TOO_SHORT, "SHA512": VALID},
}


def main(path):
    with rows.Writer(path) as theirs:
        offer_keys(theirs, ALGORITHMS)
        algorithms = [*ALGORITHMS]
        for place, algorithm in enumerate(algorithms):
            others = (algorithms[(place + offset) % len(algorithms)] for offset in (INTERMEDIATE_OFFSET, MEMBER_OFFSET))
            Organisation(algorithm, *others).offer(theirs)
        offer_rsa_members(theirs)
        offer_paths(theirs)
        offer_forms(theirs)


class Organisation:
    """An organisation with an intermediate that has certified a user, and with a bot that it has certified itself."""

    def __init__(self, algorithm, intermediate_algorithm, member_algorithm):
        self.algorithm = algorithm
        self.organisation = Party(f"{DOMAIN}.", algorithm, basic_constraints="CA:TRUE,pathlen:1")
        self.intermediate = Party("Staff", intermediate_algorithm, self.organisation, "CA:TRUE,pathlen:0")
        self.user = Party(USER, member_algorithm, self.intermediate)
        self.bot = Party(BOT, member_algorithm, self.organisation)
        self.signer = Signer("organisation", self.organisation, [], attribution=USER)
        self.signers = [
            self.signer,
            Signer("delegate", self.intermediate, [self.intermediate], attribution=BOT),
            Signer("user", self.user, [self.user, self.intermediate]),
            Signer("bot", self.bot, [self.bot]),
        ]
        self.name = f"OpenSSL’s {algorithm} organisation"

    def whose(self, role, party):
        return self.name if party is self.organisation else f"{self.name}’s {party.algorithm} {role}"

    def offer(self, theirs):
        writer = Writer(theirs, self.organisation)
        self.offer_members(writer)
        self.offer_members_by_cryptography(writer)
        self.offer_signatures(writer)
        self.offer_digests(writer)
        self.offer_altered(writer)
        self.offer_other_schemes(writer)

    def offer_members(self, writer):
        writer.member_id("valid", f"we verify {self.name}’s {self.bot.algorithm} bot", self.bot)
        label = f"we verify {self.name}’s {self.user.algorithm} user by a {self.intermediate.algorithm} intermediate"
        writer.member_id("valid", label, self.user, [self.intermediate])

    def offer_members_by_cryptography(self, writer):
        """Certificates by the other implementation, without key identifiers, for the same keys."""
        organisation_key, bot_key = (
            pyca.private_key(party.key.private_pem()) for party in (self.organisation, self.bot)
        )
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        name = self.organisation.name
        replaced = {
            self.organisation: pyca.issue(name, organisation_key.public_key(), name, organisation_key, constraints),
            self.bot: pyca.issue(BOT, bot_key.public_key(), name, organisation_key),
        }
        label = f"we verify cryptography’s {self.algorithm} organisation’s {self.bot.algorithm} bot"
        writer.member_id("valid", label, self.bot, replaced=replaced)

    def offer_signatures(self, writer):
        for signer in self.signers:
            for presence, presence_flag in ("attached", 0), ("detached", CMS_DETACHED):
                for time, time_flag in ("with its time", 0), ("without its time", CMS_NO_SIGNING_TIME):
                    label = f"we verify a signature by {self.whose(signer.role, signer.party)}, {presence}, {time}"
                    writer.signature("valid", label, signer, signer.sign(presence_flag | time_flag))

    def offer_digests(self, writer):
        for digest, expected in DIGESTS[self.algorithm].items():
            label = f"we {'verify' if expected == VALID else 'refuse'} a signature by {self.name} with {digest}"
            writer.signature(expected, label, self.signer, self.signer.sign(digest=digest))

    def offer_altered(self, writer):
        roles = {"organisation": self.organisation, "intermediate": self.intermediate, "user": self.user}
        for part in alter.CERTIFICATE_PARTS:
            for role, party in roles.items():
                label = f"we refuse the certificate of {self.whose(role, party)} with a bit turned in {part}"
                replaced = {party: alter.certificate(party.certificate.der(), part)}
                writer.member_id("x509.bad_signature", label, self.user, [self.intermediate], replaced)
        for part in alter.SIGNED_DATA_PARTS:
            for signer in self.signers:
                label = f"we refuse a signature by {self.whose(signer.role, signer.party)} with a bit turned in {part}"
                writer.signature("cms.bad_signature", label, signer, alter.SignerInfo(signer.sign()).altered(part))

    def offer_other_schemes(self, writer):
        """Certificates and a signature signed anew by the organisation's key, in ways right and wrong."""
        for scheme in schemes(self.algorithm):
            in_certificate, in_signed_data = scheme.reasons
            sign = partial(scheme.sign, self.organisation.key)
            for party in self.organisation, self.bot:
                replaced = {party: alter.resign_certificate(party.certificate.der(), sign, scheme.identifier)}
                label = f"we {scheme.verb} the certificate of {self.whose('bot', party)}, signed {scheme.label}"
                writer.member_id(in_certificate, label, self.bot, replaced=replaced)
            label = f"we {scheme.verb} a signature by {self.name}, signed {scheme.label}"
            signer_info = alter.SignerInfo(self.signer.sign(digest=scheme.content_digest))
            writer.signature(in_signed_data, label, self.signer, signer_info.resigned(sign, scheme.identifier))


def offer_rsa_members(theirs):
    """Keys that no record can name, but which members may have (RFC 4055 §1.2, §3.1)."""
    pss_with_sha_256 = {"digest": "SHA256", "mgf1-digest": "SHA256", "saltlen": 32}
    organisation = Party(f"{DOMAIN}.", "rsa-2048", basic_constraints="CA:TRUE,pathlen:0")
    writer = Writer(theirs, organisation)
    for bits, kind, parameters, label in (
        (2560, "RSA", {}, "rsa-2560"),
        (2048, "RSA-PSS", {}, "rsa-2048 (id-RSASSA-PSS)"),
        (2048, "RSA-PSS", pss_with_sha_256, "rsa-2048 (id-RSASSA-PSS with SHA-256)"),
    ):
        key = Key.generate_as(kind, {"bits": bits, **parameters})
        user = Party(USER, f"rsa-{bits}", organisation, key=key)
        writer.member_id("valid", f"we verify OpenSSL’s {label} user", user)
        signer = Signer("user", user, [user])
        label = f"we verify a signature by OpenSSL’s {label} user"
        writer.signature("valid", label, signer, signer.sign(digest="SHA256"))


if __name__ == "__main__":
    main(*sys.argv[1:])
