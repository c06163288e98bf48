//! The inputs that both libraries get, the lists of allowed differences, and the ends that give the
//! verdicts. The tests and the fuzz targets share this module.

mod requirements;

use vodozemac::base64_encode;

pub use self::requirements::Offer;
use crate::{
    Library, MessageVersion, SeededRng,
    forge::{Kind, Sender},
    peer::{GroupReceiver, OlmPeer, Wire},
};

/// A requirement of ours, its reason, and whether the offer violates it.
pub type Requirement = (&'static str, &'static str, fn(&Offer) -> bool);

/// What we require and a peer need not.
pub const STRICTER: &[Requirement] = &[
    ("S-30", "one value has one text, padded or not", requirements::text_is_not_base64),
    ("S-13", "a pre-key message begins with 3", requirements::wrong_outer_version),
    ("S-07", "the fields of the format, once, minimal, nothing else", requirements::malformed),
    ("S-16", "the sender's key is the expected one", requirements::foreign_identity_key),
    ("S-09", "the outer keys are the session's", requirements::foreign_outer_keys),
    ("S-01 order", "a key contributes to every secret", requirements::curve25519_low_order),
    ("S-01 canonical", "a key has one encoding", requirements::curve25519_not_canonical),
    ("S-14 point", "a key that can sign", requirements::ed25519_not_on_curve),
    ("S-14 order", "a key that signs one thing only", requirements::ed25519_small_order),
    ("S-14 canonical", "a key has one encoding", requirements::ed25519_not_canonical),
    ("S-14 S", "a signature has one encoding", requirements::s_not_reduced),
    ("S-06", "the MAC covers the bytes received", requirements::not_the_sealed_bytes),
    ("S-28", "the padding is all of PKCS#7", requirements::bad_padding),
];

/// What we accept and a peer need not.
pub const WIDER: &[Requirement] = &[
    ("S-30", "base64 with its padding, everywhere", requirements::padded_text),
    ("S-06", "fields in any order and unknown ones, as sealed", requirements::sealed_unusually),
];

/// The requirements of the list that the offer violates.
pub fn reasons<'a>(
    list: &'a [Requirement],
    offer: &'a Offer,
) -> impl Iterator<Item = &'static str> + use<'a> {
    list.iter().filter(|(_, _, applies)| applies(offer)).map(|(name, _, _)| *name)
}

/// Whether the peer gives no verdict on such an offer that could be compared.
pub fn is_excluded(theirs: Library, offer: &Offer) -> bool {
    theirs == Library::Libolm && requirements::bad_block_length(offer)
}

/// One library's ends of everything that a sender sends.
pub struct Receivers {
    library: Library,
    identity_key: String,
    account: Box<dyn OlmPeer>,
    session: Box<dyn OlmPeer>,
    group: Box<dyn GroupReceiver>,
    version: MessageVersion,
}

impl Receivers {
    /// Receivers who know the sender already.
    pub fn of(library: Library, sender: &Sender, rng: &mut SeededRng) -> Self {
        let (version, identity_key) = (sender.version, sender.identity_key.clone());
        let account = library.device_from(version, &sender.bob);
        let mut session = account.fresh();
        let (first, _) = sender.genuine(rng, Kind::FirstPreKey);
        let first = Wire { message_type: 0, body: base64_encode(first) };
        session.accept(&identity_key, &first).unwrap();
        let group = library.group_receiver(version, &base64_encode(&sender.session_key)).unwrap();
        Self { library, identity_key, account, session, group, version }
    }

    /// The plaintext, or what a key makes, or nothing.
    pub fn verdict(&self, kind: Kind, text: &str) -> Option<String> {
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
