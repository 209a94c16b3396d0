//! Names within DNS messages, perhaps compressed (RFC 1035 §4.1.4).
//!
//! They are compared with a [`Name`] in place: few of the many names in a chain are needed as
//! values.

use crate::name::{MAX_NAME_OCTETS, Name};

/// The maximum number of pointers in one name. A name has at most 127 labels, so no honest one has
/// more.
const MAX_POINTERS: usize = 127;
/// The two high bits that mark a compression pointer (RFC 1035 §4.1.4).
const POINTER: u8 = 0b1100_0000;

/// A name within a message, perhaps compressed. It was checked when it was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WireName<'m> {
    message: &'m [u8],
    position: usize,
    /// The length of the name without compression. Names of different lengths can be distinguished
    /// without walking them.
    octets: usize,
}

impl<'m> WireName<'m> {
    /// Reads the name at `position`. Also returns the position after it, and the number of labels
    /// and pointers in it.
    ///
    /// A pointer must lead to a position before the part of the name that contains it. So each jump
    /// goes further back, and the name ends.
    #[inline]
    pub(crate) fn read(
        message: &'m [u8],
        position: usize,
    ) -> Result<(Self, usize, usize), WireNameError> {
        let error = |offset, what| WireNameError { offset, what };
        let mut here = position;
        let mut part_start = position;
        let mut after = None;
        let mut octets = 1;
        let mut pointers = 0;
        let mut labels = 0;
        loop {
            let Some(&length) = message.get(here) else {
                return Err(error(here, "a name is truncated"));
            };
            match length & POINTER {
                0 if length == 0 => {
                    let name = Self {
                        message,
                        position,
                        octets,
                    };
                    return Ok((name, after.unwrap_or(here + 1), labels + pointers));
                }
                0 => {
                    here += 1 + usize::from(length);
                    octets += 1 + usize::from(length);
                    labels += 1;
                    if octets > MAX_NAME_OCTETS {
                        return Err(error(position, "a name of more than 255 bytes"));
                    }
                }
                POINTER => {
                    let Some(&low) = message.get(here + 1) else {
                        return Err(error(here, "a name is truncated"));
                    };
                    after = after.or(Some(here + 2));
                    let target = usize::from(u16::from_be_bytes([length & !POINTER, low]));
                    pointers += 1;
                    if target >= part_start || pointers > MAX_POINTERS {
                        return Err(error(
                            here,
                            "a compression pointer that does not point backwards",
                        ));
                    }
                    here = target;
                    part_start = target;
                }
                _ => return Err(error(here, "a label of an unknown type (RFC 1035)")),
            }
        }
    }

    /// Returns the label at `position`, or at the end of the pointers there: its length and its
    /// octets. Also returns the position after it.
    #[inline]
    fn label(self, mut position: usize) -> Option<(&'m [u8], usize)> {
        // `read` has bounded the jumps; the range makes that explicit.
        for _ in 0..=MAX_POINTERS {
            let &length = self.message.get(position)?;
            if length & POINTER == POINTER {
                let &low = self.message.get(position + 1)?;
                position = usize::from(u16::from_be_bytes([length & !POINTER, low]));
            } else {
                let after = position + 1 + usize::from(length);
                return Some((self.message.get(position..after)?, after));
            }
        }
        None
    }

    #[inline]
    fn labels(self) -> impl Iterator<Item = &'m [u8]> {
        let mut here = self.position;
        let labels = std::iter::from_fn(move || {
            let (label, after) = self.label(here)?;
            here = after;
            label.get(1..).filter(|octets| !octets.is_empty())
        });
        labels.take(MAX_NAME_OCTETS)
    }

    /// The message that contains the name.
    #[inline]
    pub(crate) fn message(self) -> &'m [u8] {
        self.message
    }

    /// Returns true if this is `name`, ignoring letter case.
    #[inline]
    pub(crate) fn is(self, name: &Name) -> bool {
        self.is_wire(name.as_wire())
    }

    /// Returns true if `name` is below this name, ignoring letter case.
    #[inline]
    pub(crate) fn is_above(self, name: &Name) -> bool {
        let rest = name.wire_of_at_most(self.octets);
        rest.len() < name.as_wire().len() && self.is_wire(rest)
    }

    /// Returns true if this is the name with that wire form. Ignoring case cannot change lengths,
    /// because they are less than any letter.
    #[inline]
    fn is_wire(self, mut rest: &[u8]) -> bool {
        if self.octets != rest.len() {
            return false;
        }
        let mut here = self.position;
        while let Some((own, after)) = self.label(here)
            && let Some((label, parent)) = rest.split_at_checked(own.len())
            && own.eq_ignore_ascii_case(label)
        {
            if parent.is_empty() {
                return true;
            }
            (rest, here) = (parent, after);
        }
        false
    }

    #[inline]
    pub(crate) fn to_name(self) -> Option<Name> {
        Name::from_labels(self.labels()).ok()
    }
}

/// The problem with a name in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WireNameError {
    /// Offset in the message, in octets.
    pub(crate) offset: usize,
    pub(crate) what: &'static str,
}
