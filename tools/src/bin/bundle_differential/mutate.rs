//! Changes of encoded values that keep some of their structure.

use fastrand::Rng;
use kliento_fixture_cases::der::tlv;

/// A value of DER as a tree, so that what is changed within it keeps the lengths around it right.
#[derive(Clone)]
enum Node {
    Constructed(u8, Vec<Node>),
    Primitive(u8, Vec<u8>),
}

impl Node {
    fn write(&self, output: &mut Vec<u8>) {
        let (tag, content) = match self {
            Self::Constructed(tag, children) => {
                let mut content = Vec::new();
                for child in children {
                    child.write(&mut content);
                }
                (*tag, content)
            }
            Self::Primitive(tag, content) => (*tag, content.clone()),
        };
        output.extend(tlv(tag, &content));
    }

    fn count(&self) -> usize {
        match self {
            Self::Constructed(_, children) => 1 + children.iter().map(Self::count).sum::<usize>(),
            Self::Primitive(..) => 1,
        }
    }
}

/// The values in some octets, or `None` if they are not read to the end.
fn parse(mut octets: &[u8], depth: usize) -> Option<Vec<Node>> {
    let mut nodes = Vec::new();
    while let [tag, length, rest @ ..] = octets {
        let (length, rest) = match length {
            0..=0x7f => (usize::from(*length), rest),
            0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
            0x82 => (
                usize::from(*rest.first()?) << 8 | usize::from(*rest.get(1)?),
                rest.get(2..)?,
            ),
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        let children = if tag & 0x20 != 0 && depth > 0 {
            parse(content, depth - 1)
        } else {
            None
        };
        nodes.push(match children {
            Some(children) => Node::Constructed(*tag, children),
            None => Node::Primitive(*tag, content.to_vec()),
        });
        octets = rest;
    }
    octets.is_empty().then_some(nodes)
}

/// Tags that structures of X.509 and CMS have.
const TAGS: &[u8] = &[
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1e, 0x24, 0x30, 0x31,
    0x80, 0x81, 0x82, 0xa0, 0xa1, 0xa2, 0xa3,
];

/// Changes one value, or one within it.
pub(crate) fn der(rng: &mut Rng, encoded: &[u8]) -> Vec<u8> {
    let Some(mut nodes) = parse(encoded, 16).filter(|nodes| !nodes.is_empty()) else {
        return octets(rng, encoded);
    };
    let total: usize = nodes.iter().map(Node::count).sum();
    let mut target = rng.usize(..total);
    change(rng, &mut nodes, &mut target);
    let mut changed = Vec::new();
    for node in nodes {
        node.write(&mut changed);
    }
    changed
}

/// Walks to the node that `target` counts down to, and changes it. True once that is done.
fn change(rng: &mut Rng, siblings: &mut Vec<Node>, target: &mut usize) -> bool {
    for index in 0..siblings.len() {
        if *target == 0 {
            change_at(rng, siblings, index);
            return true;
        }
        *target -= 1;
        if let Some(Node::Constructed(_, children)) = siblings.get_mut(index)
            && change(rng, children, target)
        {
            return true;
        }
    }
    false
}

fn change_at(rng: &mut Rng, siblings: &mut Vec<Node>, index: usize) {
    let length = siblings.len();
    let Some(node) = siblings.get_mut(index) else {
        return;
    };
    match rng.u8(..9) {
        0 => {
            siblings.remove(index);
        }
        1 => {
            let copy = node.clone();
            siblings.insert(index, copy);
        }
        2 => siblings.swap(index, rng.usize(..length)),
        3 => {
            let tag = TAGS.get(rng.usize(..TAGS.len())).copied().unwrap_or(0x30);
            match node {
                Node::Constructed(old, _) | Node::Primitive(old, _) => *old = tag,
            }
        }
        4 => {
            *node = match node {
                Node::Constructed(tag, _) => Node::Constructed(*tag, Vec::new()),
                Node::Primitive(tag, _) => Node::Primitive(*tag, Vec::new()),
            }
        }
        5 => {
            let wrapped = Node::Constructed(0x30, vec![node.clone()]);
            *node = wrapped;
        }
        6 => {
            let extra = Node::Primitive(0x05, Vec::new());
            siblings.insert(index + 1, extra);
        }
        _ => match node {
            Node::Constructed(_, children) if children.is_empty() => {
                children.push(Node::Primitive(0x05, Vec::new()));
            }
            Node::Constructed(_, children) => rng.shuffle(children),
            Node::Primitive(_, content) => *content = octets(rng, content),
        },
    }
}

/// Changes, adds or removes an octet or two.
pub(crate) fn octets(rng: &mut Rng, octets: &[u8]) -> Vec<u8> {
    let mut changed = octets.to_vec();
    for _ in 0..=rng.usize(..2) {
        let at = rng.usize(..=changed.len());
        match (rng.u8(..4), changed.get_mut(at)) {
            (0, Some(octet)) => *octet ^= 1 << rng.u8(..8),
            (1, Some(octet)) => *octet = rng.u8(..),
            (2, Some(_)) => {
                changed.remove(at);
            }
            _ => changed.insert(at, rng.u8(..)),
        }
    }
    changed
}
