//! Base64 is read by the processor's vectors where there are any: by the same rules as without.

use base64::Engine as _;
use kliento::header;

/// Each octet at each place of a text that takes the processor's vectors: as without them.
#[test]
fn base64_is_read_with_vectors_as_without() {
    use base64::alphabet::STANDARD;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(false);
    let modes = [
        DecodePaddingMode::RequireCanonical,
        DecodePaddingMode::RequireNone,
    ]
    .map(|mode| GeneralPurpose::new(&STANDARD, config.with_decode_padding_mode(mode)));
    for length in (0..12).map(|more| 180 + more) {
        let octets: Vec<u8> = (0..length)
            .map(|octet: u8| octet.wrapping_mul(73))
            .collect();
        for text in [
            modes[0].encode(&octets),
            modes[1].encode(&octets).trim_end_matches('=').to_owned(),
        ] {
            let mut text = text.into_bytes();
            for place in 0..text.len() {
                let before = text[place];
                for octet in 0..=u8::MAX {
                    if place == 0 && octet == b' ' {
                        // One more behind the scheme.
                        continue;
                    }
                    text[place] = octet;
                    let without = &modes[usize::from(!text.ends_with(b"="))];
                    let expected = without.decode(&text).ok();
                    let value = [b"Kliento ", &text[..]].concat();
                    assert_eq!(header::decode(&value).ok(), expected, "{place} {octet}");
                }
                text[place] = before;
            }
        }
    }
}
