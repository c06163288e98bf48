//! Native pickles and dehydrated devices.
//!
//! Their text is public. Both are encrypted with a stream cipher, so a bit of the ciphertext that
//! is undefined makes the same bit of the state undefined: the state is read with undefined secrets
//! between defined lengths, flags and public keys. They become undefined when the text has been
//! decoded.

use std::ops::Range;

use moceril::{
    MessageVersion, PassphraseCost, PassphraseKey, PickleKey,
    megolm::{GroupSession, InboundGroupSession, ReplayGuard},
    olm::{Account, Session},
};
use moceril_testing::{
    pickle_editor::{CONTEXT, HEADER_LENGTH, KEY, OpenPickle, decode},
    pickle_map::Kind,
};

use super::{channels::secret, keys::published_account, megolm, olm::Devices};
use crate::{
    memcheck::hide_during,
    secrets::{
        Disclosed::{Nonce, Pickle},
        SecretRng, declassify, must_be_secret,
    },
};

/// Writes a pickle under a secret key, and reads one whose secrets are secret.
macro_rules! round_trip {
    ($name:ident, $object:ident) => {
        fn $name(object: &$object) -> $object {
            let mut rng = SecretRng::new(30);
            let key = PickleKey::with_rng(&mut rng).unwrap();
            let text = key.to_base64();
            must_be_secret(text.as_bytes());
            let key = PickleKey::from_base64(&text).unwrap();
            must_be_secret(&key.to_bytes());
            let pickle = object.pickle_with_rng(&key, CONTEXT, &mut rng).unwrap();
            declassify(Pickle, pickle.as_bytes());

            let key = PickleKey::from_bytes(KEY);
            let pickle = object.pickle_with_rng(&key, CONTEXT, &mut rng).unwrap();
            declassify(Pickle, pickle.as_bytes());
            let fields = OpenPickle::open(&pickle).fields().into_iter();
            let secrets = fields
                .filter(|field| field.kind == Kind::Secret)
                .map(|field| HEADER_LENGTH + field.place.start..HEADER_LENGTH + field.place.end);
            let wrong = PickleKey::from_bytes(rng.bytes());
            assert!($object::from_pickle(&pickle, &wrong, CONTEXT).is_err());
            // The last block before the decryption is the associated data: version, type and
            // context.
            hide_during(2 + CONTEXT.len(), decode(&pickle), secrets.collect(), || {
                $object::from_pickle(&pickle, &key, CONTEXT).unwrap()
            })
        }
    };
}

round_trip!(account_round_trip, Account);
round_trip!(session_round_trip, Session);
round_trip!(group_session_round_trip, GroupSession);
round_trip!(inbound_group_session_round_trip, InboundGroupSession);

pub fn account() {
    let account = account_round_trip(&published_account(&mut SecretRng::new(31)));
    must_be_secret(account.sign(b"still secret").as_bytes());
}

pub fn session() {
    let mut devices = Devices::new(32, MessageVersion::V3);
    let (mut alice, mut bob) = devices.sessions();
    devices.send(&mut alice);
    let mut alice = session_round_trip(&alice);
    must_be_secret(alice.encrypt_with_rng(b"text", &mut devices.rng).unwrap().as_bytes());
    let mut bob = {
        devices.send(&mut bob);
        session_round_trip(&bob)
    };
    must_be_secret(bob.encrypt_with_rng(b"text", &mut devices.rng).unwrap().as_bytes());
}

pub fn group_sessions() {
    let session = megolm::new_session(&mut SecretRng::new(33));
    let inbound = megolm::receiver(&session);
    let mut session = group_session_round_trip(&session);
    must_be_secret(session.encrypt(b"text").unwrap().as_bytes());
    let guard = ReplayGuard::new(&inbound);
    let rng = &mut SecretRng::new(39);
    let key = PickleKey::from_bytes(rng.bytes());
    let pickle = guard.pickle_with_rng(&key, CONTEXT, rng).unwrap();
    declassify(Pickle, pickle.as_bytes());
    assert!(ReplayGuard::from_pickle(&pickle, &key, b"wrong", &inbound).is_err());
    let inbound = inbound_group_session_round_trip(&inbound);
    must_be_secret(&inbound.export_at_first_known_index().unwrap().to_bytes());
}

/// A cost that memcheck can bear.
const COST: PassphraseCost = PassphraseCost { memory_kib: 8, passes: 1, lanes: 1 };

const PASSPHRASE: &str = "correct horse battery staple";

/// Pickles under a key from a passphrase, and the verdicts on a wrong passphrase and a wrong
/// context.
macro_rules! under_passphrase {
    ($key:ident, $rng:ident, $($object:ident: $value:expr $(, of $session:ident)?);+) => {$(
        let pickle = $value.pickle_with_passphrase_with_rng(&$key, CONTEXT, $rng).unwrap();
        declassify(Pickle, pickle.as_bytes());
        assert!(PassphraseKey::for_pickle(&pickle, &secret("wrong"), COST).is_err());
        let key = PassphraseKey::for_pickle(&pickle, &secret(PASSPHRASE), COST).unwrap();
        assert!($object::from_passphrase_pickle(&pickle, &key, b"wrong" $(, &$session)?).is_err());
    )+};
}

pub fn passphrase() {
    let rng = &mut SecretRng::new(37);
    let key = PassphraseKey::weak_with_rng(&secret(PASSPHRASE), COST, rng).unwrap();
    let session = megolm::new_session(rng);
    let inbound = megolm::receiver(&session);
    let (olm_session, _) = Devices::new(38, MessageVersion::V3).sessions();
    under_passphrase!(
        key,
        rng,
        Account: published_account(rng);
        Session: olm_session;
        GroupSession: session;
        InboundGroupSession: inbound;
        ReplayGuard: ReplayGuard::new(&inbound), of inbound
    );
}

/// Version, X25519 key, Ed25519 seed; count, two X25519 keys; flag, X25519 key.
const DEHYDRATED_SECRETS: [Range<usize>; 3] = [4..68, 72..136, 137..169];

pub fn dehydrated() {
    let mut rng = SecretRng::new(34);
    let account = published_account(&mut rng);
    let mut dehydrate = |key: [u8; 32]| {
        let key = PickleKey::from_bytes(key);
        account.dehydrate_lossy_with_rng(&key, &mut rng).unwrap();
        let device = account.dehydrate_with_rng(&key, &mut rng).unwrap();
        declassify(Pickle, device.ciphertext.as_bytes());
        declassify(Nonce, device.nonce.as_bytes());
        device
    };
    dehydrate(SecretRng::new(35).bytes());
    let device = dehydrate(KEY);
    let wrong = PickleKey::from_bytes(SecretRng::new(36).bytes());
    assert!(Account::rehydrate(&device, &wrong).is_err());
    // The last block before the decryption is for the state, which has no tag.
    let content = decode(&device.ciphertext);
    let account = hide_during(content.len() - 16, content, DEHYDRATED_SECRETS.into(), || {
        Account::rehydrate(&device, &PickleKey::from_bytes(KEY)).unwrap()
    });
    must_be_secret(account.sign(b"still secret").as_bytes());
}
