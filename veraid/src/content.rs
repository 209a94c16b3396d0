//! Signed content, and digests of detached content.

use std::borrow::Cow;
use std::fmt;
use std::io;

use dnssec::Work;

use crate::crypto::{Digest, HashAlgorithm, Hasher};
use crate::error::VerifyError;

/// The octets that [`ContentDigest::of_reader`] reads at once.
const READ_OCTETS: usize = 65_536;

/// The content to be signed, either attached to the signature or detached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content<'c> {
    /// Content that is part of the bundle, so that nothing else has to be sent.
    Attached(&'c [u8]),
    /// Content that is not part of the bundle; verifiers need it in addition.
    Detached(&'c [u8]),
    /// The digest of detached content that is too large to be held in memory. The hash function
    /// must be that of the signer's key:
    /// [`KeyAlgorithm::content_hash`](crate::KeyAlgorithm::content_hash).
    DetachedDigest(ContentDigest),
}

impl<'c> Content<'c> {
    pub(crate) fn attached(self) -> Option<&'c [u8]> {
        match self {
            Self::Attached(content) => Some(content),
            Self::Detached(_) | Self::DetachedDigest(_) => None,
        }
    }

    /// Returns the digest; `None` if only the digest by another hash function is known.
    pub(crate) fn digest(self, hash: HashAlgorithm) -> Option<Digest> {
        match self {
            Self::Attached(content) | Self::Detached(content) => Some(hash.digest(content)),
            Self::DetachedDigest(digest) => (digest.algorithm() == hash).then_some(digest.0),
        }
    }
}

/// The digest of content, used instead of the content.
///
/// ```
/// use veraid::{ContentDigest, HashAlgorithm};
///
/// let digest = ContentDigest::of_reader(HashAlgorithm::Sha256, &b"hello"[..])?;
/// assert_eq!(digest, ContentDigest::of(HashAlgorithm::Sha256, b"hello"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ContentDigest(pub(crate) Digest);

impl ContentDigest {
    /// Digests content.
    #[must_use]
    pub fn of(algorithm: HashAlgorithm, content: &[u8]) -> Self {
        Self(algorithm.digest(content))
    }

    /// Digests everything that a reader returns, in pieces.
    ///
    /// # Errors
    /// The errors of the reader.
    pub fn of_reader(algorithm: HashAlgorithm, mut reader: impl io::Read) -> io::Result<Self> {
        let mut hasher = Hasher::new(algorithm);
        let mut buffer = vec![0; READ_OCTETS];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(Self(hasher.finish())),
                Ok(octets) => hasher.update(buffer.get(..octets).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Creates a digest that was computed elsewhere; `None` if its length is not that of the hash
    /// function.
    #[must_use]
    pub fn from_octets(algorithm: HashAlgorithm, octets: &[u8]) -> Option<Self> {
        let has_its_length = octets.len() == usize::from(algorithm.octets());
        has_its_length.then(|| Self(Digest::new(algorithm, octets)))
    }

    /// The hash function.
    #[must_use]
    pub fn algorithm(&self) -> HashAlgorithm {
        self.0.algorithm()
    }

    /// The digest's octets.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        self.0.as_ref()
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.algorithm())?;
        let mut octets = self.as_octets().iter();
        octets.try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// The content of a signature that is being verified: attached, or given.
pub(crate) enum SignedContent<'v> {
    Octets(Cow<'v, [u8]>),
    Digest(ContentDigest),
}

impl<'v> SignedContent<'v> {
    /// Returns the digest.
    ///
    /// # Errors
    /// [`VerifyError::UndigestedContent`] if only the digest by another hash function is known.
    pub(crate) fn digest(&self, expected: HashAlgorithm) -> Result<Digest, VerifyError> {
        match self {
            Self::Octets(content) => Ok(expected.digest(content)),
            Self::Digest(digest) if digest.algorithm() == expected => Ok(digest.0),
            Self::Digest(digest) => Err(VerifyError::UndigestedContent {
                expected,
                given: digest.algorithm(),
            }),
        }
    }

    /// The work to read the content later: one unit for each 32 octets, assuming JSON of many small
    /// members.
    pub(crate) fn work(&self) -> Work {
        const OCTETS_PER_UNIT: usize = 32;
        let octets = match self {
            Self::Octets(content) => content.len(),
            Self::Digest(_) => 0,
        };
        Work::from_units(u32::try_from(octets / OCTETS_PER_UNIT).unwrap_or(u32::MAX))
    }

    pub(crate) fn into_octets(self) -> Option<Cow<'v, [u8]>> {
        match self {
            Self::Octets(content) => Some(content),
            Self::Digest(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that returns these one after another, then nothing.
    struct Readings<'r>(std::slice::Iter<'r, Result<&'static [u8], io::ErrorKind>>);

    impl io::Read for Readings<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.next() {
                Some(Ok(octets)) => io::Read::read(&mut &octets[..], buffer),
                Some(Err(kind)) => Err((*kind).into()),
                None => Ok(0),
            }
        }
    }

    #[test]
    fn a_reader_is_read_to_its_end_through_interruptions_and_no_other_error() {
        let digest = |readings: &[Result<&'static [u8], io::ErrorKind>]| {
            ContentDigest::of_reader(HashAlgorithm::Sha256, Readings(readings.iter()))
        };
        let interrupted = Err(io::ErrorKind::Interrupted);
        let readings = [interrupted, Ok(&b"con"[..]), interrupted, Ok(b"tent")];
        let whole = ContentDigest::of(HashAlgorithm::Sha256, b"content");
        assert_eq!(digest(&readings).unwrap(), whole);
        let readings = [
            Ok(&b"con"[..]),
            Err(io::ErrorKind::UnexpectedEof),
            Ok(b"tent"),
        ];
        let error = digest(&readings).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
