//! A level of the suite while it is put together.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use kliento_fixture_cases::chain::{Attempt, Style};
use kliento_fixture_cases::record_list::RecordList;
use kliento_fixture_cases::tables::dnssec::lists;
use kliento_fixture_cases::tables::{self, Basis, Cases, ChainCase, ListCase, Parts, Token};
use kliento_fixtures::{NXDOMAIN, Name, Record, Response, chain_der};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::case::{Case, Input, Reading, Rule, rfc3339};
use crate::records::Genuine;
use crate::seeded::seed;

/// The source of rules that are choices or limits of this project.
const OURS: &str = "Kliento for Rust";

/// The change of a case that others start from.
const UNCHANGED: &str = "none: this is what other cases start from";

/// The cases of one level.
pub(crate) struct Suite {
    level: &'static str,
    group: &'static str,
    cases: BTreeMap<String, Case>,
}

/// A question, and the expected answer.
struct Question {
    input: Input,
    expected: Value,
}

impl Suite {
    pub(crate) fn new(level: &'static str) -> Self {
        Self {
            level,
            group: "",
            cases: BTreeMap::new(),
        }
    }

    /// Adds a valid case that others start from, unless it is there. Returns its id.
    fn base(&mut self, name: &str, question: impl FnOnce() -> Question) -> String {
        self.base_with(name, "valid", question)
    }

    /// The same, for another verdict that is no refusal.
    fn base_with(
        &mut self,
        name: &str,
        verdict: &'static str,
        question: impl FnOnce() -> Question,
    ) -> String {
        let id = format!("{}/valid/{}", self.level, slug(name));
        if !self.cases.contains_key(&id) {
            let case = self.case(
                id.clone(),
                None,
                UNCHANGED,
                verdict,
                Basis::default(),
                question(),
            );
            self.cases.insert(id.clone(), case);
        }
        id
    }

    /// Adds a case that differs from `base` in one thing.
    fn add(
        &mut self,
        base: String,
        change: &str,
        reason: &'static str,
        basis: Basis,
        question: Question,
    ) {
        let base_name = base.rsplit('/').next().unwrap_or_default();
        let id = format!("{}/{}/{base_name}/{}", self.level, self.group, slug(change));
        let case = self.case(id.clone(), Some(base), change, reason, basis, question);
        let previous = self.cases.insert(id.clone(), case);
        assert!(previous.is_none(), "two cases are called {id}");
    }

    fn case(
        &self,
        id: String,
        base: Option<String>,
        change: &str,
        reason: &'static str,
        basis: Basis,
        question: Question,
    ) -> Case {
        let rule = basis
            .rule
            .unwrap_or_else(|| tables::rule_of(self.level, reason));
        let readings = |readings: &[tables::Reading]| {
            let readings = readings.iter().map(|reading| Reading {
                verdict: reading.verdict,
                grounds: reading.grounds,
            });
            readings.collect::<Vec<Reading>>()
        };
        let debatable = match basis.debatable {
            Some(debatable) => Some(readings(debatable)),
            // A choice or a limit of ours, which no specification has.
            None if rule.source == OURS && reason != "valid" => Some(readings(&[
                tables::Reading {
                    verdict: "invalid",
                    grounds: rule.why,
                },
                tables::Reading {
                    verdict: if self.level == "dnssec" {
                        "proven"
                    } else {
                        "valid"
                    },
                    grounds: "No specification asks for that.",
                },
            ])),
            None => None,
        };
        Case {
            id,
            base,
            change: change.to_owned(),
            input: question.input.into_value(),
            expected: question.expected,
            reason: reason.contains('.').then(|| reason.to_owned()),
            rule: Rule {
                source: rule.source,
                section: rule.section,
            },
            why: rule.why.to_owned(),
            debatable,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.cases.len()
    }

    /// The file: one case a line, so that a change shows what it changes.
    pub(crate) fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Head {
            format: u8,
            level: &'static str,
        }
        let head = serde_json::to_string(&Head {
            format: 1,
            level: self.level,
        })
        .expect("a head is JSON");
        let cases: Vec<String> = self
            .cases
            .values()
            .map(|case| serde_json::to_string(case).expect("a case is JSON"))
            .collect();
        format!(
            "{},\"cases\":[\n{}\n]}}\n",
            head.trim_end_matches('}'),
            cases.join(",\n")
        )
    }
}

impl Cases for Suite {
    fn group(&mut self, group: &'static str) {
        self.group = group;
    }

    fn signature_bundle(&mut self, case: tables::Case<Parts>) {
        let good = case.good;
        let base = self.base(good().name, || signature_bundle(&good(), "valid"));
        let question = signature_bundle(&case.changed, case.reason);
        self.add(base, &case.change, case.reason, case.basis, question);
    }

    fn member_id_bundle(&mut self, case: tables::Case<Parts>) {
        let good = case.good;
        let name = format!("{} id", good().name);
        let base = self.base(&name, || member_id_bundle(&good(), "valid"));
        let question = member_id_bundle(&case.changed, case.reason);
        self.add(base, &case.change, case.reason, case.basis, question);
    }

    fn token_bundle(&mut self, case: tables::Case<Token>) {
        let good = case.good;
        let base = self.base(good().name, || token_bundle(&good(), "valid"));
        let question = token_bundle(&case.changed, case.reason);
        self.add(base, &case.change, case.reason, case.basis, question);
    }

    fn chain(&mut self, case: ChainCase) {
        let (good, style) = (case.good, case.style);
        let name = match style {
            Style::Nsec => format!("{} nsec", case.base),
            Style::Nsec3 => format!("{} nsec3", case.base),
        };
        let base = self.base_with(&name, case.base_verdict, || {
            seed(&name);
            chain(&good(style), case.base_verdict)
        });
        seed(&format!("{} {base} {}", self.group, case.change));
        let mut attempt = (case.start)(style);
        (case.make)(&mut attempt);
        let question = chain(&attempt, case.verdict);
        let reason = reason_of(case.verdict);
        self.add(base, &case.change, reason, case.basis, question);
    }

    fn list_base(&mut self, base: lists::Base) {
        seed(base.name);
        let question = list(&(base.good)(), base.verdict);
        let id = format!("{}/valid/{}", self.level, slug(base.name));
        let case = self.case(
            id.clone(),
            None,
            UNCHANGED,
            reason_of(base.verdict),
            base.basis,
            question,
        );
        self.cases.insert(id, case);
    }

    fn list(&mut self, case: ListCase) {
        let base = format!("{}/valid/{}", self.level, slug(case.base.name));
        // With the keys of the base, so that nothing but the change is different.
        seed(case.base.name);
        let mut changed = (case.base.good)();
        seed(&format!("{} {base} {}", self.group, case.change));
        (case.make)(&mut changed);
        let question = list(&changed, case.verdict);
        self.add(
            base,
            &case.change,
            reason_of(case.verdict),
            case.basis,
            question,
        );
    }

    fn authorization(&mut self, case: tables::Case<Token>, value: &[u8]) {
        let good = case.good;
        let base = self.base("header", || {
            let token = good();
            let value = format!("Kliento {}", BASE64.encode(&token.octets().0));
            authorization(&token, value.as_bytes(), "valid")
        });
        let question = authorization(&case.changed, value, case.reason);
        self.add(base, &case.change, case.reason, case.basis, question);
    }
}

fn signature_bundle(parts: &Parts, reason: &str) -> Question {
    let (bundle, anchors) = parts.build();
    let mut input = Input::new("signature-bundle", &anchors)
        .with_octets("bundle", &bundle)
        .with("service", parts.service)
        .with_period(parts.required);
    if let Some(content) = &parts.detached_content {
        input = input.with_octets("content", content);
    }
    let is_organisation = parts.signed_by_organisation || parts.delegate.is_some();
    let signed_by = json!({"signedBy": signed_by(is_organisation)});
    let expected = expected(reason, "example.com", parts.user, signed_by);
    Question { input, expected }
}

/// The verdict of a table as a reason code, or as the word by which its rule is found.
fn reason_of(verdict: &'static str) -> &'static str {
    match verdict {
        "dnssec.insecure_delegation" => "insecure",
        "dnssec.absent" => "nodata",
        _ if verdict.starts_with("insecure") => "insecure",
        _ => verdict,
    }
}

fn chain(attempt: &Attempt, verdict: &str) -> Question {
    let input = Input::new("chain", &attempt.anchors)
        .with_octets("chain", &chain_der(&attempt.messages()))
        .with("name", attempt.name.as_str())
        .with("type", mnemonic(attempt.record_type))
        .with_period(attempt.period);
    let asked = Name::from(attempt.name.as_str());
    let is_answer = |response: &&Response| response.is_for(&asked, attempt.record_type);
    let (answers, others): (Vec<&Response>, Vec<&Response>) =
        attempt.responses.0.iter().partition(is_answer);
    let genuine = Genuine {
        world: &attempt.world,
        period: attempt.period,
        answers: answers_of(&answers),
        others: answers_of(&others),
    };
    let expected = expected_of_chain(verdict, &genuine, &attempt.name, attempt.record_type);
    Question { input, expected }
}

fn list(list: &RecordList, verdict: &str) -> Question {
    let input = Input::new("authentication-chain", &list.anchors)
        .with_octets("chain", &list.to_wire())
        .with("name", list.name.as_str())
        .with("type", mnemonic(list.record_type))
        .with_period(list.period);
    let genuine = Genuine {
        world: &list.world,
        period: list.period,
        answers: vec![&list.records],
        others: Vec::new(),
    };
    let expected = expected_of_chain(verdict, &genuine, &list.name, list.record_type);
    Question { input, expected }
}

fn answers_of<'r>(responses: &[&'r Response]) -> Vec<&'r [Record]> {
    responses
        .iter()
        .map(|response| &response.answers[..])
        .collect()
}

fn expected_of_chain(verdict: &str, genuine: &Genuine<'_>, name: &str, record_type: u16) -> Value {
    match verdict {
        "proven" => {
            let records = genuine.resolve(name, record_type);
            let records: Vec<String> = records.iter().map(|rdata| BASE64.encode(rdata)).collect();
            json!({"verdict": "proven", "records": records})
        }
        "nxdomain" | "nodata" => json!({"verdict": "absent", "denial": verdict}),
        // The servers of the zone say which.
        "dnssec.absent" => {
            let denial = match genuine.world.answer(name, record_type).rcode {
                NXDOMAIN => "nxdomain",
                _ => "nodata",
            };
            json!({"verdict": "absent", "denial": denial})
        }
        "dnssec.insecure_delegation" => json!({"verdict": "insecure"}),
        _ if verdict.starts_with("insecure") => json!({"verdict": "insecure"}),
        _ => json!({"verdict": "invalid"}),
    }
}

/// A record type as zone files have it (RFC 3597 §5 for those without a mnemonic here).
fn mnemonic(record_type: u16) -> String {
    let known = match record_type {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        15 => "MX",
        16 => "TXT",
        28 => "AAAA",
        33 => "SRV",
        39 => "DNAME",
        43 => "DS",
        46 => "RRSIG",
        47 => "NSEC",
        48 => "DNSKEY",
        50 => "NSEC3",
        52 => "TLSA",
        _ => return format!("TYPE{record_type}"),
    };
    known.to_owned()
}

fn member_id_bundle(parts: &Parts, reason: &str) -> Question {
    let (bundle, anchors) = parts.build_member_id();
    let input = Input::new("member-id-bundle", &anchors)
        .with_octets("bundle", &bundle)
        .with("service", parts.service)
        .with_period(parts.required);
    let expected = expected(reason, "example.com", parts.user, json!({}));
    Question { input, expected }
}

fn token_bundle(token: &Token, reason: &str) -> Question {
    let (bundle, anchors) = token.octets();
    let input = Input::new("token-bundle", &anchors).with_octets("bundle", &bundle);
    token_question(token, input, reason)
}

fn authorization(token: &Token, value: &[u8], reason: &str) -> Question {
    let (_, anchors) = token.octets();
    let input = Input::new("authorization", &anchors).with_octets("value", value);
    token_question(token, input, reason)
}

fn token_question(token: &Token, input: Input, reason: &str) -> Question {
    let claims = token.claims.iter();
    let claims: Map<String, Value> = claims
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let more = json!({"signedBy": signed_by(token.signed_by_organisation), "claims": claims});
    Question {
        input: input
            .with("audience", token.audience)
            .with("time", rfc3339(token.time)),
        expected: expected(reason, token.domain, token.user, more),
    }
}

fn signed_by(is_organisation: bool) -> &'static str {
    if is_organisation {
        "organisation"
    } else {
        "member"
    }
}

fn expected(reason: &str, organisation: &str, user: Option<&str>, more: Value) -> Value {
    if reason != "valid" {
        return json!({"verdict": "invalid"});
    }
    let mut expected = json!({"verdict": "valid", "organisation": organisation, "user": user});
    if let (Some(expected), Value::Object(more)) = (expected.as_object_mut(), more) {
        expected.extend(more);
    }
    expected
}

/// A name for a part of an id: letters and digits of ASCII, in lower case, with hyphens between.
fn slug(text: &str) -> String {
    let words: Vec<String> = text
        .replace('\'', "")
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("-")
}
