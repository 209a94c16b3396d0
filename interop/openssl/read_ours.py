"""What `openssl_exchange offer` makes, read by OpenSSL: keys, certificates, paths and signatures of every algorithm.

    python read_ours.py OURS ALTERED

OpenSSL then has to refuse each certificate and signature with a bit turned. Those go to ALTERED, for
`openssl_exchange read` to refuse them as well.
"""

import sys

import alter
import der
import libcrypto
import pyca
import rows
from libcrypto import Certificate, Key
from offer_keys import is_expanded
from record import records
from refusals import refused
from report import check, expect

# Who issues whose certificate, and whose key it is that signs content.
ISSUERS = {
    "organisation": "organisation",
    "intermediate": "organisation",
    "user": "intermediate",
    "bot": "organisation",
}
SIGNERS = {"organisation": "organisation", "delegate": "intermediate", "user": "user", "bot": "bot"}
# Elements of a signature bundle.
ORGANISATION_CERTIFICATE, SIGNATURE = 2, 3


def main(ours, altered):
    with rows.Writer(altered) as altered:
        for row in rows.read(ours):
            organisation = Organisation(row)
            organisation.check_keys()
            organisation.check_certificates(altered)
            organisation.check_paths()
            organisation.check_signatures(altered)


class Organisation:
    """An organisation of ours, with its intermediate, its members and their signatures."""

    def __init__(self, row):
        self.record = row["record"]
        self.content = rows.octets(row["content"])
        self.parties = {
            role: {field: value.encode() for field, value in party.items()} for role, party in row["parties"].items()
        }
        self.certificates = {role: Certificate.from_pem(party["certificate"]) for role, party in self.parties.items()}
        self.anchor = self.certificates["organisation"]
        self.signatures = [(signature["signer"], rows.octets(signature["bundle"])) for signature in row["signatures"]]

    def algorithm(self, role):
        return self.parties[role]["algorithm"].decode()

    def whose(self, role):
        organisation = f"our {self.algorithm('organisation')} organisation"
        return organisation if role == "organisation" else f"{organisation}’s {self.algorithm(role)} {role}"

    def check_keys(self):
        with check(f"the record of {self.whose('organisation')} names its key"):
            public_der = self.anchor.key().public_der()
            expect("names the key", self.record in records(self.algorithm("organisation"), public_der), True)
        for role, party in self.parties.items():
            with check(f"OpenSSL reads the key of {self.whose(role)}"):
                key = Key.from_private_pem(party["private_key"])
                key.check_pair()
                expect("algorithm", key.algorithm(), self.algorithm(role))
                expect("public key", key.public_pem(), party["public_key"])
                expect("key of the certificate", self.certificates[role].key().public_pem(), party["public_key"])
            with check(f"cryptography reads the public key of {self.whose(role)}"):
                expect("algorithm", pyca.algorithm(pyca.public_key(party["public_key"])), self.algorithm(role))
            # Of ML-DSA it reads seeds alone, which not every build of ours makes.
            if not is_expanded(self.algorithm(role), party["private_key"]):
                with check(f"cryptography reads the private key of {self.whose(role)}"):
                    expect("public key", pyca.public_pem(pyca.private_key(party["private_key"])), party["public_key"])

    def check_certificates(self, altered):
        for role, issuer in ISSUERS.items():
            certificate, issuer_key = self.certificates[role], self.certificates[issuer].key()
            label = f"the certificate of {self.whose(role)}"
            with check(f"OpenSSL verifies {label}"):
                certificate.verify_signature(issuer_key)
            with check(f"cryptography verifies {label}"):
                pyca.verify_issued(self.parties[role]["certificate"], self.parties[issuer]["certificate"])
            for part in alter.CERTIFICATE_PARTS:
                spoiled = alter.certificate(certificate.der(), part)
                with refused(f"OpenSSL refuses {label} with a bit turned in {part}"):
                    Certificate.from_der(spoiled).verify_signature(issuer_key)
                self.write_member_id(altered, f"we refuse {label} with a bit turned in {part}", role, spoiled)

    def write_member_id(self, altered, label, role, spoiled):
        certificates = {role: certificate.der() for role, certificate in self.certificates.items()} | {role: spoiled}
        altered.write(
            "member-id",
            label,
            "x509.bad_signature",
            record=self.record,
            organisation=certificates["organisation"],
            member=certificates["bot" if role == "bot" else "user"],
            intermediates=[] if role == "bot" else [certificates["intermediate"]],
        )

    def check_paths(self):
        user, bot, intermediate = (self.certificates[role] for role in ("user", "bot", "intermediate"))
        with check(f"OpenSSL verifies the path to {self.whose('user')} over the intermediate"):
            libcrypto.verify_path(user, [intermediate], self.anchor)
        with check(f"OpenSSL verifies the path to {self.whose('bot')}"):
            libcrypto.verify_path(bot, [], self.anchor)
        with refused(f"OpenSSL refuses the path to {self.whose('user')} without the intermediate"):
            libcrypto.verify_path(user, [], self.anchor)

    def check_signatures(self, altered):
        for signer, bundle in self.signatures:
            elements = der.elements(bundle)
            certificate, signed_data = (
                der.retag(der.SEQUENCE, elements[number]) for number in (ORGANISATION_CERTIFICATE, SIGNATURE)
            )
            attached = self.content in signed_data
            kind = ("an attached" if attached else "a detached") + (" delegated" if signer == "delegate" else "")
            label = f"{kind} signature by {self.whose(SIGNERS[signer])}"
            with check(f"OpenSSL verifies {label}"):
                expect("certificate", certificate, self.anchor.der())
                self.verify(signed_data, self.content, attached)
            signer_info = alter.SignerInfo(signed_data)
            with check(f"cryptography verifies {label}"):
                key = pyca.public_key(self.parties[SIGNERS[signer]]["public_key"])
                pyca.verify(key, signer_info.signature(), signer_info.message())
            for part in alter.SIGNED_DATA_PARTS:
                spoiled = signer_info.altered(part)
                self.check_refused(altered, label, part, "cms.bad_signature", spoiled, self.content, attached)
            other = alter.turn_last_bit(self.content)
            spoiled = signed_data.replace(self.content, other)
            self.check_refused(altered, label, "its content", "cms.digest_mismatch", spoiled, other, attached)

    def check_refused(self, altered, label, part, reason, signed_data, content, attached):
        label = f"{label} with a bit turned in {part}"
        with refused(f"OpenSSL refuses {label}"):
            self.verify(signed_data, content, attached)
        altered.write(
            "signature",
            f"we refuse {label}",
            reason,
            record=self.record,
            organisation=self.anchor.der(),
            signed_data=signed_data,
            content=content,
        )

    def verify(self, signed_data, content, attached):
        # The organisation's certificate is not repeated in the signature.
        found = libcrypto.verify_content(signed_data, self.anchor, None if attached else content, [self.anchor])
        expect("content", found, content)


if __name__ == "__main__":
    main(*sys.argv[1:])
