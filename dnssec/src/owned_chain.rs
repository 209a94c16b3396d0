//! A chain that owns its messages.

use crate::anchor::TrustAnchors;
use crate::authentication_chain::messages_from_authentication_chain;
use crate::chain::Chain;
use crate::demand::Demand;
use crate::error::Error;
use crate::fact::{Fact, Proof};
use crate::name::Name;
use crate::record::RecordType;

/// A [`Chain`] that owns its messages. It can be kept, and made from octets that are not DNS
/// messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedChain {
    /// The messages. Each was read successfully when the chain was made.
    messages: Vec<Vec<u8>>,
}

impl Chain<'static> {
    /// Reads the `AuthenticationChain` of RFC 9102 §2.3, a list of uncompressed records in any
    /// order, as TLS clients and wallets (BIP 353) use it. In the TLS extension the list follows
    /// two octets, the `ExtSupportLifetime`; do not pass them.
    ///
    /// ```
    /// use dnssec::{Chain, Fact, RecordType, Timestamp, TrustAnchors};
    /// # let world = kliento_fixtures::World::builder()
    /// #     .at(1_795_262_400)
    /// #     .zone(".", kliento_fixtures::Algorithm::Ed25519)
    /// #     .txt("matt.user._bitcoin-payment.example.", "bitcoin:?lno=lno1")
    /// #     .build();
    /// # let owner = "matt.user._bitcoin-payment.example.";
    /// # let anchors: TrustAnchors = world.anchors().parse()?;
    /// # let records: Vec<u8> = (world.responses(owner, kliento_fixtures::TXT).0.iter())
    /// #     .flat_map(|response| response.answers.iter().flat_map(|record| record.to_wire()))
    /// #     .collect();
    ///
    /// let chain = Chain::from_authentication_chain(&records)?;
    /// let name = "matt.user._bitcoin-payment.example".parse()?;
    /// let now: Timestamp = "2026-11-21T12:00:00Z".parse()?;
    /// let proof = chain.verify(&name, RecordType::TXT, &anchors, now)?;
    /// assert_eq!(proof.rdata().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_authentication_chain(records: &[u8]) -> Result<OwnedChain, Error> {
        OwnedChain::new(messages_from_authentication_chain(records)?)
    }
}

impl Chain<'_> {
    /// Returns the same chain with copies of its messages.
    pub fn to_owned_chain(&self) -> OwnedChain {
        OwnedChain {
            messages: self.messages().map(<[u8]>::to_vec).collect(),
        }
    }
}

impl OwnedChain {
    /// Makes a chain of DNS messages as a resolver sent them.
    pub fn new(messages: Vec<Vec<u8>>) -> Result<Self, Error> {
        Chain::from_messages(&messages)?;
        Ok(Self { messages })
    }

    /// Returns the chain, borrowed from this one. Its messages are read again each time.
    pub fn as_chain(&self) -> Chain<'_> {
        // They were read before, so this cannot fail. If it could, the result would be a chain that
        // proves nothing.
        Chain::from_messages(&self.messages).unwrap_or_default()
    }

    /// Does the same as [`Chain::look_up`].
    pub fn look_up(
        &self,
        name: &Name,
        record_type: RecordType,
        anchors: &TrustAnchors,
        demand: impl Into<Demand>,
    ) -> Result<Fact<'_>, Error> {
        self.as_chain().look_up(name, record_type, anchors, demand)
    }

    /// Does the same as [`Chain::verify`].
    pub fn verify(
        &self,
        name: &Name,
        record_type: RecordType,
        anchors: &TrustAnchors,
        demand: impl Into<Demand>,
    ) -> Result<Proof<'_>, Error> {
        self.as_chain().verify(name, record_type, anchors, demand)
    }
}
