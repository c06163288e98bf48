//! The HPKE channel through the public API: vectors, keys, failures and check codes. Run with
//! `--features hpke`.

use moceril::{
    DecodeError, RandomError,
    hpke::{
        ChannelError, CheckCode, DigitMode, EstablishedHpkeChannel, HpkeRecipientChannel,
        HpkeSenderChannel, InitialMessage, InitialResponse, Message, Outgoing,
        UnidirectionalRecipientChannel, UnidirectionalSenderChannel, rendezvous_aad,
    },
};
use moceril_testing::{
    chi_square::assert_codes_fit,
    rng::{RecordedRng, SeededRng},
};

const AAD: &[u8] = b"associated data";

/// The sender, its initial message, and the recipient; the same ones for the same seed.
fn begun(seed: u64) -> (UnidirectionalSenderChannel, InitialMessage, HpkeRecipientChannel) {
    let rng = &mut SeededRng::new(seed);
    let recipient = HpkeRecipientChannel::with_rng(rng).unwrap();
    let key = recipient.public_key();
    let Outgoing { channel, message } =
        HpkeSenderChannel::new().establish_channel_with_rng(key, b"first", AAD, rng).unwrap();
    (channel, message, recipient)
}

/// The sender, and the recipient who has not answered yet.
fn received(seed: u64) -> (UnidirectionalSenderChannel, UnidirectionalRecipientChannel) {
    let (sender, message, recipient) = begun(seed);
    (sender, recipient.establish_channel(&message, AAD).unwrap().channel)
}

/// The sender who waits, the answer, and the recipient's end.
fn answered(seed: u64) -> (UnidirectionalSenderChannel, InitialResponse, EstablishedHpkeChannel) {
    let (sender, recipient) = received(seed);
    let mut rng = SeededRng::new(!seed);
    let made = recipient.establish_bidirectional_channel_with_rng(b"answer", AAD, &mut rng);
    let made = made.unwrap();
    (sender, made.message, made.channel)
}

/// Both ends of a channel.
fn pair(seed: u64) -> (EstablishedHpkeChannel, EstablishedHpkeChannel) {
    let (sender, response, recipient) = answered(seed);
    (sender.establish_bidirectional_channel(&response, AAD).unwrap().channel, recipient)
}

/// Each message with one bit changed at every place, cut at every place, and with a byte more.
fn alterations(message: &[u8]) -> Vec<Vec<u8>> {
    let altered = |place: usize| {
        let mut altered = message.to_vec();
        altered[place] ^= 0x80;
        [altered, message[..place].to_vec()]
    };
    let longer = [message, &[0]].concat();
    (0..message.len()).flat_map(altered).chain([longer]).collect()
}

/// S-04: a failed `open` does not change a channel. A channel that received every type of bad
/// message continues exactly like an equal channel that received none.
#[test]
fn failed_opening_changes_nothing() {
    let ((mut sender, mut recipient), (_, mut again)) = (pair(1), pair(1));
    let first = sender.seal(b"first", AAD).unwrap();
    let second = sender.seal(b"second", AAD).unwrap();
    let foreign = pair(2).0.seal(b"foreign", AAD).unwrap();
    let own = pair(1).1.seal(b"own", AAD).unwrap();
    let mut bad = vec![second, foreign, own];
    bad.extend(alterations(&first.ciphertext).into_iter().map(|ciphertext| Message { ciphertext }));
    for message in &bad {
        assert_eq!(recipient.open(message, AAD), Err(ChannelError::Authentication), "{message:?}");
    }
    for aad in [&b""[..], b"associated dat", b"associated data "] {
        assert_eq!(recipient.open(&first, aad), Err(ChannelError::Authentication));
    }
    assert_eq!(recipient.open(&first, AAD).unwrap(), b"first");
    assert_eq!(recipient.open(&first, AAD), Err(ChannelError::Authentication));
    again.open(&first, AAD).unwrap();
    for plaintext in [b"a", b"b"] {
        let sent = recipient.seal(plaintext, AAD).unwrap();
        assert_eq!(sent, again.seal(plaintext, AAD).unwrap());
        assert_eq!(sender.open(&sent, AAD).unwrap(), plaintext);
    }
}

/// S-04: neither a forged initial message nor a forged answer costs the channel it is meant for.
#[test]
fn failed_establishment_gives_the_channel_back() {
    let (_, genuine, mut recipient) = begun(1);
    let other = InitialMessage { encapsulated_key: begun(2).1.encapsulated_key, ..genuine.clone() };
    let altered = alterations(&genuine.ciphertext).into_iter();
    let altered = altered.map(|ciphertext| InitialMessage { ciphertext, ..genuine.clone() });
    for message in altered.chain([other]) {
        let refused = recipient.establish_channel(&message, AAD).unwrap_err();
        assert_eq!(refused.error, ChannelError::Authentication);
        recipient = refused.unchanged;
    }
    recipient = recipient.establish_channel(&genuine, b"").unwrap_err().unchanged;
    assert_eq!(recipient.establish_channel(&genuine, AAD).unwrap().plaintext, b"first");

    let (mut sender, genuine, mut answering) = answered(1);
    let altered = alterations(&genuine.ciphertext).into_iter();
    let altered = altered.map(|ciphertext| InitialResponse { ciphertext, ..genuine.clone() });
    let nonces = (0..32).map(|place| {
        let mut altered = genuine.clone();
        altered.base_response_nonce[place] ^= 1;
        altered
    });
    for response in altered.chain(nonces) {
        let refused = sender.establish_bidirectional_channel(&response, AAD).unwrap_err();
        assert_eq!(refused.error, ChannelError::Authentication);
        sender = refused.unchanged;
    }
    let refused = sender.establish_bidirectional_channel(&genuine, b"").unwrap_err();
    let mut established = refused.unchanged.establish_bidirectional_channel(&genuine, AAD).unwrap();
    assert_eq!(established.plaintext, b"answer");
    let sent = established.channel.seal(b"a", AAD).unwrap();
    assert_eq!(answering.open(&sent, AAD).unwrap(), b"a");
}

/// S-03: each step takes 32 bytes of randomness. Without them it fails, and the recipient can still
/// answer when there is randomness again.
#[test]
fn randomness() {
    let short = || RecordedRng::new([7; 31]);
    assert!(matches!(HpkeRecipientChannel::with_rng(&mut short()), Err(RandomError { .. })));
    let mut rng = RecordedRng::new([7; 33]);
    let key = HpkeRecipientChannel::with_rng(&mut rng).unwrap().public_key();
    assert_eq!(rng.left(), 1);
    let sender = HpkeSenderChannel::new();
    let failed = sender.establish_channel_with_rng(key, b"first", AAD, &mut short());
    assert_eq!(failed.unwrap_err(), ChannelError::Random);

    let (sender, recipient) = received(1);
    let refused = recipient.establish_bidirectional_channel_with_rng(b"answer", AAD, &mut short());
    let refused = refused.unwrap_err();
    assert_eq!(refused.error, ChannelError::Random);
    let mut rng = RecordedRng::new([7; 33]);
    let answer =
        refused.unchanged.establish_bidirectional_channel_with_rng(b"answer", AAD, &mut rng);
    let answer = answer.unwrap().message;
    assert_eq!(rng.left(), 1);
    assert_eq!(answer.base_response_nonce, [7; 32]);
    assert_eq!(sender.establish_bidirectional_channel(&answer, AAD).unwrap().plaintext, b"answer");
}

/// With the operating system's randomness, no two channels are alike.
#[test]
fn fresh_channels() -> Result<(), ChannelError> {
    let fresh = || {
        let recipient = HpkeRecipientChannel::new()?;
        let key = recipient.public_key();
        let begun = HpkeSenderChannel::new().establish_channel(key, b"first", AAD)?;
        let received = recipient.establish_channel(&begun.message, AAD)?;
        let answered = received.channel.establish_bidirectional_channel(b"answer", AAD)?;
        let established = begun.channel.establish_bidirectional_channel(&answered.message, AAD)?;
        assert_eq!(
            (&*received.plaintext, &*established.plaintext),
            (&b"first"[..], &b"answer"[..])
        );
        Ok::<_, ChannelError>((key, begun.message.encode(), answered.message.base_response_nonce))
    };
    let (one, other) = (fresh()?, fresh()?);
    assert_ne!(one.0, other.0);
    assert_ne!(one.1, other.1);
    assert_ne!(one.2, other.2);
    // A step that was refused gives its channel back, or is just an error.
    let elsewhere = HpkeRecipientChannel::new()?.establish_channel(&begun(7).1, AAD);
    assert_eq!(elsewhere.map_err(ChannelError::from).unwrap_err(), ChannelError::Authentication);
    Ok(())
}

/// Both ends know both keys at every stage, and the two directions have different keys.
#[test]
fn ends_and_directions() {
    let (sender, recipient) = received(1);
    assert_eq!(sender.public_key(), recipient.their_public_key());
    assert_eq!(recipient.public_key(), sender.their_public_key());
    let (mut established, answering) = pair(1);
    assert_eq!(established.public_key(), sender.public_key());
    assert_eq!(established.their_public_key(), answering.public_key());
    assert_eq!(answering.their_public_key(), sender.public_key());
    assert_eq!(established.check_code(), answering.check_code());
    let reflected = established.seal(b"a", AAD).unwrap();
    assert_eq!(established.open(&reflected, AAD), Err(ChannelError::Authentication));
}

/// S-02: a text and associated data of any length are fine. A purpose is part of the keys.
#[test]
fn purposes() {
    for info in ["", "another purpose", &"long".repeat(20_000)] {
        let rng = &mut SeededRng::new(1);
        let shown = HpkeRecipientChannel::with_rng(rng).unwrap();
        let sender = HpkeSenderChannel::new().with_info(info);
        let key = shown.public_key();
        let aad = vec![0; 100_000];
        let sent = sender.establish_channel_with_rng(key, b"first", &aad, rng).unwrap().message;
        let refused = shown.establish_channel(&sent, &aad).unwrap_err();
        assert_eq!(refused.error, ChannelError::Authentication);
        let made = refused.unchanged.with_info(info).establish_channel(&sent, &aad).unwrap();
        assert_eq!(made.plaintext, b"first");
    }
}

/// MSC4388: the lengths stand before the texts, in two bytes, one and one.
#[test]
fn associated_data_of_a_rendezvous() {
    let aad = rendezvous_aad("abcdef", "abcdef", "").unwrap();
    assert_eq!(aad, b"\x00\x06abcdef\x06abcdef\x00");
    let (byte, word) = ("a".repeat(255), "a".repeat(65_535));
    assert_eq!(rendezvous_aad(&word, &byte, &byte).unwrap().len(), 2 + 65_535 + 2 * 256);
    assert_eq!(rendezvous_aad(&"a".repeat(65_536), "", ""), None);
    assert_eq!(rendezvous_aad("", &"a".repeat(256), ""), None);
    assert_eq!(rendezvous_aad("", "", &"a".repeat(256)), None);
    // The length is that in bytes.
    assert_eq!(rendezvous_aad("", &"é".repeat(128), ""), None);
}

/// S-02: no text of any length makes the decoders panic, and what they take encodes to itself.
#[test]
fn decoding_is_total() {
    for length in 0..=128 {
        for text in ["A".repeat(length), "C".repeat(length), "é".repeat(length)] {
            let encoded = [
                Message::decode(&text).map(|message| message.encode()),
                InitialMessage::decode(&text).map(|message| message.encode()),
                InitialResponse::decode(&text).map(|message| message.encode()),
            ];
            encoded.into_iter().flatten().for_each(|encoded| assert_eq!(encoded, text));
        }
        let bytes = vec![9; length];
        assert_eq!(InitialMessage::from_bytes(&bytes).is_ok(), length >= 48);
        assert_eq!(InitialResponse::from_bytes(&bytes).is_ok(), length >= 48);
    }
    assert_eq!(Message::decode(&"A".repeat(20)), Err(DecodeError::Format));
    assert_eq!(Message::decode(&"A".repeat(22)).unwrap().ciphertext, [0; 16]);
}

/// S-33: over many channels the check codes are as frequent as MSC4388 makes them.
#[test]
fn check_codes_are_unbiased() {
    let rng = &mut SeededRng::new(33);
    let code = |_| {
        let recipient = HpkeRecipientChannel::with_rng(rng).unwrap();
        let key = recipient.public_key();
        let sent = HpkeSenderChannel::new().establish_channel_with_rng(key, b"", AAD, rng).unwrap();
        let recipient = recipient.establish_channel(&sent.message, AAD).unwrap().channel;
        let made = recipient.establish_bidirectional_channel_with_rng(b"", AAD, rng).unwrap();
        *made.channel.check_code()
    };
    let codes: Vec<CheckCode> = (0..1_500).map(code).collect();
    assert_codes_fit(&codes, DigitMode::NoLeadingZero);
}
