//! The requirements that a server has beyond a valid token: who, with which claims, signed by whom.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;
use std::collections::BTreeMap;

use veraid::{KeyAlgorithm, Member, MemberId, Organisation, SignedBy};

use crate::VerifiedToken;
use crate::error::VerifyError;

/// The requirements of a server on valid tokens. Without any, all valid tokens are accepted.
///
/// Of one kind of requirement any will do (several subjects, several values of one claim); of different kinds, all must be met.
/// Organisations and subjects are one kind: who. [`and`](Self::and) combines two sets of requirements, of which both must be
/// met.
///
/// ```
/// use std::time::Duration;
/// use kliento::{Requirements, Verifier};
///
/// let requirements = Requirements::new()
///     .with_organisation("example.com".parse()?)
///     .with_subject("ci-*@example.net".parse()?)
///     .with_claim("role", "admin")
///     .with_claim("role", "operator")
///     .with_organisation_signature()
///     .with_max_lifetime(Duration::from_secs(15 * 60));
/// let verifier = Verifier::builder("https://api.example.com".parse()?)
///     .requirements(requirements)
///     .build();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A token that is valid and does not meet them is refused with a [`VerifyError`] that
/// [`is_forbidden`](VerifyError::is_forbidden): status 403 rather than 401.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Requirements {
    /// Sets that are complete, none of them empty.
    complete: Vec<Set>,
    /// The set that the methods add to.
    current: Set,
}

/// Requirements of which each kind must be met, by any of its alternatives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Set {
    organisations: Vec<Organisation>,
    subjects: Vec<SubjectPattern>,
    /// By name, with the values of which one will do; any will if there are none.
    claims: BTreeMap<String, Vec<String>>,
    signed_by: Option<SignedBy>,
    key_algorithms: Vec<KeyAlgorithm>,
    max_lifetime: Option<u64>,
}

impl Requirements {
    /// No requirements.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes all members of `organisation`, and its bot; not those of domains below it.
    ///
    /// The name of a domain becomes an [`Organisation`] by `parse`: `.with_organisation("example.com".parse()?)`.
    #[doc(alias = "organization")]
    pub fn with_organisation(mut self, organisation: Organisation) -> Self {
        self.current.organisations.push(organisation);
        self
    }

    /// Takes the subjects that `pattern` matches.
    ///
    /// Text becomes a [`SubjectPattern`] by `parse`: `.with_subject("*@example.com".parse()?)`.
    pub fn with_subject(mut self, pattern: SubjectPattern) -> Self {
        self.current.subjects.push(pattern);
        self
    }

    /// Takes tokens whose claim `name` is `value`, letter by letter. Claims are strings: other values are compared as
    /// `Display` has them.
    ///
    /// Called again with the same name, it allows another value; with another name, it requires that claim too. Anybody with
    /// a domain can claim anything: say [who](Self::with_organisation) may. A member that signs by itself claims what it likes,
    /// too: where that won't do, ask for [the organisation's signature](Self::with_organisation_signature).
    #[allow(
        clippy::needless_pass_by_value,
        reason = "so that callers need no reference to a number"
    )]
    pub fn with_claim(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        let values = self.current.claims.entry(name.into()).or_default();
        values.push(value.to_string());
        self
    }

    /// Takes tokens that have a claim `name`, whatever its value unless [`with_claim`](Self::with_claim) says which.
    pub fn with_claim_present(mut self, name: impl Into<String>) -> Self {
        self.current.claims.entry(name.into()).or_default();
        self
    }

    /// Takes only what members signed with keys of their own: an organisation's word for a member will not do.
    ///
    /// No token meets both this and [`with_organisation_signature`](Self::with_organisation_signature).
    pub fn with_member_signature(self) -> Self {
        self.signed_by(SignedBy::Member)
    }

    /// Takes only what organisations, or those to whom they delegate, signed for their members: the claims are the
    /// organisation's word then, and not the member's own.
    ///
    /// No token meets both this and [`with_member_signature`](Self::with_member_signature).
    #[doc(alias = "signed_by_organization")]
    pub fn with_organisation_signature(self) -> Self {
        self.signed_by(SignedBy::Organisation)
    }

    fn signed_by(mut self, signer: SignedBy) -> Self {
        if self
            .current
            .signed_by
            .is_some_and(|present| present != signer)
        {
            return self.and(Self::new().signed_by(signer));
        }
        self.current.signed_by = Some(signer);
        self
    }

    /// Takes tokens that were signed with keys of `algorithm`, among those that the verifier's
    /// [policy](crate::VerifierBuilder::policy) takes at all.
    pub fn with_key_algorithm(mut self, algorithm: KeyAlgorithm) -> Self {
        self.current.key_algorithms.push(algorithm);
        self
    }

    /// Takes only tokens that live at most this long from their start to their end, in whole seconds (a fraction is
    /// dropped). Beyond [`MAX_LIFETIME_SECONDS`](crate::MAX_LIFETIME_SECONDS) none are valid. Of several limits the
    /// shortest counts.
    pub fn with_max_lifetime(mut self, lifetime: Duration) -> Self {
        let most = lifetime.as_secs();
        let present = self.current.max_lifetime.unwrap_or(most);
        self.current.max_lifetime = Some(most.min(present));
        self
    }

    /// These requirements and `others`: a token must meet both, each with its own alternatives.
    ///
    /// Methods that are called on the result add a set of requirements of its own, with no alternatives to those that are
    /// there already.
    ///
    /// ```
    /// use kliento::Requirements;
    ///
    /// let everywhere = Requirements::new().with_organisation("example.com".parse()?).with_organisation("example.net".parse()?);
    /// let operators = Requirements::new().with_subject("ops-*@example.com".parse()?);
    /// assert_eq!(
    ///     everywhere.and(operators).to_string(),
    ///     "(all of example.com or all of example.net) and ops-*@example.com"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn and(self, others: Self) -> Self {
        let complete = self.into_sets().chain(others.into_sets()).collect();
        Self {
            complete,
            current: Set::default(),
        }
    }

    /// Returns true if no valid token is refused.
    pub fn is_empty(&self) -> bool {
        self.sets().next().is_none()
    }

    /// Returns true if every subject with a valid token is accepted.
    pub fn allows_anybody(&self) -> bool {
        self.sets().all(Set::allows_anybody)
    }

    /// Checks a token.
    ///
    /// # Errors
    ///
    /// [`VerifyError::SubjectNotAllowed`], [`VerifyError::MemberSignatureRequired`], [`VerifyError::OrganisationSignatureRequired`],
    /// [`VerifyError::KeyAlgorithmNotAllowed`], [`VerifyError::LifetimeNotAllowed`] and [`VerifyError::ClaimRequired`], whichever comes first in
    /// this order.
    pub fn check(&self, token: &VerifiedToken) -> Result<(), VerifyError> {
        let steps = [
            Set::check_subject,
            Set::check_signature,
            Set::check_lifetime,
            Set::check_claims,
        ];
        for step in steps {
            for set in &self.complete {
                step(set, token)?;
            }
            step(&self.current, token)?;
        }
        Ok(())
    }

    /// All sets that ask for something.
    fn sets(&self) -> impl Iterator<Item = &Set> {
        let sets = self.complete.iter().chain([&self.current]);
        sets.filter(|set| !set.is_empty())
    }

    fn into_sets(self) -> impl Iterator<Item = Set> {
        let sets = self.complete.into_iter().chain([self.current]);
        sets.filter(|set| !set.is_empty())
    }
}

/// By the sets that ask for something, in their order.
impl PartialEq for Requirements {
    fn eq(&self, other: &Self) -> bool {
        self.sets().eq(other.sets())
    }
}

impl Eq for Requirements {}

impl Set {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn allows_anybody(&self) -> bool {
        self.organisations.is_empty() && self.subjects.is_empty()
    }

    fn check_subject(&self, token: &VerifiedToken) -> Result<(), VerifyError> {
        let id = token.member_id();
        let is_allowed = self.allows_anybody()
            || self.organisations.contains(id.organisation())
            || self.subjects.iter().any(|pattern| pattern.matches(id));
        if is_allowed {
            return Ok(());
        }
        Err(VerifyError::SubjectNotAllowed {
            subject: token.subject().to_owned(),
        })
    }

    fn check_signature(&self, token: &VerifiedToken) -> Result<(), VerifyError> {
        let subject = || token.subject().to_owned();
        if self
            .signed_by
            .is_some_and(|required| required != token.signed_by())
        {
            let subject = subject();
            return Err(if self.signed_by == Some(SignedBy::Member) {
                VerifyError::MemberSignatureRequired { subject }
            } else {
                VerifyError::OrganisationSignatureRequired { subject }
            });
        }
        let algorithm = token.key_algorithm();
        if self.key_algorithms.is_empty() || self.key_algorithms.contains(&algorithm) {
            return Ok(());
        }
        Err(VerifyError::KeyAlgorithmNotAllowed {
            subject: subject(),
            algorithm,
        })
    }

    fn check_lifetime(&self, token: &VerifiedToken) -> Result<(), VerifyError> {
        let period = token.token_period();
        match self.max_lifetime {
            Some(most) if period.seconds() > most => Err(VerifyError::LifetimeNotAllowed {
                subject: token.subject().to_owned(),
                period,
                most,
            }),
            _ => Ok(()),
        }
    }

    fn check_claims(&self, token: &VerifiedToken) -> Result<(), VerifyError> {
        let is_met = |(name, values): &(&String, &Vec<String>)| {
            let claim = token.claims().get(name);
            claim.is_some_and(|value| values.is_empty() || values.iter().any(|one| one == value))
        };
        match self.claims.iter().find(|claim| !is_met(claim)) {
            None => Ok(()),
            Some((name, _)) => Err(VerifyError::ClaimRequired {
                subject: token.subject().to_owned(),
                name: name.clone(),
            }),
        }
    }

    /// The subjects for people, such as `alice@example.com or all of example.net`.
    fn subjects(&self) -> String {
        let subjects = self.subjects.iter().map(ToString::to_string);
        let organisations = self.organisations.iter();
        let organisations = organisations.map(|organisation| format!("all of {organisation}"));
        alternatives(subjects.chain(organisations))
    }

    fn write_what_else(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, values) in &self.claims {
            if values.is_empty() {
                write!(formatter, ", with a claim {name:?}")?;
            } else {
                let values = alternatives(values.iter().map(|value| format!("{value:?}")));
                write!(formatter, ", {name:?} = {values}")?;
            }
        }
        if let Some(signer) = self.signed_by {
            let is_member = signer == SignedBy::Member;
            let name = if is_member { "member" } else { "organisation" };
            write!(formatter, ", signed by the {name}")?;
        }
        if !self.key_algorithms.is_empty() {
            let algorithms = alternatives(self.key_algorithms.iter().map(ToString::to_string));
            write!(formatter, ", with a key of {algorithms}")?;
        }
        if let Some(seconds) = self.max_lifetime {
            write!(formatter, ", for {seconds} s at most")?;
        }
        Ok(())
    }
}

/// For people: `alice@example.com or all of example.net, "role" = "admin", signed by the member`.
impl fmt::Display for Requirements {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = self.sets().filter(|set| !set.allows_anybody());
        let who: Vec<String> = who.map(Set::subjects).collect();
        match &*who {
            [] => formatter.write_str("anybody")?,
            [who] => formatter.write_str(who)?,
            several => {
                let apart = |who: &String| {
                    if who.contains(OR) {
                        format!("({who})")
                    } else {
                        who.clone()
                    }
                };
                let several: Vec<String> = several.iter().map(apart).collect();
                formatter.write_str(&several.join(" and "))?;
            }
        }
        self.sets()
            .try_for_each(|set| set.write_what_else(formatter))
    }
}

const OR: &str = " or ";

fn alternatives(alternatives: impl Iterator<Item = String>) -> String {
    alternatives.collect::<Vec<_>>().join(OR)
}

/// The subjects that a pattern matches: one, or all whose names have a certain shape.
///
/// | pattern | whom it means |
/// |---|---|
/// | `alice@example.com` | that user |
/// | `example.com` | the organisation's bot, not its users |
/// | `*@example.com` | all users of that organisation, not its bot |
/// | `ci-*@example.com` | those whose names begin so; `*` is any run of characters, an empty one too, as often as needed |
/// | `alice@*.example.com` | that user of any organisation whose domain is below that one, not of the one itself |
/// | `*.example.com` | the bots of organisations below that domain |
///
/// Text becomes one by `parse` or `TryFrom`: `"*@example.com".parse()?`.
///
/// The user's part is compared letter by letter, as user names are. A `*` in a user's name can't be meant by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectPattern {
    /// None for bots.
    user: Option<Box<str>>,
    below: bool,
    organisation: Organisation,
}

/// Any run of characters in the user's part.
const WILDCARD: char = '*';
/// In front of a domain: those below it.
const BELOW: &str = "*.";

impl SubjectPattern {
    /// Returns true if the pattern matches `id`.
    pub fn matches(&self, id: &MemberId) -> bool {
        let is_user = match (&self.user, id.member()) {
            (Some(pattern), Member::User(name)) => matches_glob(pattern, name.as_str()),
            (None, Member::Bot) => true,
            _ => false,
        };
        is_user && self.matches_organisation(id.organisation())
    }

    fn matches_organisation(&self, organisation: &Organisation) -> bool {
        if !self.below {
            return *organisation == self.organisation;
        }
        organisation
            .as_str()
            .strip_suffix(self.organisation.as_str())
            .is_some_and(|rest| rest.ends_with('.'))
    }
}

/// Returns true if `name` is `pattern` with any text in place of each `*`. Takes at most time in proportion to the
/// product of the two lengths.
fn matches_glob(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split(WILDCARD);
    let Some(mut rest) = parts.next().and_then(|start| name.strip_prefix(start)) else {
        return false;
    };
    let Some(end) = parts.next_back() else {
        return rest.is_empty(); // no `*` at all
    };
    // The first place where a part fits leaves the most for the parts that follow.
    for part in parts {
        let Some(index) = rest.find(part) else {
            return false;
        };
        rest = rest.get(index + part.len()..).unwrap_or_default();
    }
    rest.ends_with(end)
}

impl FromStr for SubjectPattern {
    type Err = SubjectPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (user, domain) = match text.rsplit_once('@') {
            Some((user, domain)) => (Some(user), domain),
            None => (None, text),
        };
        let fault = |problem| SubjectPatternError {
            pattern: text.chars().take(QUOTED_CHARACTERS).collect(),
            problem,
        };
        if text == "*" {
            return Err(fault("write *@example.com"));
        }
        if user.is_some_and(str::is_empty) {
            return Err(fault("there is no user name before the @"));
        }
        if user.is_some_and(|user| user.contains('@')) {
            return Err(fault("user names can't contain @"));
        }
        let (below, domain) = match domain.strip_prefix(BELOW) {
            Some(domain) => (true, domain),
            None => (false, domain),
        };
        if domain.contains(WILDCARD) {
            return Err(fault(
                "in a domain, * must be the whole first label: *.example.com",
            ));
        }
        let organisation = domain
            .parse()
            .map_err(|_| fault("neither a domain nor user@domain"))?;
        Ok(Self {
            user: user.map(Into::into),
            below,
            organisation,
        })
    }
}

impl TryFrom<&str> for SubjectPattern {
    type Error = SubjectPatternError;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for SubjectPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(formatter, "{user}@")?;
        }
        if self.below {
            formatter.write_str(BELOW)?;
        }
        self.organisation.fmt(formatter)
    }
}

/// Characters of a pattern that an error quotes.
const QUOTED_CHARACTERS: usize = 80;

/// The reason why a text is not a [`SubjectPattern`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pattern:?} is not a subject pattern; {problem}")]
pub struct SubjectPatternError {
    pattern: String,
    problem: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(text: &str) -> MemberId {
        match text.rsplit_once('@') {
            Some((user, domain)) => {
                let user = Member::User(user.parse().unwrap());
                MemberId::new(domain.parse().unwrap(), user)
            }
            None => MemberId::new(text.parse().unwrap(), Member::Bot),
        }
    }

    #[test]
    fn a_pattern_is_made_of_text_in_two_ways() {
        let text = "ci-*@example.com";
        let pattern = SubjectPattern::try_from(text).unwrap();
        assert_eq!(text.parse(), Ok(pattern.clone()));
        assert_eq!(pattern.to_string(), text);
        assert!(SubjectPattern::try_from("a@b@c").is_err());
    }

    #[test]
    fn a_pattern_means_whom_it_says_and_nobody_else() {
        for (pattern, subject, is_meant) in [
            ("alice@example.com", "alice@example.com", true),
            ("alice@example.com", "Alice@example.com", false),
            ("alice@example.com", "alice@example.net", false),
            ("alice@example.com", "example.com", false),
            ("alice@Example.COM", "alice@example.com", true),
            ("example.com", "example.com", true),
            ("example.com", "alice@example.com", false),
            ("example.com", "a.example.com", false),
            ("*@example.com", "alice@example.com", true),
            ("*@example.com", "example.com", false),
            ("*@example.com", "alice@a.example.com", false),
            ("*@example.com", "alice@badexample.com", false),
            ("ci-*@example.com", "ci-7@example.com", true),
            ("ci-*@example.com", "ci-@example.com", true),
            ("ci-*@example.com", "not-ci-7@example.com", false),
            ("*-ci@example.com", "deploy-ci@example.com", true),
            ("*-ci@example.com", "deploy-ci-not@example.com", false),
            ("a*b*c@example.com", "abc@example.com", true),
            ("a*b*c@example.com", "a-b-b-c@example.com", true),
            ("a*b*c@example.com", "acb@example.com", false),
            ("a*a@example.com", "a@example.com", false),
            ("a**a@example.com", "aa@example.com", true),
            ("ab*bc@example.com", "abc@example.com", false),
            ("é*@example.com", "élise@example.com", true),
            ("*@*.example.com", "alice@a.example.com", true),
            ("*@*.example.com", "alice@b.a.example.com", true),
            ("*@*.example.com", "alice@example.com", false),
            ("*@*.example.com", "alice@badexample.com", false),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "alice@a.example.com", false),
        ] {
            let parsed: SubjectPattern = pattern.parse().unwrap();
            assert_eq!(
                parsed.matches(&id(subject)),
                is_meant,
                "{pattern} {subject}"
            );
        }
    }

    #[test]
    fn requirements_are_told_whole() {
        let requirements = Requirements::new()
            .with_organisation("example.net".parse().unwrap())
            .with_subject("*@example.com".parse().unwrap())
            .with_claim("role", "admin")
            .with_claim("role", "a\nb")
            .with_claim_present("team")
            .with_organisation_signature()
            .with_key_algorithm(KeyAlgorithm::Rsa2048)
            .with_max_lifetime(Duration::from_secs(60));
        assert_eq!(
            requirements.to_string(),
            "*@example.com or all of example.net, \"role\" = \"admin\" or \"a\\nb\", with a claim \"team\", \
             signed by the organisation, with a key of rsa-2048, for 60 s at most"
        );
        assert_eq!(Requirements::new().to_string(), "anybody");
        let both = requirements.and(Requirements::new().with_claim("role", "owner"));
        let both = both.and(Requirements::new().with_subject("bob@example.com".parse().unwrap()));
        assert_eq!(
            both.to_string(),
            "(*@example.com or all of example.net) and bob@example.com, \"role\" = \"admin\" or \"a\\nb\", \
             with a claim \"team\", signed by the organisation, with a key of rsa-2048, for 60 s at most, \
             \"role\" = \"owner\""
        );
    }

    #[test]
    fn requirements_are_equal_if_they_ask_for_the_same() {
        let admins = || Requirements::new().with_claim("role", "admin");
        assert_eq!(
            Requirements::new().and(Requirements::new()),
            Requirements::new()
        );
        assert_eq!(Requirements::new().and(admins()), admins());
        assert_eq!(admins().and(Requirements::new()), admins());
        let owners = || Requirements::new().with_claim("role", "owner");
        assert_ne!(admins().and(owners()), admins().with_claim("role", "owner"));
        assert!(!admins().and(Requirements::new()).is_empty());
        assert!(Requirements::new().and(Requirements::new()).is_empty());
    }

    #[test]
    fn refuses_patterns_that_could_mean_something_else() {
        for pattern in [
            "",
            "*",
            "@example.com",
            "alice@",
            "alice@*",
            "alice@*.*.example.com",
            "alice@ex*.com",
            "*.",
            "a@b@example.com",
            "alice@exam ple.com",
            "*@.example.com",
        ] {
            let error = pattern.parse::<SubjectPattern>().expect_err(pattern);
            assert!(error.to_string().contains(&format!("{pattern:?}")));
        }
    }

    /// The definition, with nothing clever in it.
    fn matches_by_definition(pattern: &[char], name: &[char]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            (['*', rest @ ..], _) => {
                (0..=name.len()).any(|skipped| matches_by_definition(rest, &name[skipped..]))
            }
            ([first, pattern @ ..], [letter, name @ ..]) => {
                first == letter && matches_by_definition(pattern, name)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_glob_matches_as_its_definition_has_it(pattern in "[ab*]{0,7}", name in "[ab]{0,9}") {
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = matches_by_definition(&characters(&pattern), &characters(&name));
            prop_assert_eq!(matches_glob(&pattern, &name), expected);
        }

        #[test]
        fn prints_what_it_reads(pattern in "([a-z*é]{1,5}@)?([*][.])?[a-z]{1,5}[.]com") {
            prop_assert_eq!(pattern.parse::<SubjectPattern>().unwrap().to_string(), pattern);
        }
    }
}
