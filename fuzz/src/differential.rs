//! S-06, S-07, S-39: the library refuses what a peer refuses, and the peer accepts what the library
//! accepts, with the same plaintext. Each difference is one of the requirements of
//! `interop/src/refusals/mod.rs`.

use interop::{
    Library, MessageVersion, SeededRng,
    forge::{Kind, Sender, Variant},
    refusals::{Offer, Receivers, Requirement, STRICTER, WIDER, is_excluded, reasons},
};
use vodozemac::base64_encode;

/// A sender whose secrets are known: its bytes get past MAC and signature into the decoders. Always
/// the same one, so that a message in a corpus stays what it is.
pub fn insider(version: MessageVersion) -> Sender {
    Sender::random(&mut SeededRng::new(39), version)
}

/// What the first byte of an input says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub kind: usize,
    /// The rest is a body, to be authenticated; else it is everything.
    pub sealed: bool,
    /// The rest is text; else bytes, whose base64 is offered.
    pub text: bool,
    pub version_4: bool,
}

impl Header {
    pub fn from_byte(byte: u8) -> Self {
        let [sealed, text, version_4] = [8, 16, 32].map(|bit| byte & bit != 0);
        Self { kind: usize::from(byte & 7) % Kind::ALL.len(), sealed, text, version_4 }
    }

    pub fn to_byte(self) -> u8 {
        let flags = [(self.sealed, 8), (self.text, 16), (self.version_4, 32)];
        flags.into_iter().filter(|(set, _)| *set).fold(self.kind as u8, |byte, (_, bit)| byte | bit)
    }
}

/// Two libraries that know the same sender.
pub struct Pair {
    insider: Sender,
    theirs: Library,
    receivers: [Receivers; 2],
}

impl Pair {
    pub fn new(theirs: Library, version: MessageVersion) -> Self {
        let insider = insider(version);
        let rng = &mut SeededRng::new(0);
        let receivers =
            [Library::Ours, theirs].map(|library| Receivers::of(library, &insider, rng));
        Self { insider, theirs, receivers }
    }

    /// Offers the input to both.
    pub fn offer(&self, header: Header, rest: &[u8]) {
        let kind = Kind::ALL[header.kind];
        let Some((bytes, text)) = self.content(header, kind, rest) else { return };
        let sealed = header.sealed && kind != Kind::ExportedSessionKey;
        let variant = Variant { kind, bytes, sealed };
        let offer = Offer { sender: &self.insider, variant: &variant, text: &text };
        if is_excluded(self.theirs, &offer) {
            return;
        }
        let [ours, theirs] =
            self.receivers.each_ref().map(|receivers| receivers.verdict(kind, &text));
        match (ours, theirs) {
            (Some(ours), Some(theirs)) => assert_eq!(ours, theirs, "{kind:?} {text}"),
            (None, None) => {}
            (None, Some(_)) => must_have_a_reason(STRICTER, &offer, "we refuse"),
            (Some(_), None) => must_have_a_reason(WIDER, &offer, "we accept"),
        }
    }

    fn content(&self, header: Header, kind: Kind, rest: &[u8]) -> Option<(Vec<u8>, String)> {
        if header.text {
            let text = str::from_utf8(rest).ok()?;
            let bytes = vodozemac::base64_decode(text).unwrap_or_default();
            return Some((bytes, text.to_owned()));
        }
        let bytes = if header.sealed { self.insider.sealed(kind, rest) } else { rest.to_vec() };
        let text = base64_encode(&bytes);
        Some((bytes, text))
    }
}

fn must_have_a_reason(list: &[Requirement], offer: &Offer, what: &str) {
    assert!(
        reasons(list, offer).next().is_some(),
        "{what} for no reason: {:?} {}",
        offer.variant.kind,
        offer.text
    );
}
