//! What a chain proves.

use std::borrow::Cow;
use std::fmt;

use crate::error::Error;
use crate::name::Name;
use crate::record::RecordType;
use crate::validity::Validity;

/// What a chain proves about a name and a type, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact<'a> {
    /// There are such records, and these are all.
    Proven(Proof<'a>),
    /// There are none.
    ProvenAbsent(Absence),
}

impl<'a> Fact<'a> {
    /// When all signatures on the way from the anchor hold together.
    pub fn validity(&self) -> &Validity {
        match self {
            Self::Proven(proof) => &proof.validity,
            Self::ProvenAbsent(absence) => &absence.validity,
        }
    }

    /// Where aliases led from the name that was asked for; that name itself, if there are none.
    pub fn canonical_name(&self) -> &Name {
        match self {
            Self::Proven(proof) => &proof.canonical_name,
            Self::ProvenAbsent(absence) => &absence.canonical_name,
        }
    }

    /// The records, or [`Error::Absent`] if it is proven that there are none.
    pub fn into_proof(self) -> Result<Proof<'a>, Error> {
        match self {
            Self::Proven(proof) => Ok(proof),
            Self::ProvenAbsent(absence) => Err(Error::Absent(Box::new(absence))),
        }
    }
}

/// A proven RRset, and when it is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof<'a> {
    pub(super) name: Name,
    pub(super) canonical_name: Name,
    pub(super) record_type: RecordType,
    pub(super) rdata: Vec<Cow<'a, [u8]>>,
    pub(super) validity: Validity,
}

impl<'a> Proof<'a> {
    /// The name that was asked for.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The name that has the records: where aliases led, or the name that was asked for.
    pub fn canonical_name(&self) -> &Name {
        &self.canonical_name
    }

    /// The type of the records.
    pub fn record_type(&self) -> RecordType {
        self.record_type
    }

    /// The data of all records of the RRset, in canonical form and order (RFC 4034 §6).
    pub fn rdata(&self) -> &[Cow<'a, [u8]>] {
        &self.rdata
    }

    /// When all signatures on the way from the anchor hold together.
    pub fn validity(&self) -> &Validity {
        &self.validity
    }
}

/// A proof that there are no records of a type at a name, and when it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    pub(super) name: Name,
    pub(super) canonical_name: Name,
    pub(super) record_type: RecordType,
    pub(super) denial: Denial,
    pub(super) validity: Validity,
}

impl Absence {
    /// The name that was asked for.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The name that lacks the records: where aliases led, or the name that was asked for.
    pub fn canonical_name(&self) -> &Name {
        &self.canonical_name
    }

    /// The type that was asked for.
    pub fn record_type(&self) -> RecordType {
        self.record_type
    }

    /// What exactly is not there.
    pub fn denial(&self) -> Denial {
        self.denial
    }

    /// When all signatures on the way from the anchor hold together.
    pub fn validity(&self) -> &Validity {
        &self.validity
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
            Denial::NxDomain => write!(f, "{canonical_name} does not exist"),
            Denial::NoData => write!(f, "{canonical_name} has no {record_type} record"),
        }?;
        if self.name != *canonical_name {
            write!(f, " ({} is an alias of it)", self.name)?;
        }
        Ok(())
    }
}

/// What is not there: the name, or the type alone (RFC 8499 §3 and RFC 2308 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Denial {
    /// There is no such name.
    NxDomain,
    /// The name exists, if only by names below it, but has no records of that type.
    NoData,
}

/// `nxdomain` or `nodata`.
impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NxDomain => "nxdomain",
            Self::NoData => "nodata",
        })
    }
}
