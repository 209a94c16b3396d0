//! Tokens from a file that another program keeps up to date.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use super::form;
use super::supply::Bundle;

/// The default interval at which a file is read.
const INTERVAL: Duration = Duration::from_secs(1);

/// A file with a token, which another program replaces in time: a timer that runs
/// `kliento token issue --out FILE`, an agent, or a Kubernetes volume.
///
/// If the file has not been read for an [interval](TokenFile::with_interval) when a caller asks for
/// a token, the whole file is read again. Meanwhile, the present token
/// is sent if it is still valid. So the file may be replaced in any way: in place, by renaming
/// another file, or by another target of a symbolic link on its path (as Kubernetes does). No
/// watcher is needed, which might not work on network and overlay file systems. While the file is
/// missing, half written or contains an expired token, the last good token is sent as long as it is
/// valid.
///
/// The file contains a bundle in any form that `kliento token issue` writes: DER, Base64, or the
/// value of an `Authorization` field.
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
    /// A supply that reads the file at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            interval: INTERVAL,
        }
    }

    /// Sets the interval at which the file is read. The default is one second, which is also the
    /// shortest.
    pub fn with_interval(mut self, interval: Duration) -> Self {
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

/// Runs a blocking function on a thread for such functions.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}

/// The content of a file, unless it is larger than the limit.
pub(super) fn read_bounded(path: &Path, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    // Opening a named pipe would wait for a writer.
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
