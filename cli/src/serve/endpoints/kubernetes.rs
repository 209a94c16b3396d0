//! The webhook token authenticator of Kubernetes: `POST /kubernetes/token-review`.
//!
//! An API server that is started with `--authentication-token-webhook-config-file` sends each bearer token that it does
//! not know itself as a `TokenReview` (`authentication.k8s.io/v1`, or `v1beta1`, which is what it speaks unless told
//! otherwise by `--authentication-token-webhook-version`). The token is a bundle in Base64. The answer is of the version
//! that was asked in.
//!
//! | in Kubernetes | is | of `alice@example.com` |
//! |---|---|---|
//! | username | prefix and subject | `kliento:alice@example.com` |
//! | uid | the subject | `alice@example.com` |
//! | groups | all | `kliento:authenticated` |
//! | | the organisation | `kliento:organisation:example.com` |
//! | | each of the claim `groups-claim`, which commas part | `kliento:group:example.com:admins` |
//! | extra | `kliento.veraid.net/organisation`, `…/user`, `…/signed-by` | `example.com`, `alice`, `member` |
//! | | `kliento.veraid.net/claim-<name>` for each of `extra-claims` | its value |
//!
//! # Who can become what
//!
//! - Claims are the word of the signer. What a member signs says nothing about the groups that its organisation
//!   would put it in, so groups are taken only from tokens that the organisation signed itself.
//! - An organisation gives groups of its own, never those of another: its domain is part of their names.
//! - Names that start with `system:` are Kubernetes' own. None comes out, whatever a token claims: a prefix is neither
//!   empty, nor such a name, nor the beginning of `system:`.
//! - Anybody who has a domain can make tokens, so organisations or subjects must be named.
//! - The token must be for one of the audiences that are configured and, where the API server names some, for one of
//!   those too.
//! - Each request to the API server and each line of its audit log has all groups of its user, so somebody with more
//!   than [`MAX_GROUPS`] is refused, and so is an identity that takes more than [`MAX_ANSWER`] octets of JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response};
use kliento::veraid::{Organisation, SignedBy};
use kliento::{
    Audience, Requirements, SharedVerifier, SubjectPattern, VerifiedToken, Verifier, header,
};
use serde::{Deserialize, Serialize};

use super::gate::{Case, Gate, Presented};
use super::headers::is_plain_name;
use super::refusal::{NO_STORE, RequestRefusal, check_encoding};
use super::rules::admitting;
use super::{Body, full};
use crate::document::signer_name;
use crate::json::Object;
use crate::serve::Outcome;
use crate::serve::config::Text;
use crate::serve::limits::{BodyFault, MAX_ANSWER};

/// `[kubernetes]`
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Section")]
pub(crate) struct KubernetesConfig {
    /// The first of the audiences, one of which tokens must be for.
    audience: Audience,
    other_audiences: Vec<Audience>,
    requirements: Requirements,
    names: Names,
}

/// The section as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Section {
    audiences: Vec<Text<Audience>>,
    /// All members of these, and their bots.
    #[serde(default)]
    organisations: Vec<Text<Organisation>>,
    /// These, beside the organisations.
    #[serde(default)]
    subjects: Vec<Text<SubjectPattern>>,
    #[serde(default)]
    username_prefix: Text<Prefix>,
    #[serde(default)]
    group_prefix: Text<Prefix>,
    /// The claim with groups, in tokens that organisations signed; without it no groups are taken.
    groups_claim: Option<String>,
    /// Claims that are handed on as they are.
    #[serde(default)]
    extra_claims: Vec<String>,
}

impl TryFrom<Section> for KubernetesConfig {
    type Error = String;

    fn try_from(section: Section) -> Result<Self, String> {
        let requirements = admitting(&section.organisations, &section.subjects);
        if requirements.allows_anybody() {
            return Err(
                "[kubernetes] names neither organisations nor subjects, so anybody with a domain could sign in; name \
                 those that may, as in: organisations = [\"example.com\"]"
                    .to_owned(),
            );
        }
        let mut audiences = section.audiences.into_iter().map(|Text(audience)| audience);
        let audience = audiences.next().ok_or(
            "[kubernetes] names no audiences; name the audience of tokens for this cluster, as in: audiences = \
             [\"https://kubernetes.example.com\"]",
        )?;
        if let Some(claim) = section
            .extra_claims
            .iter()
            .find(|claim| !is_plain_name(claim))
        {
            return Err(format!(
                "[kubernetes] extra-claims: {claim:?} can't be part of a key; use lower-case letters, digits and \
                 hyphens"
            ));
        }
        Ok(Self {
            audience,
            other_audiences: audiences.collect(),
            requirements,
            names: Names {
                username_prefix: section.username_prefix.0,
                group_prefix: section.group_prefix.0,
                groups_claim: section.groups_claim,
                extra_claims: section.extra_claims,
            },
        })
    }
}

/// The prefix of names, which keeps them from being others'.
#[derive(Clone, Debug)]
struct Prefix(String);

/// Names that start so are Kubernetes' own: members of `system:masters` may do anything.
const RESERVED: &str = "system:";

impl Default for Prefix {
    fn default() -> Self {
        Self("kliento:".to_owned())
    }
}

impl FromStr for Prefix {
    type Err = String;

    /// Nothing that is put behind what this takes makes a name that is [`RESERVED`].
    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with(RESERVED) || RESERVED.starts_with(text) {
            return Err(format!(
                "{text:?} is not a safe prefix: with it, a token could get a name that starts with {RESERVED}; write \
                 kliento: for example"
            ));
        }
        if text.contains(char::is_control) {
            return Err(format!(
                "{text:?} is not a valid prefix: it has control characters"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The endpoint's name, for the record.
pub(crate) const NAME: &str = "kubernetes";
/// The path of the endpoint.
pub(crate) const PATH: &str = "/kubernetes/token-review";

const KIND: &str = "TokenReview";
const VERSIONS: [&str; 2] = ["authentication.k8s.io/v1", "authentication.k8s.io/v1beta1"];
const JSON: &str = "application/json";
/// API servers name those of their own, a few. Each that is named takes many times its text in memory, for as long as its
/// review waits.
const MAX_AUDIENCES: usize = 64;
/// Groups that an organisation may put a member in. Those who have more are refused, since to leave some out could take a
/// restriction away.
const MAX_GROUPS: usize = 64;
/// In front of the keys of extra facts, which are in lower case and below a domain.
const EXTRA: &str = "kliento.veraid.net/";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review {
    api_version: String,
    kind: String,
    spec: Object<Spec>,
}

#[derive(Deserialize)]
struct Spec {
    token: String,
    /// The audiences that the API server goes by; those that are configured if it names none.
    audiences: Option<Vec<String>>,
}

/// The token is not repeated, as it may be written down on the way.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    api_version: &'a str,
    kind: &'a str,
    status: Status<'a>,
}

#[derive(Serialize)]
struct Status<'a> {
    authenticated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audiences: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// Somebody, as Kubernetes knows people.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct User {
    username: String,
    uid: String,
    groups: Vec<String>,
    extra: BTreeMap<String, Vec<String>>,
}

#[derive(Debug)]
pub(crate) struct Kubernetes {
    /// For all audiences.
    verifier: Verifier,
    audiences: Vec<Audience>,
    names: Names,
    gate: Arc<Gate>,
}

impl Kubernetes {
    pub(crate) fn new(config: KubernetesConfig, shared: &SharedVerifier, gate: Arc<Gate>) -> Self {
        let shared = shared.with_requirements(config.requirements);
        let (first, others) = (config.audience, config.other_audiences);
        let verifier = shared.for_any_of(first.clone(), others.iter().cloned());
        let audiences = std::iter::once(first).chain(others).collect();
        Self {
            verifier,
            audiences,
            names: config.names,
            gate,
        }
    }

    /// The endpoint in a line, for people.
    pub(crate) fn summary(&self) -> String {
        let audiences: Vec<&str> = self.audiences.iter().map(Audience::as_str).collect();
        let audiences = audiences.join(" or ");
        let requirements = self.verifier.requirements();
        format!("{PATH}: tokens for {audiences} of {requirements}")
    }

    /// Answers a request, whose body is read when it is worth it.
    pub(crate) async fn answer(
        &self,
        request: &Parts,
        body: impl Future<Output = Result<Bytes, BodyFault>>,
    ) -> Response<Body> {
        let mut case = Case::new(NAME);
        if let Err(refusal) = check_request(request) {
            return self.refuse(&case, &refusal);
        }
        let review = match body.await {
            Ok(body) => read_review(&body),
            Err(fault) => Err(fault.into()),
        };
        let review = match review {
            Ok(review) => review,
            Err(refusal) => return self.refuse(&case, &refusal),
        };
        match self.authenticate(&mut case, &review).await {
            Ok((token, answer)) => {
                self.gate.record(&case, Ok(Some(&token)));
                respond(answer)
            }
            // There is a verdict, and the API server asked for nothing else.
            Err(refusal) if refusal.outcome() == Outcome::Deny => {
                self.gate.record(&case, Err(&refusal));
                let status = Status {
                    authenticated: false,
                    user: None,
                    audiences: None,
                    error: Some(refusal.reason()),
                };
                respond(review.answer(status))
            }
            Err(refusal) => self.refuse(&case, &refusal),
        }
    }

    fn refuse(&self, case: &Case<'_>, refusal: &RequestRefusal) -> Response<Body> {
        self.gate.record(case, Err(refusal));
        refusal.response()
    }

    /// Verifies the token, and gives the answer that says whose it is.
    async fn authenticate<'a>(
        &'a self,
        case: &mut Case<'a>,
        review: &Review,
    ) -> Result<(VerifiedToken, Vec<u8>), RequestRefusal> {
        let Object(spec) = &review.spec;
        if spec.token.trim() != spec.token {
            let detail = "there are spaces around the token";
            return Err(kliento::VerifyError::MalformedHeader { detail }.into());
        }
        let presented = Presented::Text(format!("{} {}", header::SCHEME, spec.token).into());
        let (cache, verdict) = self.gate.verify(&self.verifier, presented).await;
        case.cache = cache;
        let token = verdict?;
        let subject = || token.subject().to_owned();
        let audience = self
            .audiences
            .iter()
            .find(|audience| *audience == token.audience() && spec.asks_for(audience))
            .ok_or_else(|| RequestRefusal::OtherAudience {
                audience: token.audience().clone(),
                subject: subject(),
            })?;
        case.audience = Some(audience.as_str());
        let user = self
            .names
            .user(&token)
            .ok_or_else(|| RequestRefusal::TooManyGroups {
                most: MAX_GROUPS,
                subject: subject(),
            })?;
        let answer = review.answer(Status {
            authenticated: true,
            user: Some(user),
            audiences: Some([audience.as_str()]),
            error: None,
        });
        if answer.len() > MAX_ANSWER {
            return Err(RequestRefusal::IdentityTooLarge {
                fault: format!("the identity takes more than {MAX_ANSWER} bytes as a TokenReview"),
                subject: subject(),
            });
        }
        Ok((token, answer))
    }
}

impl Review {
    /// The answer, in the version that was asked in.
    fn answer(&self, status: Status<'_>) -> Vec<u8> {
        let answer = Answer {
            api_version: &self.api_version,
            kind: &self.kind,
            status,
        };
        // Text, booleans and maps with text for keys can always be written to memory.
        serde_json::to_vec(&answer).unwrap_or_default()
    }
}

impl Spec {
    /// Tells whether a token for `audience` is one that the API server would take.
    fn asks_for(&self, audience: &Audience) -> bool {
        let asked = self.audiences.as_deref().unwrap_or_default();
        asked.is_empty() || asked.iter().any(|asked| asked == audience.as_str())
    }
}

fn check_request(request: &Parts) -> Result<(), RequestRefusal> {
    if request.method != Method::POST {
        return Err(RequestRefusal::Method);
    }
    if !is_json(&request.headers) {
        return Err(RequestRefusal::MediaType);
    }
    check_encoding(&request.headers)
}

/// Tells whether the body says that it is JSON, or nothing.
fn is_json(fields: &HeaderMap) -> bool {
    fields.get_all(CONTENT_TYPE).iter().all(|value| {
        let media_type = value.to_str().unwrap_or("not ASCII").split(';').next();
        media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case(JSON))
    })
}

fn read_review(body: &[u8]) -> Result<Review, RequestRefusal> {
    let Object(review): Object<Review> = serde_json::from_slice(body)
        // The parser's message can quote the token.
        .map_err(|error| {
            let (line, column) = (error.line(), error.column());
            RequestRefusal::MalformedReview(format!(
                "its JSON is invalid at line {line} column {column}"
            ))
        })?;
    if review.kind != KIND {
        return Err(RequestRefusal::MalformedReview(format!(
            "its kind is not {KIND}"
        )));
    }
    if !VERSIONS.contains(&review.api_version.as_str()) {
        return Err(RequestRefusal::MalformedReview(format!(
            "its apiVersion is not {}",
            VERSIONS.join(" or ")
        )));
    }
    let audiences = review.spec.0.audiences.as_ref().map_or(0, Vec::len);
    if audiences > MAX_AUDIENCES {
        return Err(RequestRefusal::MalformedReview(format!(
            "it names {audiences} audiences; the limit is {MAX_AUDIENCES}"
        )));
    }
    Ok(review)
}

fn respond(answer: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(full(answer.into()));
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    fields.insert(CACHE_CONTROL, NO_STORE);
    response
}

/// The names that people have in the cluster.
#[derive(Clone, Debug)]
struct Names {
    username_prefix: Prefix,
    group_prefix: Prefix,
    groups_claim: Option<String>,
    extra_claims: Vec<String>,
}

impl Names {
    /// `None` if it is in too many groups.
    fn user(&self, token: &VerifiedToken) -> Option<User> {
        Some(User {
            username: format!("{}{}", self.username_prefix, token.subject()),
            uid: token.subject().to_owned(),
            groups: self.groups(token)?,
            extra: self.extra(token),
        })
    }

    fn groups(&self, token: &VerifiedToken) -> Option<Vec<String>> {
        let prefix = &self.group_prefix;
        let organisation = token.member_id().organisation();
        let mut claimed: Vec<&str> = Vec::new();
        for group in self.claimed_groups(token).split(',').map(str::trim) {
            let is_none = group.is_empty() || group.contains(char::is_control);
            if is_none || claimed.contains(&group) {
                continue;
            }
            if claimed.len() == MAX_GROUPS {
                return None;
            }
            claimed.push(group);
        }
        let mut groups = vec![
            format!("{prefix}authenticated"),
            format!("{prefix}organisation:{organisation}"),
        ];
        let claimed = claimed.into_iter();
        groups.extend(claimed.map(|group| format!("{prefix}group:{organisation}:{group}")));
        Some(groups)
    }

    /// Those that the organisation itself puts the member in.
    fn claimed_groups<'t>(&self, token: &'t VerifiedToken) -> &'t str {
        let claim = self
            .groups_claim
            .as_ref()
            .filter(|_| token.signed_by() == SignedBy::Organisation);
        claim
            .and_then(|claim| token.claims().get(claim))
            .unwrap_or_default()
    }

    fn extra(&self, token: &VerifiedToken) -> BTreeMap<String, Vec<String>> {
        let id = token.member_id();
        let user = id.user().map(|user| ("user".to_owned(), user.as_str()));
        let claims = self.extra_claims.iter().filter_map(|name| {
            let value = token.claims().get(name)?;
            Some((format!("claim-{name}"), value))
        });
        [
            ("organisation".to_owned(), id.organisation().as_str()),
            ("signed-by".to_owned(), signer_name(token.signed_by())),
        ]
        .into_iter()
        .chain(user)
        .chain(claims)
        .map(|(name, value)| (format!("{EXTRA}{name}"), vec![value.to_owned()]))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kliento::Token;
    use kliento::testing::TrustChain;
    use kliento::veraid::Member;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static CHAIN: LazyLock<TrustChain> = LazyLock::new(|| TrustChain::new("example.com", "alice"));

    const AUDIENCE: &str = "https://kubernetes.example.com";

    fn token(claims: &[(&str, &str)], by_organisation: bool) -> VerifiedToken {
        let claims = claims.iter().copied().collect();
        let token = Token::new(AUDIENCE.parse().unwrap()).with_claims(claims);
        let bundle = if by_organisation {
            CHAIN.organisation_token(&token, &Member::User("alice".parse().unwrap()))
        } else {
            CHAIN.token(&token)
        };
        CHAIN.verifier(AUDIENCE).verify_bundle(&bundle).unwrap()
    }

    fn names() -> Names {
        Names {
            username_prefix: Prefix::default(),
            group_prefix: Prefix::default(),
            groups_claim: Some("groups".to_owned()),
            extra_claims: vec!["team".to_owned(), "absent".to_owned()],
        }
    }

    #[test]
    fn names_people_as_documented() {
        let claims = [("groups", "admins, dev"), ("team", "a"), ("other", "b")];
        let user = names().user(&token(&claims, true)).unwrap();
        assert_eq!(user.username, "kliento:alice@example.com");
        assert_eq!(user.uid, "alice@example.com");
        assert_eq!(
            user.groups,
            [
                "kliento:authenticated",
                "kliento:organisation:example.com",
                "kliento:group:example.com:admins",
                "kliento:group:example.com:dev",
            ]
        );
        let extra: Vec<(&str, &str)> = user
            .extra
            .iter()
            .map(|(key, values)| (key.as_str(), values[0].as_str()))
            .collect();
        assert_eq!(
            extra,
            [
                ("kliento.veraid.net/claim-team", "a"),
                ("kliento.veraid.net/organisation", "example.com"),
                ("kliento.veraid.net/signed-by", "organisation"),
                ("kliento.veraid.net/user", "alice"),
            ]
        );
    }

    #[test]
    fn a_member_can_not_put_itself_in_a_group() {
        let user = names()
            .user(&token(&[("groups", "admins")], false))
            .unwrap();
        assert_eq!(
            user.groups,
            ["kliento:authenticated", "kliento:organisation:example.com"]
        );
    }

    #[test]
    fn no_group_is_taken_from_a_claim_unless_one_is_named() {
        let names = Names {
            groups_claim: None,
            ..names()
        };
        let user = names.user(&token(&[("groups", "a")], true)).unwrap();
        assert_eq!(user.groups.len(), 2);
    }

    #[test]
    fn an_organisation_can_not_claim_what_is_not_its_own() {
        let claims = "system:masters,authenticated,organisation:bank.com,group:bank.com:admins,kliento:authenticated";
        let user = names().user(&token(&[("groups", claims)], true)).unwrap();
        for group in &user.groups[2..] {
            assert!(group.starts_with("kliento:group:example.com:"), "{group}");
        }
        assert_eq!(user.groups.len(), 7);
    }

    #[test]
    fn empty_groups_and_those_with_control_characters_are_none() {
        let user = names()
            .user(&token(&[("groups", ", ,a\nb,\u{85},")], true))
            .unwrap();
        assert_eq!(user.groups.len(), 2);
    }

    #[test]
    fn a_token_with_too_many_groups_gives_no_user_and_a_group_counts_once() {
        let groups = |count: usize| {
            let groups: Vec<String> = (0..count).map(|number| format!("g{number}")).collect();
            groups.join(",")
        };
        let user = |claim: &str| names().user(&token(&[("groups", claim)], true));
        let most = user(&groups(MAX_GROUPS)).unwrap();
        assert_eq!(most.groups.len(), 2 + MAX_GROUPS);
        assert_eq!(user(&groups(MAX_GROUPS + 1)), None);
        let repeated = format!(
            "{},{}, a,a ,,",
            groups(MAX_GROUPS - 1),
            groups(MAX_GROUPS - 1)
        );
        assert_eq!(user(&repeated).unwrap().groups.len(), 2 + MAX_GROUPS);
        assert_eq!(user(&vec!["a"; 1_000].join(",")).unwrap().groups.len(), 3);
        // Those of a member are not counted, since they are none.
        let member = token(&[("groups", &groups(1_000))], false);
        assert_eq!(names().user(&member).unwrap().groups.len(), 2);
    }

    #[test]
    fn refuses_prefixes_that_leave_a_way_to_names_of_kubernetes() {
        for prefix in [
            "",
            "s",
            "sys",
            "system",
            "system:",
            "system:kliento:",
            "a\nb",
        ] {
            prefix.parse::<Prefix>().expect_err(prefix);
        }
        for prefix in ["kliento:", "-", "systems:", "System:", "a"] {
            prefix
                .parse::<Prefix>()
                .unwrap_or_else(|error| panic!("{error}"));
        }
    }

    proptest! {
        #[test]
        fn no_name_behind_a_prefix_is_one_of_kubernetes(prefix in "[system:]{0,8}", name in "[system:]{0,12}") {
            if let Ok(prefix) = prefix.parse::<Prefix>() {
                let username = format!("{prefix}{name}");
                prop_assert!(!username.starts_with(RESERVED));
            }
        }
    }

    #[test]
    fn reads_reviews_of_both_versions_and_nothing_else() {
        let review = |version: &str, kind: &str, rest: &str| {
            let text = format!(r#"{{"apiVersion":"{version}","kind":"{kind}","spec":{{{rest}}}}}"#);
            read_review(text.as_bytes())
        };
        for version in VERSIONS {
            review(version, KIND, r#""token":"x""#).unwrap();
        }
        review(
            VERSIONS[0],
            KIND,
            r#""token":"x","audiences":["a"],"new":1"#,
        )
        .unwrap();
        review(VERSIONS[0], KIND, r#""token":"x","audiences":null"#).unwrap();
        for (version, kind, rest) in [
            ("authentication.k8s.io/v2", KIND, r#""token":"x""#),
            ("v1", KIND, r#""token":"x""#),
            (VERSIONS[0], "SubjectAccessReview", r#""token":"x""#),
            (VERSIONS[0], KIND, ""),
            (VERSIONS[0], KIND, r#""token":1"#),
            (VERSIONS[0], KIND, r#""token":"x","token":"y""#),
            (VERSIONS[0], KIND, r#""token":"x","audiences":"a""#),
        ] {
            let refusal = review(version, kind, rest).err().unwrap();
            assert_eq!(refusal.status(), 400, "{version} {kind} {rest}");
        }
        let audiences = |count: usize| {
            let audiences = vec![r#""""#; count].join(",");
            review(
                VERSIONS[0],
                KIND,
                &format!(r#""token":"x","audiences":[{audiences}]"#),
            )
        };
        assert!(audiences(MAX_AUDIENCES).is_ok());
        assert!(audiences(MAX_AUDIENCES + 1).is_err());
    }

    #[test]
    fn only_one_object_that_is_clear_is_a_review() {
        let whole = r#"{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"x"}}"#;
        assert!(read_review(whole.as_bytes()).is_ok());
        let nested = "[".repeat(30_000);
        let unread = "{\"a\":".repeat(30_000);
        for (what, json) in [
            ("nothing", String::new()),
            ("an array", "[]".to_owned()),
            (
                "an array of the members",
                r#"["authentication.k8s.io/v1","TokenReview",{"token":"x"}]"#.to_owned(),
            ),
            (
                "an array of arrays",
                r#"["authentication.k8s.io/v1","TokenReview",["x",null]]"#.to_owned(),
            ),
            (
                "an array for the specification",
                whole.replace(r#"{"token":"x"}"#, r#"["x",null]"#),
            ),
            (
                "a string for the specification",
                whole.replace(r#"{"token":"x"}"#, r#""x""#),
            ),
            (
                "a token twice, by an escape",
                whole.replace(r#""token":"x""#, r#""token":"x","\u0074oken":"y""#),
            ),
            (
                "audiences twice",
                whole.replace(
                    r#""token":"x""#,
                    r#""token":"x","audiences":[],"audiences":[]"#,
                ),
            ),
            (
                "a kind twice",
                whole.replace(r#""kind":"#, r#""kind":"TokenReview","kind":"#),
            ),
            (
                "a specification twice",
                whole.replace(r#""spec":"#, r#""spec":{"token":"y"},"spec":"#),
            ),
            ("a byte order mark", format!("\u{feff}{whole}")),
            ("two documents", format!("{whole}{whole}")),
            ("a comment", format!("{whole}//")),
            ("something behind", format!("{whole}x")),
            ("nesting", nested.clone()),
            (
                "nesting of what is not read",
                format!(r#"{{"metadata":{nested}"#),
            ),
            ("nesting of objects", unread.clone()),
            ("a lone surrogate", whole.replace(r#""x""#, r#""\ud800""#)),
            ("UTF-16", whole.chars().flat_map(|c| ['\0', c]).collect()),
        ] {
            let refusal = read_review(json.as_bytes()).err();
            let refusal = refusal.unwrap_or_else(|| panic!("{what} is read"));
            assert_eq!(refusal.reason(), "serve.malformed_review", "{what}");
        }
        assert!(read_review(&[whole.as_bytes(), b"\xff"].concat()).is_err());
        // What is not read is skipped without recursion, so its depth takes no stack.
        let deep = format!(r#""token":"x","a":{nested}{}"#, "]".repeat(30_000));
        assert!(read_review(whole.replace(r#""token":"x""#, &deep).as_bytes()).is_ok());
    }
}
