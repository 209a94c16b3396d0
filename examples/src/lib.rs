//! What the programs in `src/bin` share: a world of their own, and how they report.
//!
//! A server that is in earnest needs none of this. It trusts the keys of the DNS root, which `kliento` has built in,
//! and its clients get their credentials from their organisations. Here the DNS, the organisation `example.com` and its
//! members are all in memory ([`World`]), so that each program runs with nothing set up.

use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::SystemTime;

use kliento::testing::TrustChain;
use kliento::veraid::{Member, MemberIdBundle, Period, PrivateKey, Signer, Timestamp};
use kliento::{Token, Verifier, header};

/// What ended a program early. `main` prints errors by `Debug`, so that is the message here.
pub struct Fault(Box<dyn Error + Send + Sync>);

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// How long Alice's and Bob's tokens live, in seconds: as long as tokens can, so that there is time to try things.
const AN_HOUR: i64 = 3_600;

/// A DNS of its own, the organisation `example.com` in it, and two members.
pub struct World {
    audience: String,
    chain: TrustChain,
}

impl World {
    /// A world whose clients mean the server that calls itself `audience`.
    pub fn new(audience: impl Into<String>) -> Self {
        Self {
            audience: audience.into(),
            chain: TrustChain::new("example.com", "alice"),
        }
    }

    /// The server's verifier. The only thing that a real one does without is the line about trust anchors.
    ///
    /// # Errors
    ///
    /// If the audience is empty.
    pub fn verifier(&self) -> Result<Verifier, Fault> {
        Ok(Verifier::builder(self.audience.parse()?)
            .trust_anchors(self.chain.trust_anchors().clone()) // a real server leaves this out
            .build())
    }

    /// What Alice, an administrator, puts into `Authorization`. She has a key of her own.
    ///
    /// # Errors
    ///
    /// As for [`kliento::issue`].
    pub fn alices(&self) -> Result<String, Fault> {
        let token = self
            .token()?
            .with_claim("role", "admin")
            .with_claim("level", 7);
        issue(&self.chain.member_signer(), &token, from_now(AN_HOUR)?)
    }

    /// What Bob puts there. He has no key: `example.com` signs for him, and claims nothing.
    ///
    /// # Errors
    ///
    /// As for [`kliento::issue`].
    pub fn bobs(&self) -> Result<String, Fault> {
        let bob = Member::User("bob".parse()?);
        let signer = self.chain.organisation_signer(&bob);
        issue(&signer, &self.token()?, from_now(AN_HOUR)?)
    }

    /// What Mallory puts there, who has a domain of his own and claims to be an administrator, too.
    ///
    /// # Errors
    ///
    /// As for [`kliento::issue`].
    pub fn mallorys(&self) -> Result<String, Fault> {
        let mallory = self.chain.another_organisation("evil.example", "mallory");
        let token = self.token()?.with_claim("role", "admin");
        issue(&mallory.member_signer(), &token, from_now(AN_HOUR)?)
    }

    /// What Alice put there an hour ago.
    ///
    /// # Errors
    ///
    /// As for [`kliento::issue`].
    pub fn expired(&self) -> Result<String, Fault> {
        let now = Timestamp::from(SystemTime::now());
        let past = Period::new(now.saturating_sub(AN_HOUR), now.saturating_sub(AN_HOUR / 2));
        let past = past.ok_or("time runs forwards")?;
        issue(&self.chain.member_signer(), &self.token()?, past)
    }

    /// What Alice sends to somebody else, who passes it on.
    ///
    /// # Errors
    ///
    /// As for [`kliento::issue`].
    pub fn for_somebody_else(&self) -> Result<String, Fault> {
        let token = Token::new("https://another.example.com".parse()?);
        issue(&self.chain.member_signer(), &token, from_now(AN_HOUR)?)
    }

    /// What `kliento member certify` and `kliento key generate` give Alice: her member id bundle and her key.
    ///
    /// # Errors
    ///
    /// If they can't be read again, which does not happen.
    pub fn alices_credentials(&self) -> Result<(MemberIdBundle, PrivateKey), Fault> {
        let bundle = MemberIdBundle::from_der(&self.chain.member_id_bundle().to_der()?)?;
        let key = PrivateKey::from_pkcs8_pem(&self.chain.member_key().to_pkcs8_pem()?)?;
        Ok((bundle, key))
    }

    fn token(&self) -> Result<Token, Fault> {
        Ok(Token::new(self.audience.parse()?))
    }
}

fn issue(signer: &Signer<'_>, token: &Token, period: Period) -> Result<String, Fault> {
    Ok(header::encode(&kliento::issue(signer, token, period)?))
}

fn from_now(seconds: i64) -> Result<Period, Fault> {
    let now = Timestamp::from(SystemTime::now());
    Ok(Period::new(now, now.saturating_add(seconds)).ok_or("time runs forwards")?)
}

/// Said at the start of each program.
pub const NOT_IN_EARNEST: &str = "\
The DNS, example.com and its members alice and bob are made up and in this program's memory.
A real server leaves `.trust_anchors(…)` out, and so trusts the keys of the DNS root that are built in.";

/// One call of an example's client: what it is, and what it should come to.
pub struct Expectation {
    /// What is called, and by whom.
    pub call: &'static str,
    /// The start of what should come of it.
    pub outcome: &'static str,
}

/// Prints calls and what came of them, and keeps count of those that came to something else than expected.
#[derive(Default)]
pub struct Report {
    surprises: usize,
}

impl Report {
    /// Prints one call.
    pub fn line(&mut self, expectation: &Expectation, outcome: impl fmt::Display) {
        let Expectation {
            call,
            outcome: expected,
        } = expectation;
        let outcome = outcome.to_string();
        if outcome.starts_with(expected) {
            println!("  {call:<44} {outcome}");
        } else {
            self.surprises += 1;
            println!("  {call:<44} {outcome}   <-- expected: {expected}");
        }
    }

    /// Whether all came as expected.
    ///
    /// # Errors
    ///
    /// If not.
    pub fn conclude(self) -> Result<(), Fault> {
        match self.surprises {
            0 => {
                println!("All as expected.");
                Ok(())
            }
            surprises => Err(format!("{surprises} of these came to something else").into()),
        }
    }
}

/// The arguments that the servers take.
#[derive(Debug)]
pub struct Arguments {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where to write the line `Authorization: …` with Alice's token.
    pub token_file: Option<PathBuf>,
    /// Whether to end after the program has called itself.
    pub check: bool,
}

impl Arguments {
    /// Reads the program's arguments: `[--listen ADDRESS] [--token-file PATH] [--check]`.
    ///
    /// # Errors
    ///
    /// If there are others.
    pub fn read() -> Result<Self, Fault> {
        let mut arguments = Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8_080)),
            token_file: None,
            check: false,
        };
        let mut given = std::env::args_os().skip(1);
        while let Some(argument) = given.next() {
            match argument.to_str() {
                Some("--listen") => {
                    let address = value(&mut given)?;
                    let address = address.to_str().ok_or("an address is text")?;
                    arguments.listen = address.parse()?;
                }
                Some("--token-file") => arguments.token_file = Some(value(&mut given)?.into()),
                Some("--check") => arguments.check = true,
                _ => return Err(USAGE.into()),
            }
        }
        Ok(arguments)
    }
}

const USAGE: &str = "\
arguments: [--listen ADDRESS] [--token-file PATH] [--check]
  --listen ADDRESS   127.0.0.1:8080 by default; with port 0, any that is free
  --token-file PATH  writes the line `Authorization: …` with alice's token there, for curl --header @PATH
  --check            ends after the program has called itself";

fn value(arguments: &mut impl Iterator<Item = OsString>) -> Result<OsString, Fault> {
    arguments.next().ok_or_else(|| USAGE.into())
}
