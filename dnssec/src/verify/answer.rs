//! Finds the records or the alias in a chain that answer a question.

use smallvec::SmallVec;

use super::rrset::{SignedRrset, UncheckedRrset};
use crate::chain::Chain;
use crate::error::{Error, RrsetId};
use crate::message::{Record, Response};
use crate::name::Name;
use crate::record::RecordType;

/// The result of a search, not verified yet.
pub(super) enum Found<'a> {
    /// Records of the type that was asked for.
    Records(UncheckedRrset<'a>),
    /// An alias for the owner: its CNAME, or a DNAME above it.
    Alias(UncheckedRrset<'a>),
    /// Neither records nor an alias. There may be a denial; if not, this is the error.
    Nothing(Error),
}

/// The responses that may hold the answer for one name in a sequence of aliases.
pub(super) struct Question<'c, 'a> {
    chain: &'c Chain<'a>,
    owner: &'c Name,
    record_type: RecordType,
    /// The answer sections to search: that of the response to the question, and those in which the
    /// aliases to this name were found, because servers put the target's records there as well.
    sections: SmallVec<[&'c [Record<'a>]; 2]>,
    /// The response to the question, if there is one. Of several, one with the code NOERROR or
    /// NXDOMAIN.
    response: Option<&'c Response<'a>>,
}

impl<'c, 'a> Question<'c, 'a> {
    /// Prepares the search. `followed` are the names before this one, starting with the one that
    /// was asked for.
    ///
    /// Only one response to the question may be an answer. If several different ones were allowed,
    /// a program that reads records from the chain itself might read others than those that were
    /// proven.
    pub(super) fn new(
        chain: &'c Chain<'a>,
        owner: &'c Name,
        record_type: RecordType,
        followed: &'c [Name],
    ) -> Result<Self, Error> {
        let responses = chain.responses_to(owner, record_type);
        let answers = || responses.iter().filter(|response| response.is_an_answer());
        let count = answers().count();
        if count > 1 {
            return Err(Error::AmbiguousAnswer {
                rrset: RrsetId {
                    owner: owner.clone(),
                    record_type,
                },
                count,
            });
        }
        let earlier = followed
            .iter()
            .flat_map(|name| chain.responses_to(name, record_type))
            .filter(|response| response.is_an_answer());
        let sections = answers()
            .copied()
            .chain(earlier)
            .map(Response::answers)
            .collect();
        let response = answers().chain(&responses).next().copied();
        Ok(Self {
            chain,
            owner,
            record_type,
            sections,
            response,
        })
    }

    /// Looks for records first, then for a CNAME and a DNAME.
    pub(super) fn find(self) -> Result<Found<'a>, Error> {
        let asks_for_cname = self.record_type == RecordType::CNAME;
        if !asks_for_cname && let Some(records) = self.rrset(self.owner, self.record_type)? {
            return Ok(Found::Records(records));
        }
        let cname = match self.rrset(self.owner, RecordType::CNAME)? {
            None => self.rrset_with_question(self.owner, RecordType::CNAME)?,
            found => found,
        };
        let found = if asks_for_cname {
            Found::Records
        } else {
            Found::Alias
        };
        // A CNAME that was synthesised from a DNAME is unsigned (RFC 6672 §5.3.1), and is
        // synthesised again here.
        if let Some(cname) = cname.as_ref().filter(|cname| cname.is_signed()) {
            return Ok(found(cname.clone()));
        }
        for dname_owner in self.dname_owners() {
            let dname = match self.rrset(&dname_owner, RecordType::DNAME)? {
                None => self.rrset_with_question(&dname_owner, RecordType::DNAME)?,
                found => found,
            };
            if let Some(dname) = dname {
                return Ok(Found::Alias(dname));
            }
        }
        Ok(cname.map_or_else(|| Found::Nothing(self.otherwise()), found))
    }

    /// The error if nothing was found and there is no denial.
    fn otherwise(&self) -> Error {
        let rrset = RrsetId {
            owner: self.owner.clone(),
            record_type: self.record_type,
        };
        match self.response {
            Some(response) if response.is_an_answer() => Error::UnprovenDenial(rrset),
            Some(failed) => Error::ResponseCode {
                rrset,
                response_code: failed.response_code(),
            },
            None => Error::MissingResponse(rrset),
        }
    }

    /// The RRset in the sections to search. If several have it, they must agree, and all of their
    /// RRSIGs count.
    fn rrset(
        &self,
        owner: &Name,
        record_type: RecordType,
    ) -> Result<Option<UncheckedRrset<'a>>, Error> {
        gather(self.sections.iter().copied(), owner, record_type)
    }

    /// The RRset in the responses to the question for exactly that RRset.
    fn rrset_with_question(
        &self,
        owner: &Name,
        record_type: RecordType,
    ) -> Result<Option<UncheckedRrset<'a>>, Error> {
        let responses = self.chain.responses_to(owner, record_type);
        let sections = responses
            .into_iter()
            .filter(|response| response.is_an_answer())
            .map(Response::answers);
        gather(sections, owner, record_type)
    }

    /// The names above the owner that may have a DNAME, the one nearest the root first. A name
    /// below that one cannot have another DNAME (RFC 6672 §2.4).
    fn dname_owners(&self) -> Vec<Name> {
        let answers = self.sections.iter().copied().flatten();
        let in_answers = answers
            .filter(|record| record.record_type() == RecordType::DNAME)
            .filter(|record| record.is_above(self.owner))
            .map(Record::owner);
        let responses = self.chain.responses().iter();
        let in_questions =
            responses.filter_map(|response| response.asks_above(self.owner, RecordType::DNAME));
        let mut owners: Vec<Name> = in_answers.chain(in_questions).collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }
}

fn gather<'c, 'a: 'c>(
    sections: impl Iterator<Item = &'c [Record<'a>]>,
    owner: &Name,
    record_type: RecordType,
) -> Result<Option<UncheckedRrset<'a>>, Error> {
    let mut gathered: Option<UncheckedRrset<'a>> = None;
    let mut count = 0;
    for section in sections {
        let Some(found) = SignedRrset::find_among(section, owner, record_type)? else {
            continue;
        };
        count += 1;
        match &mut gathered {
            None => gathered = Some(found),
            Some(earlier) if earlier.agrees_with(&found) => earlier.add_signatures(found),
            Some(_) => {
                return Err(Error::AmbiguousAnswer {
                    rrset: RrsetId {
                        owner: owner.clone(),
                        record_type,
                    },
                    count,
                });
            }
        }
    }
    Ok(gathered)
}
