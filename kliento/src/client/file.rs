//! Tokens from a file that somebody else keeps up to date.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::form;
use super::supply::Bundle;

/// How old what is known of a file may be, unless its owner says otherwise.
const INTERVAL: Duration = Duration::from_secs(1);

/// A file with a token in it, which some other program replaces in time: `kliento token issue --out FILE` by a timer, an
/// agent, a Kubernetes volume.
///
/// When a token is asked for and the file was not looked at for an [interval](TokenFile::look_every), it is read again,
/// all of it: the token at hand is sent in the meantime if it still holds. So nothing depends on how the file is
/// replaced, be it in place, by renaming another over it or by another target of a symbolic link on the way to it (as
/// Kubernetes does), and no watcher of files has to work across network and overlay file systems. While a file is missing,
/// half written or holds a stale token, the last good token is sent as long as it holds.
///
/// The file holds a bundle in any form that `kliento token issue` writes: DER, Base64, or the value of an
/// `Authorization` field.
///
/// ```
/// use kliento::client::{TokenFile, TokenSource};
/// # use kliento::client::BoxError;
/// # use kliento::{Token, testing::TrustChain};
/// # fn main() -> Result<(), BoxError> {
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("token");
/// # let chain = TrustChain::for_bot("example.com");
/// # std::fs::write(&path, chain.header(&Token::new("https://api.example.com".parse()?)))?;
///
/// let source = TokenSource::new("https://api.example.com".parse()?, TokenFile::new(path));
/// assert!(source.token().await?.as_str().starts_with("Kliento MII"));
/// # Ok(()) }) }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenFile {
    path: PathBuf,
    interval: Duration,
}

impl TokenFile {
    /// The file at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            interval: INTERVAL,
        }
    }

    /// How long to rely on what was read, in place of a second. No less than a second is of any use.
    pub fn look_every(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    pub(super) async fn read(&self) -> io::Result<Bundle> {
        let path = self.path.clone();
        let bundle = blocking(move || read_bounded(&path, form::MAX_OCTETS)).await?;
        if bundle.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "there is nothing in it (yet)",
            ));
        }
        Ok(bundle)
    }
}

/// Runs what blocks on a thread for that.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}

/// All of a file that is no larger than any of its kind.
pub(super) fn read_bounded(path: &Path, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    // Opening a named pipe would wait for whoever writes to it.
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ));
    }
    // Reserved at once: a buffer that grows leaves copies of a secret behind.
    let mut octets = Zeroizing::new(Vec::with_capacity(limit.saturating_add(1)));
    let beyond = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(beyond).read_to_end(&mut octets)?;
    if octets.len() > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {limit} bytes"),
        ));
    }
    Ok(octets)
}
