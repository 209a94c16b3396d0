//! The supplies of token sources.

use core::fmt;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use veraid::Timestamp;
use zeroize::Zeroizing;

use super::command::TokenCommand;
use super::file::TokenFile;
use super::signer::MemberSigner;
use crate::{Audience, Token};

/// The error type of functions that supply tokens.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A bundle in any of the forms that [`form`](super::form) distinguishes.
pub(super) type Bundle = Zeroizing<Vec<u8>>;

type Function = dyn Fn(Timestamp) -> BoxFuture<Result<Vec<u8>, BoxError>> + Send + Sync;
type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The supply of a [`TokenSource`](super::TokenSource): made from a [`TokenFile`], a
/// [`TokenCommand`], a [`MemberSigner`], or a function of your own with [`Supply::from_fn`].
#[derive(Clone)]
pub struct Supply {
    kind: Kind,
    /// The name for messages.
    name: Arc<str>,
}

#[derive(Clone)]
enum Kind {
    File(TokenFile),
    Command(TokenCommand),
    Signer(MemberSigner),
    Function(Arc<Function>),
}

impl Supply {
    /// A supply that calls `function` when a token is needed. The function returns a bundle as DER,
    /// as Base64, or as the value of an `Authorization` field.
    ///
    /// Its argument is the time of the source's clock. It runs in a task of its own, at most once
    /// at a time, and is dropped after the [time limit](super::TokenSourceBuilder::time_limit). Run
    /// computations, such as signing, in `tokio::task::spawn_blocking`.
    ///
    /// ```
    /// use kliento::client::{BoxError, Supply, TokenSource};
    /// use kliento::veraid::Period;
    /// use kliento::{Token, issue};
    /// # use kliento::testing::TrustChain;
    /// # use std::sync::Arc;
    /// # fn main() -> Result<(), BoxError> {
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// # let chain = Arc::new(TrustChain::for_bot("example.com"));
    ///
    /// let token = Token::new("https://api.example.com".parse()?);
    /// let audience = token.audience().clone();
    /// let supply = Supply::from_fn(move |now| {
    ///     let (chain, token) = (Arc::clone(&chain), token.clone());
    ///     async move {
    ///         let period = Period::new(now, now.saturating_add(300)).ok_or("the end of time")?;
    ///         let sign = move || issue(&chain.member_signer(), &token, period);
    ///         Ok(tokio::task::spawn_blocking(sign).await??)
    ///     }
    /// });
    /// let source = TokenSource::new(audience, supply);
    /// assert!(source.token().await?.as_str().starts_with("Kliento MII"));
    /// # Ok(()) }) }
    /// ```
    pub fn from_fn<F, R>(function: F) -> Self
    where
        F: Fn(Timestamp) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Vec<u8>, BoxError>> + Send + 'static,
    {
        Self {
            kind: Kind::Function(Arc::new(move |now| Box::pin(function(now)))),
            name: "a function".into(),
        }
    }

    /// Sets the name for messages, in place of `the file …`, `the command …` and the like.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = name.into();
        self
    }

    pub(super) fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// The interval at which to look for another token, whatever the state of the present one.
    /// `None` if asking makes a new token.
    pub(super) fn watched_every(&self) -> Option<Duration> {
        match &self.kind {
            Kind::File(file) => Some(file.interval()),
            Kind::Command(_) | Kind::Signer(_) | Kind::Function(_) => None,
        }
    }

    pub(super) async fn obtain(
        &self,
        audience: &Audience,
        now: Timestamp,
    ) -> Result<Bundle, Arc<dyn Error + Send + Sync>> {
        let obtained = match &self.kind {
            Kind::File(file) => file.read().await.map_err(BoxError::from),
            Kind::Command(command) => command.run().await.map_err(BoxError::from),
            Kind::Signer(signer) => {
                let token = Token::new(audience.clone());
                signer.issue(token, now).await.map_err(BoxError::from)
            }
            Kind::Function(function) => function(now).await.map(Zeroizing::new),
        };
        obtained.map_err(Arc::from)
    }
}

impl From<TokenFile> for Supply {
    fn from(file: TokenFile) -> Self {
        Self {
            name: format!("the file {}", file.path().display()).into(),
            kind: Kind::File(file),
        }
    }
}

impl From<TokenCommand> for Supply {
    fn from(command: TokenCommand) -> Self {
        Self {
            name: format!("the command {}", command.program().display()).into(),
            kind: Kind::Command(command),
        }
    }
}

impl From<MemberSigner> for Supply {
    fn from(signer: MemberSigner) -> Self {
        Self {
            name: "a member's key".into(),
            kind: Kind::Signer(signer),
        }
    }
}

impl fmt::Debug for Supply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Supply")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
