//! Rules: which tokens are taken for which hosts, paths and methods.
//!
//! The first rule that covers a request decides, and where none does, nobody gets through.

use std::collections::BTreeMap;

use kliento::veraid::{KeyAlgorithm, Organisation};
use kliento::{Audience, Requirements, SharedVerifier, SubjectPattern, Verifier};
use serde::{Deserialize, Deserializer, de};

use super::headers::{ClaimField, ClaimFields};
use super::host::{HostPattern, RequestHost};
use super::method::{MethodName, Methods, OPTIONS, RequestMethod};
use super::path::{Certainty, PathPrefix, RequestPath};
use super::refusal::RequestRefusal;
use crate::duration::Duration;
use crate::fault::Fault;
use crate::serve::config::{Several, Text, some};

/// `[[rules]]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct RuleConfig {
    /// `app.example.com`, or `*.example.com` for those below it; any if there is none.
    host: Text<HostPattern>,
    /// This path and all below it.
    path: Text<PathPrefix>,
    /// Requests with these methods; a request with another is for the rules below.
    #[serde(deserialize_with = "some")]
    methods: Vec<Text<MethodName>>,
    /// Takes requests without a token, and looks at none.
    public: bool,
    /// Takes CORS preflights, which browsers send without a token.
    preflights: bool,
    /// Takes the tokens of anybody who has a domain: for backends that decide by the subject themselves.
    anybody: bool,
    /// In place of the configuration's.
    audience: Option<Text<Audience>>,
    /// All members of these, and their bots.
    #[serde(deserialize_with = "some")]
    organisations: Vec<Text<Organisation>>,
    /// These, beside the organisations.
    #[serde(deserialize_with = "subjects")]
    subjects: Vec<Text<SubjectPattern>>,
    /// Claims that must be there, with the values that do. They are the word of the signer, so that a member can claim
    /// anything unless the organisation's signature is asked for.
    claims: BTreeMap<String, Several<String>>,
    /// Claims that must be there with any value.
    #[serde(deserialize_with = "some")]
    required_claims: Vec<String>,
    /// The signer whose signature it takes: either's if there is none.
    signed_by: Option<Signature>,
    #[serde(deserialize_with = "some")]
    key_algorithms: Vec<Text<KeyAlgorithm>>,
    /// The longest lifetime of a token.
    max_lifetime: Option<Text<Duration>>,
    /// Fields for claims whose names can't end that of a field.
    claim_headers: BTreeMap<String, Text<ClaimField>>,
    /// The position of the rule in the configuration, for people.
    #[serde(skip)]
    pub(crate) origin: Option<String>,
}

/// Patterns of subjects, one at least. Those who write `*` mean what another key says.
fn subjects<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Text<SubjectPattern>>, D::Error> {
    let texts: Vec<String> = some(deserializer)?;
    let patterns = texts.iter().map(|text| {
        text.parse().map(Text).map_err(|error| {
            let instead = if text == "*" {
                ", or anybody = true"
            } else {
                ""
            };
            de::Error::custom(format!("{error}{instead}"))
        })
    });
    patterns.collect()
}

/// The signer that a rule demands of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Signature {
    /// The member's own.
    Member,
    /// The organisation's, or that of somebody to whom it delegates: claims are its word then, and not the member's.
    Organisation,
}

impl RuleConfig {
    /// The rule that `--allow PATTERN`, given any number of times, comes to: any host and path, for these subjects.
    pub(crate) fn allowing(subjects: Vec<SubjectPattern>) -> Self {
        Self {
            subjects: subjects.into_iter().map(Text).collect(),
            ..Self::default()
        }
    }

    /// Host and path, as they are shown in errors.
    fn place(&self) -> String {
        format!("{}{}", self.host.0, self.path.0)
    }

    /// Tells whether anything is asked of a token, or of what is sent on of it.
    fn asks_for_a_token(&self) -> bool {
        let Self {
            host: _,
            path: _,
            methods: _,
            public: _,
            preflights: _,
            anybody,
            audience,
            organisations,
            subjects,
            claims,
            required_claims,
            signed_by,
            key_algorithms,
            max_lifetime,
            claim_headers,
            origin: _,
        } = self;
        *anybody
            || audience.is_some()
            || !organisations.is_empty()
            || !subjects.is_empty()
            || !claims.is_empty()
            || !required_claims.is_empty()
            || signed_by.is_some()
            || !key_algorithms.is_empty()
            || max_lifetime.is_some()
            || !claim_headers.is_empty()
    }

    /// Values that look like patterns and are none. They let nobody pass that they should not, and may let nobody pass at
    /// all.
    fn doubts(&self) -> Vec<String> {
        let subjects = self
            .subjects
            .iter()
            .map(|Text(subject)| subject.to_string());
        let subjects = subjects.filter(|subject| subject.contains(PATTERN_OF_SUBJECTS));
        let subjects = subjects.map(|subject| {
            format!(
                "{subject:?} in subjects: only * is a pattern, and all other characters are literal"
            )
        });
        let audience = self.audience.iter().map(|Text(audience)| audience.as_str());
        let values = self.claims.values().flat_map(|Several(values)| values);
        let values = values.map(String::as_str);
        let names = self
            .claims
            .keys()
            .chain(&self.required_claims)
            .map(String::as_str);
        let literal = audience.chain(values).chain(names);
        let literal = literal.filter(|text| text.contains('*'));
        let literal =
            literal.map(|text| format!("{text:?} is compared byte by byte, so its * is literal"));
        subjects.chain(literal).collect()
    }

    /// Anybody with a domain can make valid tokens, so to take them all has to be asked for.
    fn check_who(&self, requirements: &Requirements) -> Result<(), &'static str> {
        match (requirements.allows_anybody(), self.anybody) {
            (true, false) => Err(
                "it does not say who may pass: name organisations or subjects, or write `anybody = true` for everybody \
                 who has a domain that is signed with DNSSEC",
            ),
            (false, true) => Err(
                "`anybody` accepts everybody who has a domain: leave it out, or leave organisations and subjects out",
            ),
            _ => Ok(()),
        }
    }

    fn requirements(&self) -> Result<Requirements, String> {
        let mut requirements = admitting(&self.organisations, &self.subjects);
        self.check_who(&requirements)?;
        for (name, Several(values)) in &self.claims {
            if values.is_empty() {
                return Err(format!(
                    "the claim {name:?} has an empty list of values: add some, or name the claim in required-claims to \
                     accept any value"
                ));
            }
            for value in values {
                requirements = requirements.with_claim(name, value);
            }
        }
        for name in &self.required_claims {
            requirements = requirements.with_claim_present(name);
        }
        requirements = match self.signed_by {
            None => requirements,
            Some(Signature::Member) => requirements.with_member_signature(),
            Some(Signature::Organisation) => requirements.with_organisation_signature(),
        };
        for Text(algorithm) in &self.key_algorithms {
            requirements = requirements.with_key_algorithm(*algorithm);
        }
        if let Some(Text(lifetime)) = self.max_lifetime {
            let lifetime = std::time::Duration::from_secs(lifetime.seconds());
            requirements = requirements.with_max_lifetime(lifetime);
        }
        Ok(requirements)
    }
}

/// Characters of regular expressions and shell patterns that the pattern of a subject takes for themselves.
const PATTERN_OF_SUBJECTS: [char; 11] = ['?', '[', ']', '{', '}', '(', ')', '|', '^', '$', '\\'];

/// Requirements that say who, and nothing else.
pub(crate) fn admitting(
    organisations: &[Text<Organisation>],
    subjects: &[Text<SubjectPattern>],
) -> Requirements {
    let requirements = Requirements::new();
    let requirements = organisations
        .iter()
        .fold(requirements, |requirements, Text(organisation)| {
            requirements.with_organisation(organisation.clone())
        });
    subjects
        .iter()
        .fold(requirements, |requirements, Text(pattern)| {
            requirements.with_subject(pattern.clone())
        })
}

/// One rule, ready to be applied.
#[derive(Debug)]
pub(crate) struct Rule {
    host: HostPattern,
    path: PathPrefix,
    methods: Methods,
    /// Methods, host and path, as they are shown.
    pub(crate) name: String,
    pub(crate) access: Access,
    /// True if CORS preflights pass without a token.
    pub(crate) preflights: bool,
    /// Under which names claims are sent on.
    pub(crate) claims: ClaimFields,
    /// A warning about what its author may have meant otherwise.
    doubts: Vec<String>,
}

/// The access that a rule gives.
#[derive(Debug)]
pub(crate) enum Access {
    /// Nothing.
    Public,
    /// A token that this verifier takes.
    Token(Verifier),
}

impl Rule {
    fn new(
        config: RuleConfig,
        audience: Option<&Audience>,
        verifier: &SharedVerifier,
    ) -> Result<Self, String> {
        let methods = config.methods.iter().map(|Text(method)| *method);
        let methods = Methods::new(methods.collect())?;
        if config.preflights && config.public {
            return Err("a public rule lets preflights pass anyway: leave the key out".to_owned());
        }
        if config.preflights && !methods.has_options() {
            return Err(format!(
                "preflights are requests with the method {OPTIONS}: add it to methods, or leave preflights out"
            ));
        }
        let doubts = config.doubts();
        let access = if config.public {
            if config.asks_for_a_token() {
                return Err(
                    "a public rule ignores tokens: leave out the keys that are about tokens"
                        .to_owned(),
                );
            }
            Access::Public
        } else {
            let own = config.audience.as_ref().map(|Text(audience)| audience);
            let audience = own.or(audience).ok_or(
                "no audience: give one here, or one for all rules at the top of the configuration",
            )?;
            let verifier = verifier.for_audience(audience.clone());
            Access::Token(verifier.with_requirements(config.requirements()?))
        };
        Ok(Self {
            name: format!("{methods}{}", config.place()),
            host: config.host.0,
            path: config.path.0,
            methods,
            access,
            preflights: config.preflights,
            claims: ClaimFields::new(config.claim_headers)?,
            doubts,
        })
    }

    fn covers(&self, asked: &Asked<'_>, path: Certainty, method: Certainty) -> bool {
        self.host.covers(asked.host)
            && self.methods.covers(asked.method, method)
            && self.path.covers(asked.path, path)
    }

    fn covers_all_of(&self, other: &Self) -> bool {
        self.host.covers_all_of(&other.host)
            && self.methods.covers_all_of(&other.methods)
            && self.path.covers_all_of(&other.path)
    }

    /// For people.
    fn summary(&self) -> String {
        match &self.access {
            Access::Public => format!("{}: no token needed", self.name),
            Access::Token(verifier) => {
                let (audience, whose) = (verifier.audience(), verifier.requirements());
                let preflights = if self.preflights {
                    "; CORS preflights without one"
                } else {
                    ""
                };
                format!(
                    "{}: tokens for {audience} of {whose}{preflights}",
                    self.name
                )
            }
        }
    }
}

/// The parts of a request that decide which rule is for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) host: &'a RequestHost,
    pub(crate) path: &'a RequestPath<'a>,
    pub(crate) method: RequestMethod<'a>,
}

/// All rules, in their order.
#[derive(Debug)]
pub(crate) struct Rules(Vec<Rule>);

impl Rules {
    /// Prepares what the configuration says; `audience` is for rules without one of their own.
    pub(crate) fn new(
        configs: Vec<RuleConfig>,
        audience: Option<&Audience>,
        verifier: &SharedVerifier,
    ) -> Result<Self, Fault> {
        let rules = configs.into_iter().enumerate().map(|(index, config)| {
            let name = config.place();
            let number = index.saturating_add(1);
            let origin = config.origin.clone().unwrap_or_default();
            Rule::new(config, audience, verifier)
                .map_err(|problem| format!("{origin}rule {number} ({name}): {problem}"))
        });
        let (mut sound, mut faults) = (Vec::new(), Vec::new());
        for rule in rules {
            match rule {
                Ok(rule) => sound.push(rule),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() {
            Ok(Self(sound))
        } else {
            Err(Fault::failures(faults))
        }
    }

    /// The rule for a request: the same one, however the backend reads its path and its method.
    pub(crate) fn find(&self, asked: &Asked<'_>) -> Result<&Rule, RequestRefusal> {
        use Certainty::{InEveryReading, InSomeReading};
        let first = |path, method| {
            self.0
                .iter()
                .position(|rule| rule.covers(asked, path, method))
        };
        let index = first(InEveryReading, InEveryReading);
        if index != first(InSomeReading, InSomeReading) {
            return Err(if index == first(InSomeReading, InEveryReading) {
                RequestRefusal::AmbiguousMethod
            } else {
                RequestRefusal::AmbiguousRule
            });
        }
        index
            .and_then(|index| self.0.get(index))
            .ok_or(RequestRefusal::NoRule)
    }

    pub(crate) fn summary(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(Rule::summary)
    }

    /// Warnings about what the owner can hardly have meant.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let unreachable = self.0.iter().enumerate().filter_map(|(index, rule)| {
            let before = self.0.iter().take(index);
            let above = before.into_iter().find(|above| above.covers_all_of(rule))?;
            Some(format!(
                "{} never applies, since {} comes before it: put the narrower rule first",
                rule.name, above.name
            ))
        });
        let doubts = self.0.iter().flat_map(|rule| {
            let name = &rule.name;
            rule.doubts
                .iter()
                .map(move |doubt| format!("{name}: {doubt}"))
        });
        unreachable.chain(doubts).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::RuleConfig;

    #[test]
    fn a_list_without_anybody_does_not_stand_for_everybody() {
        for list in [
            "organisations",
            "subjects",
            "key-algorithms",
            "required-claims",
        ] {
            let error = toml::from_str::<RuleConfig>(&format!("{list} = []")).unwrap_err();
            assert!(error.message().contains("list is empty"), "{list}: {error}");
        }
    }
}
