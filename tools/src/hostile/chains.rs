//! Attacks by the DNSSEC chain.

use kliento::veraid::Dialect;
use kliento_fixtures::hostile::{add_keys, colliding_keys};
use kliento_fixtures::{
    Algorithm, CNAME, DNAME, DNSKEY, DS, Key, KeyRole, NSEC, NSEC3, Name, Record, Response, TXT,
    WorldBuilder, ZONE_KEY, ZoneKey, nsec3_owner,
};

use super::{
    Attacker, DOMAIN, MANY_LABELS, MAX_LABELS, Made, Outcome, Scene, VALID_ZONES, many_claims,
    rsa_4096_with_tag_0, zone_at_depth,
};

impl Attacker {
    pub(super) fn deep_zones(&self, zones: usize, more_signatures: usize) -> Made {
        if zones > MAX_LABELS {
            return Ok(None);
        }
        let names: Vec<String> = (0..zones)
            .map(|depth| format!("{}{DOMAIN}.", "z.".repeat(depth)))
            .collect();
        let domain = names.last().ok_or("a zone at least")?;
        let scene = self.scene(domain.trim_end_matches('.'), Dialect::VeraId, |world| {
            names.iter().fold(world, |world, zone| {
                world.with_zone(self.p384(zone.as_str()))
            })
        })?;
        let mut responses = scene.responses();
        for response in &mut responses.0 {
            let question = response.questions.first().ok_or("a question")?.clone();
            // What the root and `com.` sign is not the attacker's.
            if question.name.label_count() < 2
                || (question.name.label_count() == 2 && question.record_type == DS)
            {
                continue;
            }
            let signing = scene.world.signing_for(question.name, question.record_type);
            for _ in 0..more_signatures {
                response.add_signature(&signing);
            }
        }
        self.by_organisation(&scene, &responses)
    }

    pub(super) fn deep_zones_and_records(&self, records: usize) -> Made {
        let scene = self.one_zone_too_many()?;
        let mut responses = scene.responses();
        let answer = responses.answer();
        for number in 0..records {
            let text = number.to_string();
            answer
                .answers
                .push(Record::txt(scene.owner.as_str(), &text));
        }
        self.by_organisation(&scene, &responses)
    }

    pub(super) fn deep_zones_and_claims(&self, claims: usize) -> Made {
        let scene = self.one_zone_too_many()?;
        self.with_content(&scene, &many_claims(claims)?)
    }

    pub(super) fn all_work(&self, records: usize) -> Made {
        /// With one more, the signature that is good is one too many.
        const FORGED: usize = 1;
        let other = ZoneKey::new(Key::generate(Algorithm::Ed25519), ZONE_KEY);
        let lowest = zone_at_depth(VALID_ZONES);
        let owner = format!("{}{lowest}", "a.".repeat(MANY_LABELS));
        let scene = self.scene(&owner, Dialect::VeraId, |world| {
            let above = self.p384_zones(world, VALID_ZONES - 1);
            above.with_zone(self.p384(&format!("{lowest}.")).extra_key(other.clone()))
        })?;
        let mut responses = scene.responses();
        let forging = scene
            .world
            .signing(format!("{lowest}.").as_str(), KeyRole::Zsk)
            .zone_key(other);
        let answer = responses.answer();
        answer.add_forged_signatures(&forging, FORGED);
        for _ in 0..records {
            let stray = Record::txt(scene.owner.as_str(), "");
            answer.additionals.push(stray);
        }
        self.by_organisation(&scene, &responses)
    }

    /// One more than there is work for, so that the last signature is too much.
    pub(super) fn one_zone_too_many(&self) -> Outcome<Scene> {
        let zones = VALID_ZONES + 1;
        let owner = format!("{}{}", "a.".repeat(MANY_LABELS), zone_at_depth(zones));
        self.scene(&owner, Dialect::VeraId, |world| {
            self.p384_zones(world, zones)
        })
    }

    /// So many zones of P-384, from the attacker's own downwards.
    pub(super) fn p384_zones(&self, world: WorldBuilder, zones: usize) -> WorldBuilder {
        (1..=zones).fold(world, |world, depth| {
            world.with_zone(self.p384(&format!("{}.", zone_at_depth(depth))))
        })
    }

    pub(super) fn colliding_keys(&self, keys: usize) -> Made {
        let scene = self.one_zone()?;
        let mut responses = scene.responses();
        let zone = format!("{DOMAIN}.");
        let mut signing = scene.world.signing(zone.as_str(), KeyRole::Zsk);
        let junk: Vec<ZoneKey> = (0..keys).map(rsa_4096_with_tag_0).collect();
        if let Some(key) = junk.first() {
            signing.key = key.clone();
        }
        let dnskeys = responses.of(zone.as_str(), DNSKEY);
        add_keys(dnskeys, &junk);
        scene.world.resign(dnskeys);
        let answer = responses.answer();
        let signed = answer.answers.clone();
        answer.drop_signatures();
        answer.add_forged_signatures(&signing, 8);
        answer.answers.extend(signed.into_iter().skip(1));
        self.by_organisation(&scene, &responses)
    }

    pub(super) fn forged_signatures(&self, signatures: usize) -> Made {
        let scene = self.one_zone()?;
        let mut responses = scene.responses();
        let signing = scene.world.signing("e.com.", KeyRole::Zsk);
        responses
            .answer()
            .drop_signatures()
            .add_forged_signatures(&signing, signatures)
            .add_signature(&signing);
        self.by_organisation(&scene, &responses)
    }

    /// Half of it large keys with the tag of the genuine one, half of it DS records with wrong digests.
    pub(super) fn wrong_digests(&self, amount: usize) -> Made {
        let scene = self.scene("z.e.com", Dialect::VeraId, |world| {
            world
                .with_zone(self.p384("e.com."))
                .with_zone(self.p384("z.e.com."))
        })?;
        let mut responses = scene.responses();
        let key = scene.world.signing("z.e.com.", KeyRole::Ksk).key;
        let keys = colliding_keys(key.key.algorithm(), key.key_tag(), amount);
        let dnskeys = responses.of("z.e.com.", DNSKEY);
        let genuine: Vec<Record> = dnskeys.drop_signatures().answers.drain(..).collect();
        add_keys(dnskeys, &keys);
        dnskeys.answers.extend(genuine);
        scene.world.resign(dnskeys);
        let ds = responses.of("z.e.com.", DS);
        let genuine = ds.of_type(DS).next().ok_or("a DS record")?.clone();
        for number in (0..amount).filter_map(|number| u32::try_from(number).ok()) {
            let mut wrong = genuine.clone();
            let start = wrong.rdata.len().saturating_sub(4);
            wrong.rdata.splice(start.., number.to_be_bytes());
            ds.answers.push(wrong);
        }
        scene.world.resign(ds);
        self.by_organisation(&scene, &responses)
    }

    pub(super) fn zone_keys(&self, keys: usize) -> Made {
        let scene = self.one_zone()?;
        let mut responses = scene.responses();
        let junk: Vec<ZoneKey> = (0..keys)
            .map(|_| ZoneKey::new(Key::random_junk(15), ZONE_KEY))
            .collect();
        let dnskeys = responses.of("e.com.", DNSKEY);
        add_keys(dnskeys, &junk);
        scene.world.resign(dnskeys);
        self.by_organisation(&scene, &responses)
    }

    pub(super) fn hashed_denials(&self, records: usize) -> Made {
        let domain = format!("{}{DOMAIN}", "a.".repeat(MAX_LABELS));
        let scene = self.scene(&domain, Dialect::VeraId, |world| {
            world.with_zone(self.p384("e.com."))
        })?;
        let mut responses = scene.responses();
        let answer = responses.answer();
        answer.answers.clear();
        for number in 0..records {
            let salt = number.to_be_bytes();
            let mut rdata = b"\x01\x00\x00\x64\x08".to_vec();
            rdata.extend(salt);
            rdata.push(20);
            rdata.extend([0; 20]);
            let owner = nsec3_owner("e.com.", scene.owner.as_str(), 100, &salt);
            answer.authorities.push(Record::new(owner, NSEC3, rdata));
        }
        self.by_organisation(&scene, &responses)
    }

    pub(super) fn denials(&self, records: usize) -> Made {
        let scene = self.one_zone()?;
        let mut responses = scene.responses();
        let signing = scene.world.signing("e.com.", KeyRole::Zsk).corrupt();
        let answer = responses.answer();
        answer.answers.clear();
        for number in (0..records).filter_map(|number| u16::try_from(number).ok()) {
            let mut rdata = Name::from("e.com.").wire().to_vec();
            rdata.extend(b"\0\x02");
            rdata.extend(number.to_be_bytes());
            let denial = Record::new("+.e.com.", NSEC, rdata);
            if number % 4 == 0 {
                let rrsig = signing.rrsig(std::slice::from_ref(&denial));
                answer.authorities.push(rrsig);
            }
            answer.authorities.push(denial);
        }
        self.by_organisation(&scene, &responses)
    }

    pub(super) fn records(&self, records: usize) -> Made {
        let scene = self.deep_and_narrow(MANY_LABELS)?;
        let mut responses = scene.responses();
        let answer = responses.answer();
        for number in 0..records {
            let text = number.to_string();
            answer
                .answers
                .push(Record::txt(scene.owner.as_str(), &text));
        }
        scene.world.resign(answer);
        self.by_organisation(&scene, &responses)
    }

    pub(super) fn unknown_signatures(&self, signatures: usize) -> Made {
        let scene = self.deep_and_narrow(8)?;
        let mut responses = scene.responses();
        let (signed_by, owner) = ("e.com.", scene.owner.clone());
        let signing = scene.world.signing(signed_by, KeyRole::Zsk);
        let answer = responses.answer();
        for number in (0..signatures).filter_map(|number| u16::try_from(number).ok()) {
            let mut rrsig = signing
                .clone()
                .key_tag(number)
                .forged_rrsig(&[Record::txt(owner.as_str(), "")]);
            rrsig.rdata.truncate(26 + 2);
            answer.answers.push(rrsig);
        }
        self.by_organisation(&scene, &responses)
    }

    pub(super) fn stale_signatures(&self, signatures: usize) -> Made {
        let scene = self.one_zone()?;
        let mut responses = scene.responses();
        let signing = scene.world.signing("e.com.", KeyRole::Zsk).expired();
        let answer = responses.answer();
        for number in (0..signatures).filter_map(|number| u16::try_from(number).ok()) {
            let mut rrsig = signing
                .clone()
                .key_tag(number)
                .forged_rrsig(&[Record::txt(scene.owner.as_str(), "")]);
            rrsig.rdata.truncate(26);
            answer.answers.push(rrsig);
        }
        self.by_organisation(&scene, &responses)
    }

    /// Each DS RRset says that all zones above signed it.
    pub(super) fn dead_end(&self, zones: usize, strays: usize) -> Made {
        let domain = format!("{}{DOMAIN}", "a.".repeat(MAX_LABELS));
        let scene = self.scene(&domain, Dialect::VeraId, |world| {
            world.with_zone(self.p384("e.com."))
        })?;
        let mut responses = scene.responses();
        let signing = scene.world.signing("e.com.", KeyRole::Zsk);
        let mut at = Name::from(scene.owner.as_str());
        let answer = responses.answer();
        answer.drop_signatures();
        let forge = |owner: &Name, record_type: u16, signer: &Name| {
            let record = Record::new(owner, record_type, b"\0\0\x0e\x02".as_slice());
            let mut rrsig = signing
                .clone()
                .signer(signer.clone())
                .forged_rrsig(std::slice::from_ref(&record));
            rrsig.rdata.truncate(18 + signer.wire().len());
            [record, rrsig]
        };
        let [_, rrsig] = forge(&at, TXT, &at);
        answer.answers.push(rrsig);
        for _ in 0..zones {
            let Some(parent) = at.parent() else {
                return Ok(None);
            };
            for (record_type, signer) in [(DNSKEY, &at), (DS, &parent)] {
                let mut response = Response::new(at.clone(), record_type);
                response.answers.extend(forge(&at, record_type, signer));
                responses.0.insert(0, response);
            }
            at = parent;
        }
        for number in 0..strays {
            let stray = Response::new(format!("{number}.").as_str(), DS);
            responses.0.insert(0, stray);
        }
        self.by_organisation(&scene, &responses)
    }

    pub(super) fn redirections(&self, amount: usize) -> Made {
        let scene = self.deep_and_narrow(MANY_LABELS + amount)?;
        let mut responses = scene.responses();
        let mut at = Name::from(scene.owner.as_str());
        let answer = responses.answer();
        answer.answers.clear();
        for _ in 0..amount.saturating_mul(4) {
            let dname = Record::of_name(scene.owner.as_str(), DNAME, ".");
            answer.answers.push(dname);
        }
        for _ in 0..amount {
            let Some(parent) = at.parent() else {
                break;
            };
            responses.0.insert(0, Response::new(parent.clone(), DNAME));
            at = parent;
        }
        self.by_organisation(&scene, &responses)
    }

    pub(super) fn aliases(&self, amount: usize) -> Made {
        let plain = self.one_zone()?;
        let text = plain.world.rrset(&plain.owner.as_str().into(), TXT);
        let text = text.first().ok_or("a record")?.rdata.clone();
        let scene = self.scene(DOMAIN, Dialect::VeraId, |world| {
            let world = world.with_zone(self.p384("e.com.")).record(Record::new(
                "end.e.com.",
                TXT,
                text.clone(),
            ));
            (0..8).fold(world, |world, number| {
                let (alias, target) = match number {
                    7 => ("c7.e.com.".to_owned(), "end.e.com.".to_owned()),
                    _ => (
                        format!("c{number}.e.com."),
                        format!("c{}.e.com.", number + 1),
                    ),
                };
                world.record(Record::of_name(alias.as_str(), CNAME, target.as_str()))
            })
        })?;
        let mut responses = scene.world.responses("c0.e.com.", TXT);
        let answer = responses.answer();
        let question = Name::from(scene.owner.as_str());
        for response in &mut answer.questions {
            response.name = question.clone();
        }
        let first = Record::of_name(scene.owner.as_str(), CNAME, "c1.e.com.");
        let signing = scene.world.signing("e.com.", KeyRole::Zsk);
        answer
            .answers
            .retain(|record| record.owner != Name::from("c0.e.com."));
        answer
            .answers
            .push(signing.rrsig(std::slice::from_ref(&first)));
        answer.answers.push(first);
        for _ in 0..amount {
            answer.answers.push(Record::txt("x.e.com.", ""));
        }
        self.by_organisation(&scene, &responses)
    }
}
