//! S-06, S-07, S-39: what a peer refuses, we refuse; what we accept, the peer accepts, with the same
//! plaintext. Where we differ, it is one of the requirements of `interop/tests/refusals.rs`.

use interop::{
    Library, MessageVersion, SeededRng,
    forge::{Kind, Variant},
    peer::{GroupReceiver, OlmPeer, Wire},
};
use vodozemac::base64_encode;

use crate::{
    insider::Insider,
    requirements::{self, Offer},
};

/// A requirement's number, and whether an offer violates it.
type Requirement = (&'static str, fn(&Offer) -> bool);

/// What we require and a peer need not.
const STRICTER: &[Requirement] = &[
    ("S-30", requirements::text_is_not_base64),
    ("S-13", requirements::wrong_outer_version),
    ("S-07", requirements::malformed),
    ("S-16", requirements::foreign_identity_key),
    ("S-09", requirements::foreign_outer_keys),
    ("S-01 order", requirements::curve25519_low_order),
    ("S-01 canonical", requirements::curve25519_not_canonical),
    ("S-14 point", requirements::ed25519_not_on_curve),
    ("S-14 order", requirements::ed25519_small_order),
    ("S-14 canonical", requirements::ed25519_not_canonical),
    ("S-14 S", requirements::s_not_reduced),
    ("S-06", requirements::not_the_sealed_bytes),
    ("S-28", requirements::bad_padding),
];

/// What we accept and a peer need not.
const WIDER: &[Requirement] =
    &[("S-30", requirements::padded_text), ("S-06", requirements::sealed_unusually)];

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
    insider: Insider,
    theirs: Library,
    receivers: [Receivers; 2],
}

impl Pair {
    pub fn new(theirs: Library, version: MessageVersion) -> Self {
        let insider = Insider::new(version);
        let receivers = [Library::Ours, theirs].map(|library| Receivers::of(library, &insider));
        Self { insider, theirs, receivers }
    }

    /// Offers the input to both.
    pub fn offer(&self, header: Header, rest: &[u8]) {
        let kind = Kind::ALL[header.kind];
        let Some((bytes, text)) = self.content(header, kind, rest) else { return };
        let sealed = header.sealed && kind != Kind::ExportedSessionKey;
        let variant = Variant { kind, bytes, sealed };
        let offer = Offer { sender: &self.insider.sender, variant: &variant, text: &text };
        if self.theirs == Library::Libolm && requirements::bad_block_length(&offer) {
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
        let bytes = if header.sealed { self.insider.seal(kind, rest) } else { rest.to_vec() };
        let text = base64_encode(&bytes);
        Some((bytes, text))
    }
}

fn must_have_a_reason(list: &[Requirement], offer: &Offer, what: &str) {
    let reason = list.iter().find(|(_, applies)| applies(offer));
    assert!(reason.is_some(), "{what} for no reason: {:?} {}", offer.variant.kind, offer.text);
}

/// One library's ends of everything that the insider sends.
struct Receivers {
    library: Library,
    version: MessageVersion,
    identity_key: String,
    account: Box<dyn OlmPeer>,
    session: Box<dyn OlmPeer>,
    group: Box<dyn GroupReceiver>,
}

impl Receivers {
    fn of(library: Library, insider: &Insider) -> Self {
        let sender = &insider.sender;
        let (version, identity_key) = (sender.version, sender.identity_key.clone());
        let account = library.device_from(version, &sender.bob);
        let mut session = account.fresh();
        let (first, _) = sender.genuine(&mut SeededRng::new(0), Kind::FirstPreKey);
        let first = Wire { message_type: 0, body: base64_encode(first) };
        session.accept(&identity_key, &first).unwrap();
        let group = library.group_receiver(version, &base64_encode(&sender.session_key)).unwrap();
        Self { library, version, identity_key, account, session, group }
    }

    /// The plaintext, or what a key makes, or nothing.
    fn verdict(&self, kind: Kind, text: &str) -> Option<String> {
        let wire = |message_type| Wire { message_type, body: text.to_owned() };
        match kind {
            Kind::FirstPreKey => self.account.fresh().accept(&self.identity_key, &wire(0)).ok(),
            Kind::LaterPreKey => self.session.fresh().decrypt(&wire(0)).ok(),
            Kind::Normal => self.session.fresh().decrypt(&wire(1)).ok(),
            Kind::Group => self.group.fresh().decrypt(text).ok().map(|(plaintext, _)| plaintext),
            Kind::SessionKey => self.library.group_receiver(self.version, text).ok().map(describe),
            Kind::ExportedSessionKey => {
                self.library.import_group_receiver(self.version, text).ok().map(describe)
            }
        }
    }
}

fn describe(mut receiver: Box<dyn GroupReceiver>) -> String {
    let index = receiver.first_known_index();
    format!("{} {}", receiver.session_id(), receiver.export_at(index).unwrap())
}
