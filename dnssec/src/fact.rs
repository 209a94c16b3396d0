//! The facts that a chain proves.

use std::borrow::Cow;
use std::fmt;

use crate::name::Name;
use crate::record::RecordType;
use crate::validity::Validity;

/// A fact that a chain proves about a name and a type, with its validity. It is secure or insecure
/// in terms of RFC 4033 §5; bogus and indeterminate results are [`Error`](crate::Error)s.
///
/// Only [`Fact::Proven`] and [`Fact::ProvenAbsent`] are secure. Most callers should treat
/// "insecure" as a failure, with [`Fact::into_secure`] or [`Fact::into_proof`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact<'a> {
    /// There are such records. The proof has all of them.
    Proven(Proof<'a>),
    /// There are no such records.
    ProvenAbsent(Absence),
    /// The name lies in an unsigned zone, or in one that counts as unsigned. So nothing is proven
    /// about its records, and nothing is wrong.
    ProvenInsecure(Insecure),
}

impl Fact<'_> {
    /// The times at which all signatures from the anchor down are valid together.
    pub fn validity(&self) -> &Validity {
        match self {
            Self::Proven(proof) => &proof.validity,
            Self::ProvenAbsent(absence) => &absence.validity,
            Self::ProvenInsecure(insecure) => &insecure.validity,
        }
    }

    /// The name that the aliases lead to, or the name that was asked for if there are none.
    pub fn canonical_name(&self) -> &Name {
        match self {
            Self::Proven(proof) => &proof.canonical_name,
            Self::ProvenAbsent(absence) => &absence.canonical_name,
            Self::ProvenInsecure(insecure) => &insecure.canonical_name,
        }
    }

    /// Copies the records' data, so that the fact can be kept without the chain.
    #[must_use]
    pub fn into_owned(self) -> Fact<'static> {
        match self {
            Self::Proven(proof) => Fact::Proven(proof.into_owned()),
            Self::ProvenAbsent(absence) => Fact::ProvenAbsent(absence),
            Self::ProvenInsecure(insecure) => Fact::ProvenInsecure(insecure),
        }
    }
}

/// A proven RRset, with its validity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof<'a> {
    pub(crate) name: Name,
    pub(crate) canonical_name: Name,
    pub(crate) record_type: RecordType,
    pub(crate) rdata: Vec<Cow<'a, [u8]>>,
    pub(crate) validity: Validity,
}

impl Proof<'_> {
    /// The data of all records of the RRset, in canonical form and order (RFC 4034 §6). There is at least one.
    pub fn rdata(&self) -> impl ExactSizeIterator<Item = &[u8]> + DoubleEndedIterator + Clone {
        self.rdata.iter().map(AsRef::as_ref)
    }

    /// Copies the records' data, so that the proof can be kept without the chain.
    ///
    /// ```
    /// use dnssec::{Chain, Error, Name, Period, Proof, RecordType, TrustAnchors};
    ///
    /// fn prove(octets: &[u8], name: &Name, period: Period) -> Result<Proof<'static>, Error> {
    ///     let chain = Chain::from_der(octets)?;
    ///     let proof = chain.verify(name, RecordType::TXT, &TrustAnchors::iana(), period)?;
    ///     Ok(proof.into_owned())
    /// }
    /// # assert!(prove(b"", &Name::root(), Period::always()).is_err());
    /// ```
    #[must_use]
    pub fn into_owned(self) -> Proof<'static> {
        let rdata = self.rdata.into_iter();
        Proof {
            name: self.name,
            canonical_name: self.canonical_name,
            record_type: self.record_type,
            rdata: rdata.map(|rdata| Cow::Owned(rdata.into_owned())).collect(),
            validity: self.validity,
        }
    }
}

/// A proof that there are no records of a type at a name, with its validity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    pub(crate) name: Name,
    pub(crate) canonical_name: Name,
    pub(crate) record_type: RecordType,
    pub(crate) denial: Denial,
    pub(crate) validity: Validity,
}

impl Absence {
    /// The exact thing that does not exist.
    pub fn denial(&self) -> Denial {
        self.denial
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            canonical_name,
            record_type,
            ..
        } = self;
        match self.denial {
            Denial::NxDomain => write!(f, "{canonical_name} does not exist")?,
            Denial::NoData => write!(f, "{canonical_name} has no {record_type} record")?,
        }
        if self.name != *canonical_name {
            write!(f, " ({} is an alias of it)", self.name)?;
        }
        Ok(())
    }
}

/// A proof that a name is insecure (RFC 4033 §5), with its validity. A zone at or above the name is
/// unsigned, or signed only with unsupported algorithms, so that nothing can be proven about the
/// name.
///
/// Responses about such a name may be true or forged. The caller decides whether that is
/// acceptable. DANE, for example, then ignores TLSA records, and uses TLS as it does without them
/// (RFC 6698 §4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insecure {
    pub(crate) name: Name,
    pub(crate) canonical_name: Name,
    pub(crate) record_type: RecordType,
    pub(crate) zone: Name,
    pub(crate) cause: Insecurity,
    pub(crate) validity: Validity,
}

impl Insecure {
    /// The zone that counts as unsigned, or the name at or below which there may be one.
    pub fn zone(&self) -> &Name {
        &self.zone
    }

    /// The reason why it counts as unsigned.
    pub fn cause(&self) -> Insecurity {
        self.cause
    }
}

impl fmt::Display for Insecure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is insecure: {}", self.zone, self.cause)
    }
}

/// The reason why a zone counts as unsigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Insecurity {
    /// The parent proves that it has no DS RRset (RFC 4035 §5.2).
    NoDs,
    /// Each DS record has an unknown algorithm or an unknown digest type (RFC 4035 §5.2).
    Algorithms,
    /// The name lies in an opt-out span, where unsigned delegations need not be listed (RFC 5155
    /// §9.2).
    OptOut,
    /// Its NSEC3 records have more than 100 iterations (RFC 9276 §3.2).
    Nsec3Iterations,
    /// Its NSEC3 records have an unknown hash algorithm.
    Nsec3Hash,
}

impl fmt::Display for Insecurity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoDs => "the parent zone proves that there is no DS record",
            Self::Algorithms => {
                "none of its DS records has both a supported algorithm and a supported digest type"
            }
            Self::OptOut => {
                "an NSEC3 opt-out span covers it, and such spans don't list unsigned zones"
            }
            Self::Nsec3Iterations => "its NSEC3 records have more than 100 iterations",
            Self::Nsec3Hash => "its NSEC3 records have an unknown hash algorithm",
        })
    }
}

/// The thing that does not exist: the name, or only records of the type (RFC 8499 §3 and RFC 2308
/// §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Denial {
    /// There is no such name.
    NxDomain,
    /// The name exists, perhaps only because there are names below it, but has no records of that
    /// type.
    NoData,
}

/// Writes `nxdomain` or `nodata`.
impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NxDomain => "nxdomain",
            Self::NoData => "nodata",
        })
    }
}

/// The accessors that all proofs share. What differs is the meaning of the canonical name.
macro_rules! accessors {
    ($proof:ty, $canonical_name:literal) => {
        impl $proof {
            /// The name that was asked for.
            pub fn name(&self) -> &Name {
                &self.name
            }

            #[doc = $canonical_name]
            pub fn canonical_name(&self) -> &Name {
                &self.canonical_name
            }

            /// The type that was asked for.
            pub fn record_type(&self) -> RecordType {
                self.record_type
            }

            /// The times at which all signatures that prove this are valid together, from the trust
            /// anchor down.
            pub fn validity(&self) -> &Validity {
                &self.validity
            }
        }
    };
}

accessors!(
    Proof<'_>,
    "The name that has the records: the target of the aliases, or the name that was asked for."
);
accessors!(
    Absence,
    "The name that lacks the records: the target of the aliases, or the name that was asked for."
);
accessors!(
    Insecure,
    "The name that lies in the insecure zone: the target of secure aliases, or the name that was asked for."
);
