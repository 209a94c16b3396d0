//! The `Authorization` field: scheme `Kliento`, then a token bundle in Base64 (RFC 9110 §11.4 and
//! §11.6.2, RFC 4648 §4).
//!
//! A bundle has exactly one text, apart from padding. So texts of tokens can be compared, logged
//! and cached, since a bundle has no second spelling.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};

use crate::MAX_BUNDLE_OCTETS;
use crate::error::VerifyError;

/// The authentication scheme, as it is written. It is read without regard to case (RFC 9110 §11.1).
pub const SCHEME: &str = "Kliento";

/// The number of Base64 characters of the largest bundle: four for every three bytes or less.
const MAX_BASE64_LENGTH: usize = MAX_BUNDLE_OCTETS.div_ceil(3).saturating_mul(4);

/// Refuses trailing bits that are not zero. Both engines use it.
const STRICT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(false);
/// Writes padding, and requires it.
static PADDED: LazyLock<Base64> =
    LazyLock::new(|| engine(STRICT.with_decode_padding_mode(DecodePaddingMode::RequireCanonical)));
/// Reads Base64 without padding.
static UNPADDED: LazyLock<Base64> =
    LazyLock::new(|| engine(STRICT.with_decode_padding_mode(DecodePaddingMode::RequireNone)));

/// Uses the processor's vector instructions if it can, which it detects once.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
type Base64 = base64::engine::Simd;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
type Base64 = base64::engine::GeneralPurpose;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn engine(config: GeneralPurposeConfig) -> Base64 {
    Base64::standard(config)
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn engine(config: GeneralPurposeConfig) -> Base64 {
    Base64::new(&base64::alphabet::STANDARD, config)
}

/// The value of the `Authorization` field that carries `bundle`.
///
/// ```
/// assert_eq!(kliento::header::encode(b"\x30\x00"), "Kliento MAA=");
/// ```
pub fn encode(bundle: &[u8]) -> String {
    format!("{SCHEME} {}", PADDED.encode(bundle))
}

/// The DER of the bundle that the `Authorization` value carries. It is not parsed.
///
/// ```
/// assert_eq!(kliento::header::decode("kliento  MAA")?, b"\x30\x00");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// - [`VerifyError::WrongScheme`] if the value is for another scheme.
/// - [`VerifyError::BundleTooLarge`] if the text is longer than the Base64 of the largest bundle,
///   before any decoding.
/// - [`VerifyError::MalformedHeader`] if anything but spaces and one canonical Base64 text follows
///   the scheme. Refused are white space in or after the text, other alphabets, incomplete padding,
///   and trailing bits that are not zero.
pub fn decode(value: impl AsRef<[u8]>) -> Result<Vec<u8>, VerifyError> {
    decode_base64(credentials(value.as_ref())?)
}

/// The text after the scheme and its spaces. Its length is checked, but not its content.
pub(crate) fn credentials(value: &[u8]) -> Result<&[u8], VerifyError> {
    let base64 = behind_the_scheme(value)?;
    if base64.len() > MAX_BASE64_LENGTH {
        return Err(VerifyError::BundleTooLarge {
            octets: base64.len() / 4 * 3,
        });
    }
    Ok(base64)
}

fn behind_the_scheme(value: &[u8]) -> Result<&[u8], VerifyError> {
    let (scheme, rest) = value
        .split_at_checked(SCHEME.len())
        .ok_or(VerifyError::WrongScheme)?;
    if !scheme.eq_ignore_ascii_case(SCHEME.as_bytes()) {
        return Err(VerifyError::WrongScheme);
    }
    let spaces = rest.iter().take_while(|&&octet| octet == b' ').count();
    match rest.split_at_checked(spaces) {
        Some((_, [])) => Err(VerifyError::MalformedHeader {
            detail: "no token follows the scheme",
        }),
        // `Klientos` is another scheme, and so is a name before a tab.
        Some(([], _)) | None => Err(VerifyError::WrongScheme),
        Some((_, credentials)) => Ok(credentials),
    }
}

/// Decodes standard Base64, with full padding or none.
pub(crate) fn decode_base64(base64: &[u8]) -> Result<Vec<u8>, VerifyError> {
    let engine = if base64.ends_with(b"=") {
        &PADDED
    } else {
        &UNPADDED
    };
    engine
        .decode(base64)
        .map_err(|error| VerifyError::MalformedHeader {
            detail: match error {
                base64::DecodeError::InvalidByte(..) => {
                    "the token contains a character that is not standard Base64"
                }
                base64::DecodeError::InvalidLength(_) => "the token's Base64 is truncated",
                base64::DecodeError::InvalidLastSymbol { .. } => {
                    "the token's Base64 has trailing bits that are not zero"
                }
                base64::DecodeError::InvalidPadding => "the token's Base64 is not fully padded",
            },
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_the_scheme_without_regard_to_case_and_any_number_of_spaces() {
        for value in [
            "Kliento AAEC",
            "kliento AAEC",
            "KLIENTO AAEC",
            "kLiEnTo    AAEC",
        ] {
            assert_eq!(decode(value).unwrap(), [0, 1, 2], "{value}");
        }
    }

    #[test]
    fn reads_base64_with_or_without_padding() {
        for (value, octets) in [
            ("Kliento AA==", &[0_u8][..]),
            ("Kliento AA", &[0]),
            ("Kliento AAE=", &[0, 1]),
            ("Kliento AAE", &[0, 1]),
            ("Kliento +/+/", &[0xfb, 0xff, 0xbf]),
        ] {
            assert_eq!(decode(value).unwrap(), octets, "{value}");
        }
    }

    #[test]
    fn refuses_other_schemes() {
        for value in [
            "",
            " ",
            "Klient",
            "Basic AAEC",
            "Bearer AAEC",
            "Klientos AAEC",
            "KlientoAAEC",
            " Kliento AAEC",
            "Kliento\tAAEC",
            "Kliento\u{a0}AAEC",
            "\u{212a}liento AAEC",
            "Kliento,AAEC",
        ] {
            let error = decode(value).unwrap_err();
            assert_eq!(error.reason(), "kliento.wrong_scheme", "{value:?}");
            assert!(error.is_malformed());
        }
    }

    #[test]
    fn refuses_all_but_one_canonical_base64_text_behind_the_scheme() {
        for (fault, value) in [
            ("no token", "Kliento"),
            ("only spaces", "Kliento   "),
            ("a tab behind the space", "Kliento \tAAEC"),
            ("a space at the end", "Kliento AAEC "),
            ("a space within", "Kliento AA EC"),
            ("a line feed within", "Kliento AA\nEC"),
            ("a line feed at the end", "Kliento AAEC\n"),
            ("the URL-safe alphabet", "Kliento -_-_"),
            ("stray bits", "Kliento AB"),
            ("stray bits before padding", "Kliento AB=="),
            ("stray bits in three characters", "Kliento AAF"),
            ("half of the padding", "Kliento AA="),
            ("too much padding", "Kliento AAE=="),
            ("padding where none belongs", "Kliento AAEC="),
            ("a whole group of padding", "Kliento AAEC===="),
            ("nothing but padding", "Kliento ===="),
            ("padding within", "Kliento AA==AAEC"),
            ("a single character", "Kliento A"),
            ("two tokens", "Kliento AAEC AAEC"),
            ("a parameter", "Kliento token=AAEC"),
            ("a quoted token", "Kliento \"AAEC\""),
            ("a full stop", "Kliento AAEC."),
            ("what is not ASCII", "Kliento AAÉC"),
        ] {
            let error = decode(value).expect_err(fault);
            assert_eq!(error.reason(), "kliento.malformed_header", "{fault}");
            assert!(error.is_malformed(), "{fault}");
        }
    }

    #[test]
    fn refuses_too_long_a_text_before_decoding_it() {
        let fits = format!("Kliento {}", "A".repeat(MAX_BASE64_LENGTH - 2));
        assert_eq!(decode(fits).unwrap().len(), MAX_BUNDLE_OCTETS);
        // Not Base64 at all, which decoding would detect.
        let error = decode(format!("Kliento {}", "!".repeat(MAX_BASE64_LENGTH + 1))).unwrap_err();
        assert_eq!(error.reason(), "kliento.bundle_too_large");
        assert!(error.is_malformed());
        assert!(matches!(
            error,
            VerifyError::BundleTooLarge { octets: 16_386 }
        ));
    }

    proptest! {
        #[test]
        fn reads_back_what_it_writes(bundle in prop::collection::vec(any::<u8>(), 1..600)) {
            let value = encode(&bundle);
            prop_assert!(value.starts_with("Kliento "));
            prop_assert_eq!(value.len() % 4, 0);
            prop_assert_eq!(decode(&value).unwrap(), bundle.clone());
            prop_assert_eq!(decode(value.trim_end_matches('=')).unwrap(), bundle);
        }

        #[test]
        fn one_bundle_has_one_text(text in "[A-Za-z0-9+/=]{0,12}") {
            let value = format!("Kliento {text}");
            if let Ok(bundle) = decode(&value) {
                let canonical = encode(&bundle);
                prop_assert!(value == canonical || value == canonical.trim_end_matches('='));
            }
        }

        #[test]
        fn never_panics_on_any_octets(value in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&value);
        }
    }
}
