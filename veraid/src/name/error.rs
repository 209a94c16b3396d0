//! The reasons why a text is not a name.

/// The reason why a text is not the name of an organisation or a member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The domain is empty or the root, which cannot be an organisation.
    #[error("a domain name needs at least one label; the DNS root (`.`) cannot be an organisation")]
    NoDomain,
    /// The domain has more octets than [`MAX_DOMAIN_OCTETS`](super::MAX_DOMAIN_OCTETS).
    #[error("the domain name has more than 253 bytes")]
    DomainTooLong,
    /// The domain is valid, but too long for DNS with the record's label in front of it.
    #[error("the domain name leaves no room for the label of its TXT record")]
    NoRoomForRecord,
    /// The domain has two dots in a row, or starts with one.
    #[error("the domain name has an empty label")]
    EmptyLabel,
    /// A label has more than 63 octets.
    #[error("a label of the domain name has more than 63 bytes")]
    LabelTooLong,
    /// A character is not allowed in host names.
    #[error("a domain name may only contain letters, digits, hyphens and dots")]
    BadCharacter,
    /// A label starts or ends with a hyphen.
    #[error("a label of the domain name starts or ends with a hyphen")]
    BadHyphen,
    /// A label is in Unicode instead of ASCII.
    #[error("the domain name is not in ASCII; write it with labels such as `xn--bcher-kva`")]
    NotAscii,
    /// A label with the prefix `xn--` is not the encoding of any valid Unicode label.
    #[error("the label `{label}` of the domain name is not a valid encoding of a Unicode label")]
    BadALabel {
        /// The label, in ASCII.
        label: Box<str>,
    },
    /// A label with the prefix `xn--` encodes a character that is not allowed in domain names (RFC
    /// 5892), such as a symbol that looks like a slash.
    #[error(
        "the label `{label}` of the domain name encodes U+{:04X}, which is not allowed in domain names",
        u32::from(*.character)
    )]
    DisallowedCharacter {
        /// The label, in ASCII.
        label: Box<str>,
        /// The first such character in the label.
        character: char,
    },
    /// The labels are valid individually, but not together, because one is written from right to
    /// left (RFC 5893 §2).
    #[error(
        "the domain name mixes left-to-right and right-to-left text in a way that is not allowed"
    )]
    MixedDirections,
    /// The user name is empty.
    #[error("a user name must not be empty")]
    EmptyUserName,
    /// The user name contains `@`.
    #[error("a user name must not contain `@`; give the domain separately")]
    AtSign,
    /// The user name contains white space other than U+0020.
    #[error("a user name must not contain white space other than ordinary spaces")]
    WhiteSpace,
    /// The user name contains a control character.
    #[error("a user name must not contain control characters")]
    ControlCharacter,
    /// The common name of an organisation certificate lacks the final dot that DomainAuth requires.
    #[error("in a DomainAuth certificate, the domain must end with a dot, such as `example.com.`")]
    NoTrailingDot,
    /// A DomainAuth user name has more than 256 octets.
    #[error("a DomainAuth user name must have at most 256 bytes")]
    UserNameTooLong,
    /// A DomainAuth user name contains spaces.
    #[error("a DomainAuth user name must not contain spaces")]
    Space,
    /// A character is not allowed in DomainAuth user names (RFC 8264 §4.2), or not at this place
    /// (RFC 5892 §A).
    #[error(
        "a DomainAuth user name may only contain letters, digits and ASCII punctuation; U+{:04X} is not allowed, or not at this place",
        u32::from(*.character)
    )]
    UserNameCharacter {
        /// The first such character.
        character: char,
    },
    /// A DomainAuth user name starts or ends with a character that needs another one beside it (RFC
    /// 5892 §A).
    #[error(
        "a DomainAuth user name must not begin or end with a character that is only allowed between others"
    )]
    UserNameContext,
    /// A DomainAuth user name has letters that are written from right to left, together with others
    /// that are not allowed beside them (RFC 5893 §2).
    #[error(
        "the user name mixes left-to-right and right-to-left text in a way that is not allowed"
    )]
    UserNameDirections,
    /// A DomainAuth user name is not in the normalised form. It is not normalised automatically, so
    /// that software which only reads the octets sees the same name.
    #[error(
        "write the user name as `{normalised}`: DomainAuth user names are in lower case and in composed form (NFC)"
    )]
    NotNormalised {
        /// The normalised form.
        normalised: Box<str>,
    },
}
