//! The ECIES channel through the public API: vectors, keys, failures and check codes.

use moceril::{
    Curve25519PublicKey, DecodeError, RandomError,
    ecies::{ChannelError, CheckCode, DigitMode, Ecies, EstablishedEcies, InitialMessage, Message},
};
use moceril_testing::{
    chi_square::assert_codes_fit,
    rng::{RecordedRng, SeededRng},
};

fn ecies(private_key: [u8; 32]) -> Ecies {
    Ecies::with_rng(&mut RecordedRng::new(private_key)).unwrap()
}

/// The initiator, its initial message, and the recipient; the same ones for the same seed.
fn begun(seed: u64) -> (EstablishedEcies, InitialMessage, Ecies) {
    let rng = &mut SeededRng::new(seed);
    let (recipient, initiator) = (Ecies::with_rng(rng).unwrap(), Ecies::with_rng(rng).unwrap());
    let outbound = initiator.establish_outbound_channel(recipient.public_key(), b"first").unwrap();
    (outbound.channel, outbound.message, recipient)
}

/// Both ends of a channel.
fn pair(seed: u64) -> (EstablishedEcies, EstablishedEcies) {
    let (initiator, message, recipient) = begun(seed);
    (initiator, recipient.establish_inbound_channel(&message).unwrap().channel)
}

/// S-04: a failed decryption does not change a channel. A channel that received every type of bad
/// message continues exactly like an equal channel that received none.
#[test]
fn failed_decryption_changes_nothing() {
    let ((mut initiator, mut recipient), mut again) = (pair(1), pair(1));
    let first = initiator.encrypt(b"first").unwrap();
    let second = initiator.encrypt(b"second").unwrap();
    let foreign = pair(2).0.encrypt(b"foreign").unwrap();
    let mut bad = vec![second, foreign, recipient_message_of(1)];
    for place in 0..first.ciphertext.len() {
        let mut altered = first.clone();
        altered.ciphertext[place] ^= 0x80;
        bad.push(altered);
        bad.push(Message { ciphertext: first.ciphertext[..place].to_vec() });
    }
    bad.push(Message { ciphertext: [first.ciphertext.as_slice(), &[0]].concat() });
    let printed = format!("{recipient:?}");
    for message in &bad {
        assert_eq!(recipient.decrypt(message), Err(ChannelError::Authentication), "{message:?}");
    }
    assert_eq!(format!("{recipient:?}"), printed);
    assert_eq!(recipient.decrypt(&first).unwrap(), b"first");
    assert_eq!(recipient.decrypt(&first), Err(ChannelError::Authentication));
    again.1.decrypt(&first).unwrap();
    for plaintext in [b"a", b"b"] {
        let sent = recipient.encrypt(plaintext).unwrap();
        assert_eq!(sent, again.1.encrypt(plaintext).unwrap());
        assert_eq!(initiator.decrypt(&sent).unwrap(), plaintext);
    }
}

/// What the recipient itself would send first: a message in the wrong direction.
fn recipient_message_of(seed: u64) -> Message {
    pair(seed).1.encrypt(b"back").unwrap()
}

/// S-04: a forged initial message does not cost the key pair that is on the screen. The genuine one
/// then makes the same channel as without the forgeries.
#[test]
fn failed_establishment_gives_the_key_pair_back() {
    let (_, genuine, mut recipient) = begun(1);
    let mut forged = vec![InitialMessage { public_key: begun(2).1.public_key, ..genuine.clone() }];
    forged.push(InitialMessage { ciphertext: Vec::new(), ..genuine.clone() });
    for place in 0..genuine.ciphertext.len() {
        let mut altered = genuine.clone();
        altered.ciphertext[place] ^= 1;
        forged.push(altered);
    }
    for message in &forged {
        let refused = recipient.establish_inbound_channel(message).unwrap_err();
        assert_eq!(refused.to_string(), ChannelError::Authentication.to_string());
        assert_eq!(refused.error, ChannelError::Authentication);
        recipient = refused.unchanged;
    }
    let mut inbound = recipient.establish_inbound_channel(&genuine).unwrap();
    assert_eq!(inbound.plaintext, b"first");
    assert_eq!(inbound.channel.encrypt(b"back").unwrap(), recipient_message_of(1));
}

/// Our own key that is sent back to us is refused, at either end, and the recipient keeps its key
/// pair.
#[test]
fn our_own_key_is_not_the_other_devices() {
    let key = ecies([3; 32]).public_key();
    let refused = ecies([3; 32]).establish_outbound_channel(key, b"begins").unwrap_err();
    assert_eq!(refused, ChannelError::OwnKey);
    let message = InitialMessage { public_key: key, ciphertext: vec![0; 16] };
    let refused = ecies([3; 32]).establish_inbound_channel(&message).unwrap_err();
    assert_eq!(refused.error, ChannelError::OwnKey);
    let begun = ecies([4; 32]).establish_outbound_channel(key, b"begins").unwrap();
    let created = refused.unchanged.establish_inbound_channel(&begun.message).unwrap();
    assert_eq!(created.plaintext, b"begins");
}

/// S-04: nor does a message for another purpose.
#[test]
fn purposes_must_match() {
    let (_, message, recipient) = begun(1);
    let refused = recipient.with_info("another purpose").establish_inbound_channel(&message);
    let refused = refused.unwrap_err();
    assert_eq!(ChannelError::from(refused), ChannelError::Authentication);
}

/// S-03: a key pair takes 32 bytes of randomness, and without them there is none.
#[test]
fn randomness() {
    let mut rng = RecordedRng::new([7; 33]);
    let made = Ecies::with_rng(&mut rng).unwrap();
    assert_eq!(rng.left(), 1);
    assert_eq!(made.public_key(), ecies([7; 32]).public_key());
    assert!(matches!(Ecies::with_rng(&mut RecordedRng::new([7; 31])), Err(RandomError { .. })));
}

/// S-03: the operating system gives every key pair another key.
#[test]
fn keys_differ() {
    assert_ne!(Ecies::new().unwrap().public_key(), Ecies::new().unwrap().public_key());
}

/// Both ends know both keys, and the two directions have different keys.
#[test]
fn ends_and_directions() {
    let (mut initiator, mut recipient) = pair(1);
    assert_eq!(initiator.public_key(), recipient.their_public_key());
    assert_eq!(recipient.public_key(), initiator.their_public_key());
    assert_eq!(initiator.check_code(), recipient.check_code());
    initiator.decrypt(&recipient.encrypt(b"same").unwrap()).unwrap();
    assert_ne!(initiator.encrypt(b"same").unwrap(), recipient_message_of(1));
}

/// S-02: no text of any length makes the decoders panic, and what they take encodes to itself.
#[test]
fn decoding_is_total() {
    for length in 0..=128 {
        let texts = ["A".repeat(length), "|".repeat(length), "é".repeat(length)];
        let keyed =
            format!("{}|{}", texts[0], Curve25519PublicKey::to_base64(&begun(1).1.public_key));
        for text in texts.iter().chain([&keyed]) {
            if let Ok(message) = Message::decode(text) {
                assert_eq!(message.encode(), *text);
            }
            if let Ok(message) = InitialMessage::decode(text) {
                assert_eq!(message.encode(), *text);
            }
        }
    }
    assert_eq!(Message::decode(&"A".repeat(20)), Err(DecodeError::Format));
    assert_eq!(Message::decode(&"A".repeat(22)).unwrap().ciphertext, [0; 16]);
    // S-30: with correct padding, too.
    assert_eq!(Message::decode(&format!("{}==", "A".repeat(22))).unwrap().ciphertext, [0; 16]);
}

/// S-33: over many channels the check codes are as frequent as MSC4108 makes them, and a log does
/// not show them.
#[test]
fn check_codes_are_unbiased() {
    let rng = &mut SeededRng::new(33);
    let recipient = Ecies::with_rng(rng).unwrap().public_key();
    let code = |_| {
        let initiator = Ecies::with_rng(rng).unwrap();
        *initiator.establish_outbound_channel(recipient, b"").unwrap().channel.check_code()
    };
    let codes: Vec<CheckCode> = (0..3_000).map(code).collect();
    assert_eq!(format!("{:?}", codes[0]), "CheckCode(..)");
    assert_codes_fit(&codes, DigitMode::AllowLeadingZero);
}
