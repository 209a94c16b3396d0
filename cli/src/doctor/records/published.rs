//! A TXT record as it is published.

use kliento::veraid::{Dialect, TxtRecord};

use super::reading::Reading;

pub(in crate::doctor) struct Published {
    strings: Vec<Vec<u8>>,
}

impl Published {
    /// Takes RDATA apart into its character strings (RFC 1035 §3.3.14).
    pub(super) fn new(rdata: &[u8]) -> Self {
        let mut strings = Vec::new();
        let mut rest = rdata;
        while let Some((&length, after)) = rest.split_first() {
            let (string, next) = after
                .split_at_checked(usize::from(length))
                .unwrap_or((after, &[]));
            strings.push(string.to_vec());
            rest = next;
        }
        Self { strings }
    }

    pub(super) fn strings(&self) -> Vec<&[u8]> {
        self.strings.iter().map(Vec::as_slice).collect()
    }

    pub(super) fn record(&self, dialect: Dialect) -> Option<TxtRecord> {
        TxtRecord::parse(&self.strings.concat(), dialect)
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.strings.concat()).into_owned()
    }

    /// Its reading as a record of VeraId.
    pub(super) fn reading(&self) -> Reading {
        Reading::of(&self.strings())
    }
}
