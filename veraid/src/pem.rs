//! PEM files (RFC 7468): finding the first block, and decoding it with any line width.

use der::pem::{Decoder, LineEnding, encode_string};
use zeroize::Zeroizing;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// The first block of a PEM file.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    /// The label, such as `PRIVATE KEY`.
    pub(crate) label: &'a str,
    /// The text from its `-----BEGIN` to the end of its last line.
    text: &'a str,
}

impl<'a> Block<'a> {
    /// Finds the first block; `None` if no block has both a beginning and an end.
    pub(crate) fn find(text: &'a str) -> Option<Self> {
        let text = text.get(text.find(BEGIN)?..)?;
        let label = text.strip_prefix(BEGIN)?.split_once(DASHES)?.0;
        if label.contains(['\r', '\n']) {
            return None;
        }
        let last_line = text.find(END)?;
        let after = text.get(last_line..)?.strip_prefix(END)?;
        let after = after.strip_prefix(label)?.strip_prefix(DASHES)?;
        let length = text.len().checked_sub(after.len())?;
        Some(Self {
            label,
            text: text.get(..length)?,
        })
    }

    /// Returns true if it has the headers of an encrypted key in the form that preceded PKCS #8
    /// (RFC 1421 §4.6).
    pub(crate) fn has_encryption_header(&self) -> bool {
        self.text
            .lines()
            .any(|line| line.starts_with("Proc-Type:") && line.contains("ENCRYPTED"))
    }

    /// Decodes its Base64. The result is wiped when dropped, because it may be secret.
    pub(crate) fn decode(&self) -> Option<Zeroizing<Vec<u8>>> {
        let mut octets = Zeroizing::new(Vec::new());
        let mut decoder = Decoder::new_detect_wrap(self.text.as_bytes()).ok()?;
        // Reserves room for everything at once, so that growing leaves no copy behind.
        octets.reserve_exact(decoder.remaining_len());
        decoder.decode_to_end(&mut octets).ok()?;
        Some(octets)
    }
}

/// Encodes one block with lines of 64 characters.
pub(crate) fn encode(label: &str, octets: &[u8]) -> Option<String> {
    encode_string(label, LineEnding::LF, octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_other_line_widths() {
        let octets: Vec<u8> = (0..=255).collect();
        let text = encode("PUBLIC KEY", &octets).unwrap();
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        let wide = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----");
        let preceded = format!("Bag Attributes\n  friendlyName: x\n{text}\n\nand more\n");
        for text in [
            text.clone(),
            wide,
            preceded,
            text.replace('\n', "\r\n"),
            format!("{text}{text}"),
        ] {
            let block = Block::find(&text).unwrap();
            assert_eq!(block.label, "PUBLIC KEY");
            assert_eq!(block.decode().unwrap().as_slice(), octets, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_block() {
        for text in [
            "",
            "-----BEGIN ",
            "-----BEGIN A-----\nAAAA\n",
            "-----BEGIN A-----\nAAAA\n-----END B-----\n",
            "-----BEGIN A\nB-----\nAAAA\n-----END A\nB-----\n",
        ] {
            assert!(Block::find(text).is_none(), "{text}");
        }
        let broken = Block::find("-----BEGIN A-----\nAA*A\n-----END A-----\n").unwrap();
        assert!(broken.decode().is_none());
    }
}
