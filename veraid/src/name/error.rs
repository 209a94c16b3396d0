//! Why a text is no name.

/// Why a text is no name of an organisation or a member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// No domain at all, or the root, which cannot take part.
    #[error("a domain name needs at least one label; the DNS root (`.`) cannot be an organisation")]
    NoDomain,
    /// More than [`MAX_DOMAIN_OCTETS`](super::MAX_DOMAIN_OCTETS).
    #[error("the domain name has more than 253 bytes")]
    DomainTooLong,
    /// The domain is valid, but with the record's label in front it has more octets than DNS allows.
    #[error("the domain name leaves no room for the label of its TXT record")]
    NoRoomForRecord,
    /// Two dots side by side, or one at the start.
    #[error("the domain name has an empty label")]
    EmptyLabel,
    /// A label of more than 63 octets.
    #[error("a label of the domain name has more than 63 bytes")]
    LabelTooLong,
    /// A character that host names do not have.
    #[error("a domain name may only contain letters, digits, hyphens and dots")]
    BadCharacter,
    /// A hyphen at a label's start or end.
    #[error("a label of the domain name starts or ends with a hyphen")]
    BadHyphen,
    /// A label in its native script.
    #[error("the domain name is not in ASCII; write it with labels such as `xn--bcher-kva`")]
    NotAscii,
    /// A label with the prefix `xn--` that is not what any valid Unicode label is encoded as.
    #[error("the label `{label}` of the domain name is not a valid encoding of a Unicode label")]
    BadALabel {
        /// The label, in ASCII.
        label: Box<str>,
    },
    /// A label with the prefix `xn--` that encodes a character which domain names do not have (RFC 5892), such as a
    /// symbol that looks like a slash.
    #[error(
        "the label `{label}` of the domain name encodes U+{:04X}, which is not allowed in domain names",
        u32::from(*.character)
    )]
    DisallowedCharacter {
        /// The label, in ASCII.
        label: Box<str>,
        /// The first such character in it.
        character: char,
    },
    /// Labels that are valid by themselves, but not side by side, since one is written from right to left (RFC 5893
    /// §2).
    #[error(
        "the domain name mixes left-to-right and right-to-left text in a way that is not allowed"
    )]
    MixedDirections,
    /// An empty user name.
    #[error("a user name must not be empty")]
    EmptyUserName,
    /// `@` in a user name.
    #[error("a user name must not contain `@`; give the domain separately")]
    AtSign,
    /// White space other than U+0020 in a user name.
    #[error("a user name must not contain white space other than ordinary spaces")]
    WhiteSpace,
    /// A control character in a user name.
    #[error("a user name must not contain control characters")]
    ControlCharacter,
    /// The common name of an organisation's certificate lacks the final dot that DomainAuth wants.
    #[error("in a DomainAuth certificate, the domain must end with a dot, such as `example.com.`")]
    NoTrailingDot,
    /// A DomainAuth user name of more than 256 octets.
    #[error("a DomainAuth user name must have at most 256 bytes")]
    UserNameTooLong,
    /// White space in a DomainAuth user name.
    #[error("a DomainAuth user name must not contain spaces")]
    Space,
    /// A character that DomainAuth user names do not have (RFC 8264 §4.2), or not where it stands (RFC 5892 §A).
    #[error(
        "a DomainAuth user name may only contain letters, digits and ASCII punctuation; U+{:04X} is not allowed, or not at this place",
        u32::from(*.character)
    )]
    UserNameCharacter {
        /// The first such character.
        character: char,
    },
    /// A character in a DomainAuth user name that needs another one beside it (RFC 5892 §A), at its start or end.
    #[error(
        "a DomainAuth user name must not begin or end with a character that is only allowed between others"
    )]
    UserNameContext,
    /// A DomainAuth user name of letters that are written from right to left, and of others that do not go with them
    /// (RFC 5893 §2).
    #[error(
        "the user name mixes left-to-right and right-to-left text in a way that is not allowed"
    )]
    UserNameDirections,
    /// A DomainAuth user name in another form than the normalised one. It is not put into that by itself: whose name it
    /// is should be the same to whoever reads the octets alone.
    #[error(
        "write the user name as `{normalised}`: DomainAuth user names are in lower case and in composed form (NFC)"
    )]
    NotNormalised {
        /// How to write it.
        normalised: Box<str>,
    },
}
