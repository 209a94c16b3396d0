//! Attacks by certificates, content and names.

use kliento::veraid::{Dialect, IntermediateCertificate, MemberCertificate, SigningKey};

use super::der::{
    AUTHORITY_KEY_B, CA, COMMON_NAME, Certificate, SUBJECT_KEY_A, UNIT, name, rsa_spki, wide_name,
};
use super::{
    AUDIENCE, Attacker, LARGEST_EXPONENT, MANY_LABELS, Made, Outcome, many_claims, modulus,
    pointer_to,
};

impl Attacker {
    /// Intermediates of one name, and a member certificate that any of them may have signed.
    pub(super) fn large_keys(&self, intermediates: usize) -> Made {
        let scene = self.one_zone_of(Dialect::DomainAuth)?;
        let responses = scene.responses();
        let issuer = name(COMMON_NAME, "e.com.");
        let subject = name(UNIT, "i");
        let certificates = (0..intermediates)
            .map(|number| {
                let spki = rsa_spki(&modulus(8_192, number), &LARGEST_EXPONENT);
                let certificate = Certificate {
                    serial_number: u8::try_from(number % 100)?,
                    issuer: &issuer,
                    subject: &subject,
                    spki: &spki,
                    extensions: CA,
                };
                let der = certificate.signed(|signed| {
                    let scheme = self
                        .organisation
                        .public_key()
                        .algorithm()
                        .signature_scheme();
                    self.organisation.sign(signed, scheme).unwrap_or_default()
                });
                Ok(IntermediateCertificate::from_der(&der)?)
            })
            .collect::<Outcome<Vec<_>>>()?;
        let mut forged = modulus(8_192, 77);
        if let Some(first) = forged.first_mut() {
            *first = 1;
        }
        let member = Certificate {
            serial_number: 127,
            issuer: &subject,
            subject: &name(COMMON_NAME, "alice"),
            spki: self.member.public_key().as_spki_der(),
            extensions: b"",
        };
        let member = MemberCertificate::from_der(&member.signed(|_| forged))?;
        self.by_given_member(&scene, &responses, member, certificates)
    }

    /// Intermediates with long names: three issue each other, so that they can follow each other in any order, one leads
    /// to the organisation, and the others have names that only differ at the end.
    pub(super) fn paths(&self, intermediates: usize) -> Made {
        let scene = self.one_zone_of(Dialect::DomainAuth)?;
        let responses = scene.responses();
        let long = "x".repeat(130);
        let same = wide_name(COMMON_NAME, &long);
        let organisation = name(COMMON_NAME, "e.com.");
        let spki = rsa_spki(&modulus(2_048, 0), &[1, 0, 1]);
        let certificates = (0..intermediates)
            .map(|number| {
                let other = wide_name(COMMON_NAME, &format!("{long}{number}"));
                let (issuer, subject, extensions) = match number {
                    0 => (&organisation, &same, [CA, SUBJECT_KEY_A].concat()),
                    1..=3 => (&same, &same, [CA, AUTHORITY_KEY_B].concat()),
                    _ => (&same, &other, CA.to_vec()),
                };
                let certificate = Certificate {
                    serial_number: u8::try_from(number % 100)?,
                    issuer,
                    subject,
                    spki: &spki,
                    extensions: &extensions,
                };
                Ok(IntermediateCertificate::from_der(
                    &certificate.signed(|_| vec![0; 1]),
                )?)
            })
            .collect::<Outcome<Vec<_>>>()?;
        let member = Certificate {
            serial_number: 127,
            issuer: &same,
            subject: &name(COMMON_NAME, "alice"),
            spki: self.member.public_key().as_spki_der(),
            extensions: b"",
        };
        let member = MemberCertificate::from_der(&member.signed(|_| vec![0; 1]))?;
        self.by_given_member(&scene, &responses, member, certificates)
    }

    pub(super) fn claims(&self, claims: usize) -> Made {
        let scene = self.one_zone()?;
        self.with_content(&scene, &many_claims(claims)?)
    }

    pub(super) fn nesting(&self, amount: usize) -> Made {
        let scene = self.one_zone()?;
        let nested = format!("{}{}", "[".repeat(120), "]".repeat(120));
        let escaped = format!("\"{}\"", "\\u00e9\\n".repeat(15));
        let members = (0..amount).map(|number| match number % 3 {
            0 => nested.as_str(),
            1 => escaped.as_str(),
            _ => "[1e300,-0.123456789012345678901234567890,18446744073709551615]",
        });
        let members: Vec<&str> = members.collect();
        let json = format!(
            "{{\"audience\":\"{AUDIENCE}\",\"x\":[{}]}}",
            members.join(",")
        );
        self.with_content(&scene, json.as_bytes())
    }

    /// Names that take many jumps each, in records that are as short as can be.
    pub(super) fn pointers(&self, records: usize) -> Made {
        let scene = self.one_zone()?;
        let mut messages = scene.responses().to_messages();
        let mut message = b"\0\0\x81\x80\0\x01".to_vec();
        let count = u16::try_from(records.saturating_add(1))?;
        message.extend(count.to_be_bytes());
        message.extend(b"\0\0\0\0\x01x\0\0\x10\0\x01");
        // The pointers stand in the data of the first record.
        message.extend(b"\xc0\x0c\0\x10\0\x01\0\0\0\0\0");
        message.push(u8::try_from(2 * MANY_LABELS)?);
        let mut target = 12;
        for _ in 0..MANY_LABELS {
            let here = message.len();
            message.extend(pointer_to(target)?);
            target = here;
        }
        let last = pointer_to(target)?;
        for _ in 0..records {
            message.extend(last);
            message.extend(b"\0\x10\0\x01\0\0\0\0\0\0");
        }
        messages.push(message);
        self.with_messages(&scene, &messages)
    }
}
