//! S-24: libolm has sessions that were made from a message and have not decrypted it. To vodozemac,
//! a chain of the peer means that a message arrived.

use moceril::{
    ConversionError, Loss,
    olm::{Account, OlmMessage, Session},
};
use moceril_testing::{
    fixtures::{config, pre_key},
    libolm_pickle::KEY,
    pickled::Pickled,
    rng::SeededRng,
    states,
};

/// Such a session goes on in vodozemac, with and without an answer of ours, and only that it is
/// unread is lost. libolm's form loses nothing.
#[test]
fn s_24_a_session_before_its_first_message_goes_on_in_vodozemac() {
    let rng = &mut SeededRng::new(7);
    let v3 = config(moceril::MessageVersion::V3);
    for answered in [false, true] {
        let (account, peer) = (states::account(1, rng), Account::with_rng(rng).unwrap());
        let bundle = states::bundle(&account);
        let mut theirs = peer.create_outbound_session_with_rng(&bundle, v3, rng).unwrap();
        let first = theirs.encrypt_with_rng(b"first", rng).unwrap();
        let sender = peer.curve25519_key();
        let created = account.create_inbound_session_unread(sender, &pre_key(&first), v3);
        let mut unread = created.unwrap();
        if answered {
            unread.encrypt_with_rng(b"lost", rng).unwrap();
        }
        let (pickle, loss) = unread.to_libolm_pickle_lossy(KEY).unwrap();
        let mut expected = Loss::default();
        expected.generation = answered;
        assert_eq!(loss, expected);
        let libolm = Session::from_libolm_pickle(&pickle, KEY).unwrap();
        assert_eq!(libolm.to_libolm_pickle(KEY).unwrap(), pickle);
        for (unread, mut expected) in [(unread, expected), (libolm, Loss::default())] {
            assert!(!unread.has_received_message());
            expected.unread = true;
            assert_eq!(unread.to_vodozemac_pickle().err(), Some(ConversionError::Lossy(expected)));
            let (pickle, loss) = unread.to_vodozemac_pickle_lossy().unwrap();
            assert_eq!(loss, expected);
            assert!(!loss.drops_keys());

            let mut moved = Session::from_vodozemac_pickle(pickle).unwrap();
            assert_eq!(moved.their_identity_key(), Some(sender));
            assert!(moved.to_vodozemac_pickle().is_ok());
            assert_eq!(moved.decrypt(&first).unwrap().plaintext(), b"first");
            let answer = moved.encrypt_with_rng(b"answer", rng).unwrap();
            assert!(matches!(answer, OlmMessage::Normal(_)));
            assert_eq!(theirs.copy().decrypt(&answer).unwrap().plaintext(), b"answer");
        }
    }
}
