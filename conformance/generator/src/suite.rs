//! A level of the suite while it is put together.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use kliento_fixture_cases::tables::{self, Basis, Cases, Parts, Token};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::case::{Case, Input, Reading, Rule, rfc3339};

/// The source of rules that are choices or limits of this project.
const OURS: &str = "Kliento for Rust";

/// The cases of one level.
pub(crate) struct Suite {
    level: &'static str,
    group: &'static str,
    cases: BTreeMap<String, Case>,
}

/// What is asked, and what is expected of the answer.
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
        let id = format!("{}/valid/{}", self.level, slug(name));
        if !self.cases.contains_key(&id) {
            let case = self.case(
                id.clone(),
                None,
                "none: this is what other cases start from",
                "valid",
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
                    verdict: "valid",
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
            reason: (reason != "valid").then(|| reason.to_owned()),
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
