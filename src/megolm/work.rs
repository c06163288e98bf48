//! S-45: what a group message costs before its MAC is checked.

use super::{
    DecryptionError, GroupSession, GroupSessionConfig, InboundGroupSession, MegolmMessage,
};
use crate::{
    primitives::{
        ed25519::SigningKey,
        secret::Secret,
        work::{self, Counting, Work},
    },
    wire::{MessageVersion, megolm::SessionKey},
};

/// 255 steps of each of the four parts, and the parts that the last step of each derives again.
const MOST_STEPS: usize = 4 * 255 + 3 + 2 + 1;

/// S-45: a message without the signature of the session's owner costs one verification and no hash,
/// whatever its index, alone and among others.
#[test]
fn s_45_a_forged_group_message_costs_one_verification() {
    let config = GroupSessionConfig::default();
    let mut sender = GroupSession::with_rng(config, &mut Counting(0)).unwrap();
    let mut receiver = InboundGroupSession::new(&sender.session_key());
    let genuine = sender.encrypt(b"message").unwrap();
    for place in [2, 10, genuine.as_bytes().len() - 1] {
        let mut bytes = genuine.as_bytes().to_vec();
        bytes[place] ^= 1;
        let forged = MegolmMessage::from_bytes(&bytes).unwrap();
        let (refused, work) = work::of(|| receiver.decrypt(&forged));
        assert_eq!(refused, Err(DecryptionError::Authentication));
        assert_eq!(work, Work { verifications: 1, ..Work::default() });
        let (refused, work) = work::of(|| receiver.decrypt_batch([&forged; 30]));
        assert_eq!(refused, [const { Err(DecryptionError::Authentication) }; 30]);
        assert_eq!(work, Work { verifications: 30, ..Work::default() });
    }
    assert!(receiver.decrypt(&genuine).is_ok());
}

/// S-45: the owner of a session can sign any index with a wrong MAC. Each such message costs one
/// verification, at most 1,026 hashes to its index, 4 of the cipher and 1 of the MAC.
#[test]
fn s_45_a_message_of_a_hostile_owner_costs_a_bounded_number_of_hashes() {
    let signing_key = SigningKey::from_seed(Secret::new([1; 32]));
    let public = crate::keys::Ed25519PublicKey::from_signing_key(signing_key.public());
    let key = SessionKey::new(0, &Secret::new([2; 128]), public, |bytes| signing_key.sign(bytes));
    let mut receiver = InboundGroupSession::new(&key);
    let mut hostile = |index: u32| {
        let message = MegolmMessage::encode(
            MessageVersion::V3,
            index,
            0,
            |mut message| {
                message.extend([0; 16 + 8]);
                message
            },
            |bytes| signing_key.sign(bytes),
        );
        let (refused, work) = work::of(|| receiver.decrypt(&message));
        assert_eq!(refused, Err(DecryptionError::Authentication));
        assert_eq!((work.verifications, work.multiplications), (1, 0));
        work.hmacs
    };
    assert_eq!(hostile(0), 4 + 1);
    assert_eq!(hostile(1), 1 + 4 + 1);
    // Nothing of it is remembered, so it costs the same again.
    assert_eq!([hostile(u32::MAX), hostile(u32::MAX)], [MOST_STEPS + 4 + 1; 2]);
    for index in [0x0100_0000, 0x00ff_ffff, 0xff00_0000, 0xff00_ff00, 0x7fff_ffff, 0xffff_fffe] {
        assert!(hostile(index) < MOST_STEPS + 4 + 1);
    }
}
