//! IANA's root-anchors.xml (RFC 9718 §2).

use data_encoding::HEXUPPER_PERMISSIVE;
use roxmltree::{Document, Node};

use super::{AnchorError, TrustAnchor};
use crate::name::Name;
use crate::time::{Timestamp, TimestampError};
use crate::validity::{Period, Validity};

pub(super) fn parse(text: &str) -> Result<Vec<TrustAnchor>, AnchorError> {
    let text = text.trim_start();
    let document = Document::parse(text).map_err(|error| AnchorError::Xml(error.to_string()))?;
    let root = document.root_element();
    if !root.has_tag_name("TrustAnchor") {
        return Err(AnchorError::Xml(
            "its root element is not TrustAnchor".into(),
        ));
    }
    let zone: Name = child_text(root, "Zone")?
        .parse()
        .map_err(|error| AnchorError::Xml(format!("Zone: {error}")))?;
    root.children()
        .filter(|node| node.has_tag_name("KeyDigest"))
        .map(|key_digest| read_key_digest(&zone, key_digest))
        .collect()
}

fn read_key_digest(zone: &Name, node: Node<'_, '_>) -> Result<TrustAnchor, AnchorError> {
    let key_tag: u16 = child_number(node, "KeyTag")?;
    let algorithm: u8 = child_number(node, "Algorithm")?;
    let digest_type: u8 = child_number(node, "DigestType")?;
    let digest: String = child_text(node, "Digest")?
        .split_ascii_whitespace()
        .collect();
    let digest = HEXUPPER_PERMISSIVE
        .decode(digest.as_bytes())
        .map_err(|_| AnchorError::Xml("a Digest is not hexadecimal".into()))?;
    let rdata = [
        &key_tag.to_be_bytes()[..],
        &[algorithm, digest_type],
        &digest,
    ]
    .concat();
    TrustAnchor::from_ds(zone.clone(), &rdata, read_validity(node)?)
        .ok_or_else(|| AnchorError::Xml("a Digest has the wrong length for its type".into()))
}

/// Reads the times of an anchor: `validFrom` is mandatory and `validUntil` optional (RFC 9718
/// §2.2). At `validUntil` the anchor is no longer valid.
fn read_validity(node: Node<'_, '_>) -> Result<Validity, AnchorError> {
    let time = |attribute: &str| {
        node.attribute(attribute)
            .map(|text| {
                // RFC 9718 §2.2 allows only RFC 3339 times.
                let time = Some(text).filter(|text| !text.starts_with('@'));
                time.map_or(Err(TimestampError), str::parse::<Timestamp>)
                    .map_err(|error| AnchorError::Xml(format!("{attribute}: {error}")))
            })
            .transpose()
    };
    let start = time("validFrom")?
        .ok_or_else(|| AnchorError::Xml("a KeyDigest has no validFrom".into()))?;
    let end = time("validUntil")?.map_or(Timestamp::MAX, |until| until.saturating_sub(1));
    Period::new(start, end)
        .map(Validity::from)
        .ok_or_else(|| AnchorError::Xml("a KeyDigest's validUntil is not after validFrom".into()))
}

/// Returns the whole text of the only child with that name, even if comments interrupt it.
fn child_text(node: Node<'_, '_>, name: &str) -> Result<String, AnchorError> {
    let parent = node.tag_name().name();
    let mut children = node.children().filter(|child| child.has_tag_name(name));
    let (Some(child), None) = (children.next(), children.next()) else {
        return Err(AnchorError::Xml(format!(
            "{parent} does not have exactly one {name}"
        )));
    };
    if child.children().any(|inner| inner.is_element()) {
        return Err(AnchorError::Xml(format!("a {name} contains elements")));
    }
    let text: String = child
        .children()
        .filter_map(|inner| inner.is_text().then(|| inner.text()).flatten())
        .collect();
    Ok(text.trim().into())
}

fn child_number<N: std::str::FromStr>(node: Node<'_, '_>, name: &str) -> Result<N, AnchorError> {
    child_text(node, name)?
        .parse()
        .map_err(|_| AnchorError::Xml(format!("a {name} is not a number, or out of range")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anchor::TrustAnchors;

    /// An example in the form of RFC 9718 §2.3, with an anchor that has ended.
    const XML: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<TrustAnchor id="E9724F53-1851-4F86-85E5-F1392102940B" source="http://data.iana.org/root-anchors/root-anchors.xml">
<Zone>.</Zone>
<KeyDigest id="Kjqmt7v" validFrom="2010-07-15T00:00:00+00:00" validUntil="2019-01-11T00:00:00+00:00">
<KeyTag>19036</KeyTag><Algorithm>8</Algorithm><DigestType>2</DigestType>
<Digest>49AAC11D7B6F6446702E54A1607371607A1A41855200FD2CE1CDDE32F24E8FB5</Digest>
</KeyDigest>
<KeyDigest id="Klajeyz" validFrom="2017-02-02T00:00:00+00:00">
<KeyTag>20326</KeyTag><Algorithm>8</Algorithm><DigestType>2</DigestType>
<Digest>E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D</Digest>
<PublicKey>AwEA</PublicKey><Flags>257</Flags>
</KeyDigest>
</TrustAnchor>"#;

    #[test]
    fn reads_ianas_form_with_its_times() {
        let anchors: TrustAnchors = XML.parse().unwrap();
        let tags: Vec<_> = anchors.iter().map(TrustAnchor::key_tag).collect();
        assert_eq!(tags, [19036, 20326]);
        let mut anchors = anchors.iter();
        let (old, current) = (anchors.next().unwrap(), anchors.next().unwrap());
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert!(!old.validity().contains(at("2010-07-14T23:59:59Z")));
        assert!(old.validity().contains(at("2010-07-15T00:00:00Z")));
        assert!(old.validity().contains(at("2019-01-10T23:59:59Z")));
        assert!(!old.validity().contains(at("2019-01-11T00:00:00Z")));
        assert!(current.validity().contains(Timestamp::MAX));
    }

    #[test]
    fn says_what_is_wrong() {
        for (from, to, problem) in [
            ("<Zone>.</Zone>", "", "not have exactly one Zone"),
            (
                "<Zone>.</Zone>",
                "<Zone>.</Zone><Zone>example.</Zone>",
                "not have exactly one Zone",
            ),
            (
                "<KeyTag>19036",
                "<KeyTag>1</KeyTag><KeyTag>19036",
                "not have exactly one KeyTag",
            ),
            ("49AAC11D", "49AA<b>C11D</b>", "contains elements"),
            ("49AAC11D", "49AA<!-- C11D -->", "length"),
            ("TrustAnchor", "Other", "root element"),
            ("8</Algorithm>", "300</Algorithm>", "Algorithm"),
            (" validFrom=", " from=", "no validFrom"),
            ("2010-07-15T", "2020-07-15T", "not after"),
            ("49AAC11D", "49AAC1", "length"),
            ("49AAC11D", "wrong!!!", "hexadecimal"),
            ("</TrustAnchor>", "", "never closed"),
        ] {
            let error = XML.replace(from, to).parse::<TrustAnchors>().unwrap_err();
            assert!(error.to_string().contains(problem), "{from}: {error}");
        }
    }

    #[test]
    fn reads_all_text_of_an_element_around_comments_and_in_cdata() {
        let plain: TrustAnchors = XML.parse().unwrap();
        for (from, to) in [
            ("49AAC11D", "49AA<!-- in between -->C11D"),
            (
                "49AAC11D",
                "\n 49AA\n <!-- a --><!-- b -->\t<![CDATA[C1]]>1D",
            ),
            ("<Digest>49AAC11D", "<Digest><?some thing?>49AAC11D"),
            (
                "<KeyTag>19036",
                "<KeyTag><!-- the old one --> 19<!-- -->036 ",
            ),
            ("<Zone>.", "<Zone><!-- the root --><![CDATA[.]]>"),
        ] {
            assert_eq!(XML.replace(from, to).parse(), Ok(plain.clone()), "{to}");
        }
    }

    #[test]
    fn entities_cannot_grow() {
        let bomb = format!(
            "<!DOCTYPE x [<!ENTITY a \"aaaa\">]>{}",
            XML.split_once("?>").unwrap().1
        );
        assert!(bomb.parse::<TrustAnchors>().is_err());
    }
}
