"""Organisations, intermediates and members of OpenSSL's making, and what they sign."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import der
from libcrypto import CMS_NOATTR, V_ASN1_SEQUENCE, V_ASN1_UTF8STRING, Certificate, Key, sign_content
from record import records
from schemes import usual_digest

DOMAIN, USER, BOT = "example.com", "alice", "@"
SUBJECTS = {USER: f"{USER}@{DOMAIN}", BOT: DOMAIN}
TEST_SERVICE = der.object_identifier("1.3.6.1.4.1.58708.1.1")
METADATA_ATTRIBUTE, ATTRIBUTION_ATTRIBUTE = "1.3.6.1.4.1.58708.1.0", "1.3.6.1.4.1.58708.1.2"
CONTENT = "What OpenSSL signs: naïve “quotes” and all".encode()


class Party:
    """A key with a certificate by `issuer`, or by itself if there is none."""

    def __init__(self, name, algorithm, issuer=None, basic_constraints=None, key=None):
        self.name, self.algorithm = name, algorithm
        self.key = key or Key.generate(algorithm)
        extensions = {
            "keyUsage": "digitalSignature,keyCertSign" if basic_constraints else "digitalSignature",
            "subjectKeyIdentifier": "hash",
            "authorityKeyIdentifier": "keyid:always",
        }
        if basic_constraints:
            extensions["basicConstraints"] = f"critical,{basic_constraints}"
        issuer_certificate, issuer_key = (issuer.certificate, issuer.key) if issuer else (None, self.key)
        self.certificate = Certificate.issue(name, self.key, issuer_certificate, issuer_key, extensions)


class Writer:
    """Writes what an organisation answers for."""

    def __init__(self, theirs, organisation):
        self.theirs, self.organisation = theirs, organisation
        # The last one is the key itself where that can be.
        self.record = records(organisation.algorithm, organisation.key.public_der())[-1]

    def member_id(self, expected, label, member, intermediates=(), replaced=None):
        """A member id. Some parties' certificates may be replaced by other DER."""
        replaced = replaced or {}

        def certificate(party):
            return replaced.get(party) or party.certificate.der()

        self.theirs.write(
            "member-id",
            label,
            expected,
            record=self.record,
            organisation=certificate(self.organisation),
            member=certificate(member),
            intermediates=[certificate(intermediate) for intermediate in intermediates],
            subject=SUBJECTS[member.name],
            algorithm=member.algorithm,
        )

    def signature(self, expected, label, signer, signed_data):
        self.theirs.write(
            "signature",
            label,
            expected,
            record=self.record,
            organisation=self.organisation.certificate.der(),
            signed_data=signed_data,
            content=CONTENT,
            subject=SUBJECTS.get(signer.attribution or signer.party.name),
            signed_by="organisation" if signer.attribution else "member",
            algorithm=signer.party.algorithm,
        )


@dataclass
class Signer:
    """Who can sign content: with which certificates in the signature, and for whom if not for itself."""

    role: str
    party: Party
    certificates: list[Party]
    attribution: str | None = None

    def sign(self, flags=0, digest=None, signers=1):
        """A signature of `CONTENT` for the test service and ten minutes; gives a `ContentInfo`."""
        attributes = {METADATA_ATTRIBUTE: (V_ASN1_SEQUENCE, metadata())}
        if self.attribution:
            attributes[ATTRIBUTION_ATTRIBUTE] = (V_ASN1_UTF8STRING, self.attribution.encode())
        return sign_content(
            CONTENT,
            self.party.certificate,
            self.party.key,
            digest or usual_digest(self.party.algorithm),
            {} if flags & CMS_NOATTR else attributes,
            [party.certificate for party in self.certificates],
            flags,
            signers,
        )


def metadata():
    now = datetime.now(UTC)
    period = (now - timedelta(minutes=1), now + timedelta(minutes=9))
    period = (der.context(number, f"{time:%Y%m%d%H%M%SZ}".encode()) for number, time in enumerate(period))
    service = der.context(0, der.content(TEST_SERVICE))
    return der.sequence(service, der.context_constructed(1, *period))
