//! TLS with certificates that are read anew when their files change.
//!
//! A certificate is renewed by replacing files, one after the other; what does not fit together, or can't be read, leaves
//! in place what was there before, and is tried again once it has changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use kliento::Timestamp;
use rustls::RootCertStore;
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use zeroize::Zeroizing;

use crate::fault::{Fault, with_causes};
use crate::input::{Encoded, Source};

/// The protocols that are spoken in TLS, the preferred one first (RFC 7301).
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The paths of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// The authorities of clients' certificates, without which no client may connect; none if clients need no
    /// certificate.
    pub(crate) client_ca: Option<PathBuf>,
}

/// The content of the files.
#[derive(PartialEq, Eq)]
struct Content {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
    client_ca: Option<Vec<u8>>,
}

/// The keys and certificates that new connections are served with.
struct Current {
    configuration: Arc<ServerConfig>,
    /// The last second of the server's certificate, unless it is one that only others can read.
    expiry: Option<Timestamp>,
}

/// A configuration that follows its files.
pub(crate) struct Tls {
    files: RwLock<TlsFiles>,
    current: RwLock<Current>,
    /// The content that was read last, be it of use or not.
    seen: RwLock<Option<Content>>,
}

impl Tls {
    /// Reads the files, which must be in order at the start.
    pub(crate) fn load(files: TlsFiles) -> Result<Self, Fault> {
        let content = files.read()?;
        let current = files.configure(&content)?;
        Ok(Self {
            files: RwLock::new(files),
            current: RwLock::new(current),
            seen: RwLock::new(Some(content)),
        })
    }

    /// The configuration that a new connection is served with.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current.configuration)
    }

    /// Until when the server's certificate is valid, if that can be told.
    pub(crate) fn expiry(&self) -> Option<Timestamp> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.expiry
    }

    /// Looks at the files again. `Ok(false)` if they are what they were; an error once for each change that is of no use.
    pub(crate) fn refresh(&self) -> Result<bool, Fault> {
        let files = self.files();
        if !files.can_be_read_again() {
            return Ok(false);
        }
        let content = files.read();
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        if content.as_ref().ok() == seen.as_ref() {
            return Ok(false);
        }
        let content = match content {
            Ok(content) => content,
            Err(fault) => {
                *seen = None;
                return Err(fault);
            }
        };
        let configured = files.configure(&content);
        *seen = Some(content);
        drop(seen);
        let configured = configured?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = configured;
        Ok(true)
    }

    /// Reads `files`, which may be others than before, and changes nothing yet. `None` if they are the same and can't be
    /// read again.
    pub(crate) fn prepare(&self, files: &TlsFiles) -> Result<Option<Prepared>, Fault> {
        if !files.can_be_read_again() && *files == self.files() {
            return Ok(None);
        }
        let content = files.read()?;
        let current = files.configure(&content)?;
        Ok(Some(Prepared {
            files: files.clone(),
            content,
            current,
        }))
    }

    /// Serves new connections with what was prepared; whether it is anything new.
    pub(crate) fn replace(&self, prepared: Prepared) -> bool {
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = seen.as_ref() != Some(&prepared.content);
        *seen = Some(prepared.content);
        *self.files.write().unwrap_or_else(PoisonError::into_inner) = prepared.files;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = prepared.current;
        is_new
    }

    fn files(&self) -> TlsFiles {
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        files.clone()
    }
}

/// Files that were read and found to be of use.
pub(crate) struct Prepared {
    files: TlsFiles,
    content: Content,
    current: Current,
}

impl TlsFiles {
    /// Pipes can't, and to try would be to wait for somebody to fill them.
    fn can_be_read_again(&self) -> bool {
        let files = [
            Some(&self.certificate),
            Some(&self.key),
            self.client_ca.as_ref(),
        ];
        let mut there = files
            .into_iter()
            .flatten()
            .filter_map(|path| fs::metadata(path).ok());
        there.all(|metadata| metadata.is_file())
    }

    fn read(&self) -> Result<Content, Fault> {
        let read = |path: &PathBuf| Source::File(path.clone()).read();
        let read_all = || {
            Ok(Content {
                certificate: read(&self.certificate)?,
                key: Source::File(self.key.clone()).read_secret()?,
                client_ca: self.client_ca.as_ref().map(read).transpose()?,
            })
        };
        read_all().map_err(|fault: Fault| {
            Fault::failure(fault.message()).hint(
                "paths in a configuration are relative to its file, and paths on the command line to the current \
                 directory",
            )
        })
    }

    fn configure(&self, content: &Content) -> Result<Current, Fault> {
        let chain = certificates(&self.certificate, &content.certificate)?;
        let expiry = chain.first().and_then(expiry);
        let key = match Encoded::of(&content.key) {
            Encoded::Pem(pem) => {
                PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| error.to_string())
            }
            Encoded::Der(der) => PrivateKeyDer::try_from(der.to_vec()).map_err(ToOwned::to_owned),
        }
        .map_err(|problem| {
            Fault::failure(format!("{}: {problem}", self.key.display()))
                .hint("give the certificate's private key in PEM or DER: PKCS #8, PKCS #1 or SEC 1, not encrypted")
        })?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .map_err(|error| Fault::failure(with_causes(&error)))?;
        let builder = match (&self.client_ca, &content.client_ca) {
            (Some(path), Some(content)) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(path, content)? {
                    let added = roots.add(certificate);
                    added.map_err(|error| Fault::in_file(path.display(), &error))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
                    .build()
                    .map_err(|error| Fault::in_file(path.display(), &error))?;
                builder.with_client_cert_verifier(verifier)
            }
            _ => builder.with_no_client_auth(),
        };
        let mut configuration = builder.with_single_cert(chain, key).map_err(|error| {
            Fault::in_file(self.certificate.display(), &error).hint(
                "the file must have the server's certificate first and then its intermediates, and the key must belong \
                 to the server's certificate",
            )
        })?;
        configuration.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Current {
            configuration: Arc::new(configuration),
            expiry,
        })
    }
}

/// The last second of its validity.
fn expiry(certificate: &CertificateDer<'_>) -> Option<Timestamp> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let validity = certificate.tbs_certificate().validity();
    let seconds = validity.not_after.to_unix_duration().as_secs();
    Some(Timestamp::from_unix_seconds(i64::try_from(seconds).ok()?))
}

/// All certificates in a PEM file, or the one in DER; there is one at least.
fn certificates(path: &Path, content: &[u8]) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let pem = match Encoded::of(content) {
        Encoded::Der(der) => return Ok(vec![der.to_vec().into()]),
        Encoded::Pem(pem) => pem,
    };
    let certificates = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Fault::in_file(path.display(), &error))?;
    if certificates.is_empty() {
        let fault = Fault::failure(format!(
            "{}: the file contains no certificate",
            path.display()
        ));
        return Err(fault.hint("give certificates as PEM (-----BEGIN CERTIFICATE-----)"));
    }
    Ok(certificates)
}
