//! The functions of the feature `hazmat` that borrow the secrets they work on. One that takes a
//! secret by value, or returns one, leaves it in its caller's frames, which the library cannot
//! reach.

use moceril::{
    Ed25519SecretKey, MessageVersion,
    hazmat::Cipher,
    megolm::{GroupSession, GroupSessionConfig, InboundGroupSession, MegolmMessage},
    olm::{Account, OlmMessage, PreKeyBundle, Session, SessionConfig},
};

use crate::{PLAINTEXT, distinct_keys, look, secrets::Secrets, state};

pub fn ciphers() {
    let key = distinct_keys(1 << 36).upcoming(0);
    let all = |met: &mut Secrets| {
        met.message_key(&key, "OLM_KEYS").add("plaintext", PLAINTEXT);
    };
    let cipher = Cipher::olm(&key);
    let encrypt = || cipher.encrypt(PLAINTEXT);
    let ciphertext = look("hazmat: cipher, encrypt", encrypt, |_, met| all(met));
    let decrypt = || cipher.decrypt(&ciphertext).unwrap();
    look("hazmat: cipher, decrypt", decrypt, |_, met| all(met));
    let mac = look("hazmat: cipher, MAC", || cipher.mac(&ciphertext), |_, met| all(met));
    let verify = || cipher.verify_mac(&ciphertext, mac);
    assert!(look("hazmat: cipher, verify", verify, |_, met| all(met)));
}

pub fn sessions() {
    let rng = &mut distinct_keys(1 << 37);
    let alice = Account::with_rng(rng).unwrap();
    let bob_keys = *rng;
    let mut bob = Account::with_rng(rng).unwrap();
    let one_time = *rng;
    bob.generate_one_time_keys_with_rng(1, rng).unwrap();
    let (_, one_time_key) = bob.signed_one_time_keys()[0];
    let bundle = PreKeyBundle::verify(bob.identity_keys(), &one_time_key).unwrap();
    let config = SessionConfig::default();
    let mut ours = alice.create_outbound_session_with_rng(&bundle, config, rng).unwrap();
    let sending = state(&ours);
    let OlmMessage::PreKey(first) = ours.encrypt_with_rng(PLAINTEXT, rng).unwrap() else {
        unreachable!("nothing was received yet")
    };
    let unread =
        || bob.create_inbound_session_unread(alice.curve25519_key(), &first, config).unwrap();
    look("hazmat: inbound session, unread", unread, |_, met| {
        met.drawn(&["Ed25519 seed", "identity key"], bob_keys);
        met.drawn(&["one-time key"], one_time).all(&sending);
    });

    let sending = state(&ours);
    let mut content = vec![0; 1 << 14];
    let write = || ours.write_libolm_content(&mut content).unwrap();
    let length = look("hazmat: session, content written", write, |_, met| {
        met.all(&sending);
    });
    let read = || Session::from_own_libolm_content(&content[..length.unwrap()]).unwrap().0;
    look("hazmat: session, content read", read, |_, met| {
        met.all(&sending);
    });
    let write = || bob.write_libolm_content(&mut content).unwrap();
    let length = look("hazmat: account, content written", write, |_, met| {
        met.drawn(&["Ed25519 seed", "identity key", "one-time key"], bob_keys);
    });
    let read = || Account::from_own_libolm_content(&content[..length.unwrap()]).unwrap().0;
    look("hazmat: account, content read", read, |_, met| {
        met.drawn(&["Ed25519 seed", "identity key", "one-time key"], bob_keys);
    });
}

pub fn groups() {
    let rng = &mut distinct_keys(1 << 38);
    let (parts, drawn) = (["R0", "R1", "R2", "R3", "Ed25519 seed"], *rng);
    let room = GroupSession::with_rng(GroupSessionConfig::default(), rng).unwrap();
    let receiver = InboundGroupSession::new(&room.session_key());
    let mut content = vec![0; 1024];
    let write = || room.write_libolm_content(&mut content).unwrap();
    let length = look("hazmat: group session, content written", write, |_, met| {
        met.drawn(&parts, drawn);
    });
    let read = || GroupSession::from_own_libolm_content(&content[..length.unwrap()]).unwrap().0;
    look("hazmat: group session, content read", read, |_, met| {
        met.drawn(&parts, drawn);
    });
    let write = || receiver.write_libolm_content(&mut content).unwrap();
    let length = look("hazmat: inbound group session, content written", write, |_, met| {
        met.drawn(&parts[..4], drawn);
    });
    let read =
        || InboundGroupSession::from_own_libolm_content(&content[..length.unwrap()]).unwrap().0;
    look("hazmat: inbound group session, content read", read, |_, met| {
        met.drawn(&parts[..4], drawn);
    });

    let cipher = receiver.cipher_at(0).unwrap();
    let signing_key = Ed25519SecretKey::from_bytes(drawn.upcoming(4));
    let encrypt =
        || MegolmMessage::encrypt(MessageVersion::V3, 0, &cipher, &signing_key, PLAINTEXT);
    let ratchet = [0, 1, 2, 3].map(|part| drawn.upcoming(part)).concat();
    look("hazmat: group message, encrypt", encrypt, |_, met| {
        met.message_key(&ratchet, "MEGOLM_KEYS").drawn(&parts, drawn);
        met.add("plaintext", PLAINTEXT);
    });
}
