//! The states of keys in RFC 5011 §4, as Unbound's `auto-trust-anchor-file` records them.
//!
//! Unbound writes one file for each zone. The file begins with the comment
//! `; autotrust trust anchor file`. Then come lines such as `;;id: . 1`, and a comment
//! `;;state=2 [  VALID  ]` after each DNSKEY record. If all keys of the zone were revoked, there is
//! a line `;;REVOKED` near the start, and no key counts.

use std::fmt;

use crate::name::Name;
use crate::rdata::Algorithm;

/// The first comment of the file.
const HEADER: &str = "autotrust trust anchor file";
/// The start of the line that names the zone, before the first key.
const ZONE: &str = ";;id:";
const ALL_REVOKED: &str = ";;revoked";
const STATE: &str = "state=";

/// The state in RFC 5011 §4 of a key that is not trusted, or the fact that it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyState {
    /// START: not seen yet.
    Start,
    /// ADDPEND: seen, but the hold-down time is not over.
    AddPending,
    /// REVOKED: the zone has revoked it, or all of its keys (RFC 5011 §2.1).
    Revoked,
    /// REMOVED: revoked some time ago.
    Removed,
    /// The file has states, but no state of RFC 5011 for this key.
    Unknown,
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "not seen yet (RFC 5011 state START)",
            Self::AddPending => "not trusted yet (RFC 5011 state ADDPEND)",
            Self::Revoked => "revoked (RFC 5011)",
            Self::Removed => "removed (RFC 5011 state REMOVED)",
            Self::Unknown => {
                "without an RFC 5011 state, although the file has states for other keys"
            }
        })
    }
}

/// A key that was read but is not a trust anchor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LeftOutKey {
    pub(super) owner: Name,
    pub(super) key_tag: u16,
    pub(super) algorithm: Algorithm,
    pub(super) line: usize,
    pub(super) state: KeyState,
}

impl LeftOutKey {
    /// The zone that the key belongs to.
    pub fn owner(&self) -> &Name {
        &self.owner
    }

    /// The key's tag.
    pub fn key_tag(&self) -> u16 {
        self.key_tag
    }

    /// The key's algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The number of the line with the key, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The reason why the key is not trusted.
    pub fn state(&self) -> KeyState {
        self.state
    }
}

/// Writes a text such as "the key of . with tag 20326 (RSASHA256, line 10) is not trusted yet (RFC
/// 5011 state ADDPEND)".
impl fmt::Display for LeftOutKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the key of {} with tag {} ({}, line {}) is {}",
            self.owner, self.key_tag, self.algorithm, self.line, self.state
        )
    }
}

/// The properties of a file that concern all of its keys.
#[derive(Clone, Copy, Default)]
pub(super) struct File {
    /// True if each key must have a state.
    has_states: bool,
    all_revoked: bool,
}

impl File {
    pub(super) fn of(text: &str) -> Self {
        let mut file = Self::default();
        for line in text.lines() {
            let line = line.trim().to_ascii_lowercase();
            let Some(comment) = line.strip_prefix(';') else {
                file.has_states |= line
                    .split_once(';')
                    .is_some_and(|(_, comment)| comment.contains(";state="));
                continue;
            };
            file.has_states |=
                comment.trim_start_matches([';', ' ', '\t']) == HEADER || line.starts_with(ZONE);
            file.all_revoked |= line.starts_with(ALL_REVOKED);
        }
        file
    }

    /// Returns the reason not to trust a key with these comments after it. Returns `None` for VALID
    /// and MISSING, and for a file without states. The numbers are those of Unbound's
    /// `autr_state_type`.
    pub(super) fn untrusted(self, comments: &str) -> Option<KeyState> {
        if self.all_revoked {
            return Some(KeyState::Revoked);
        }
        let comments = comments.to_ascii_lowercase();
        let states: Vec<&str> = comments
            .match_indices(STATE)
            .filter_map(|(at, _)| comments.get(at + STATE.len()..))
            .map(|rest| rest.split([' ', '\t', ';', '[']).next().unwrap_or(rest))
            .collect();
        match states[..] {
            [] if !self.has_states => None,
            ["2" | "3"] => None,
            ["0"] => Some(KeyState::Start),
            ["1"] => Some(KeyState::AddPending),
            ["4"] => Some(KeyState::Revoked),
            ["5"] => Some(KeyState::Removed),
            _ => Some(KeyState::Unknown),
        }
    }
}
