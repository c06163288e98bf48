//! HPKE channels (MSC4388) with vodozemac at the other end, in both roles.
//!
//! vodozemac draws its own keys, so the message of a failure contains everything that is needed to
//! find the cause.

use moceril::{
    Curve25519PublicKey,
    hpke::{
        ChannelError, DigitMode, EstablishedHpkeChannel, HpkeRecipientChannel, HpkeSenderChannel,
        InitialMessage, InitialResponse, Message,
    },
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use vodozemac::hpke as theirs;

/// Channels of each role.
const CHANNELS: usize = 200;

fn bytes(rng: &mut StdRng) -> Vec<u8> {
    let length = rng.random_range(0..=200);
    (0..length).map(|_| rng.random()).collect()
}

/// The application's text: the default one, a short one, or a very long one.
fn info(rng: &mut StdRng) -> String {
    let infos = ["MATRIX_QR_CODE_LOGIN", "", "another purpose", "with | and é"];
    match rng.random_range(0..=infos.len()) {
        choice if choice < infos.len() => infos[choice].to_string(),
        _ => "long".repeat(20_000),
    }
}

fn our_key(key: vodozemac::Curve25519PublicKey) -> Curve25519PublicKey {
    Curve25519PublicKey::from_bytes(key.to_bytes()).unwrap()
}

fn their_key(key: Curve25519PublicKey) -> vodozemac::Curve25519PublicKey {
    vodozemac::Curve25519PublicKey::from_bytes(*key.as_bytes())
}

/// Changes one bit.
fn forge(bytes: &[u8], rng: &mut StdRng) -> Vec<u8> {
    let mut forged = bytes.to_vec();
    let place = rng.random_range(0..forged.len());
    forged[place] ^= 1 << rng.random_range(0..8);
    forged
}

/// Both ends agree on the keys and the code, and understand twenty messages in a random mixture of
/// directions, each with its associated data. Forged ones in between are refused (S-04).
fn talk(
    ours: &mut EstablishedHpkeChannel,
    theirs: &mut theirs::EstablishedHpkeChannel,
    rng: &mut StdRng,
) {
    assert_eq!(their_key(ours.public_key()), theirs.their_public_key());
    assert_eq!(their_key(ours.their_public_key()), theirs.public_key());
    assert_eq!(ours.check_code().as_bytes(), theirs.check_code().as_bytes());
    assert_eq!(
        ours.check_code().to_digit(DigitMode::NoLeadingZero),
        theirs.check_code().to_digit(theirs::DigitMode::NoLeadingZero)
    );
    for _ in 0..20 {
        let (plaintext, aad) = (bytes(rng), bytes(rng));
        if rng.random_bool(0.5) {
            let sent = ours.seal(&plaintext, &aad).unwrap().encode();
            let received = theirs::Message::decode(&sent).unwrap();
            assert!(theirs.open(&received, b"other data").is_err());
            assert_eq!(theirs.open(&received, &aad).unwrap(), plaintext);
        } else {
            let received = Message::decode(&theirs.seal(&plaintext, &aad).encode()).unwrap();
            let forged = Message { ciphertext: forge(&received.ciphertext, rng) };
            assert_eq!(ours.open(&forged, &aad), Err(ChannelError::Authentication));
            assert_eq!(ours.open(&received, b"other data"), Err(ChannelError::Authentication));
            assert_eq!(ours.open(&received, &aad).unwrap(), plaintext);
            assert_eq!(ours.open(&received, &aad), Err(ChannelError::Authentication));
        }
    }
}

/// S-33: we are the sender, vodozemac the recipient. We refuse forged answers and go on waiting.
#[test]
fn we_begin() {
    let mut rng = StdRng::seed_from_u64(1);
    for channel in 0..CHANNELS {
        let (info, first, answer, aad) =
            (info(&mut rng), bytes(&mut rng), bytes(&mut rng), bytes(&mut rng));
        let theirs = theirs::HpkeRecipientChannel::with_info(&info);
        let ours = HpkeSenderChannel::new()
            .with_info(&info)
            .establish_channel(our_key(theirs.public_key()), &first, &aad)
            .unwrap();
        let received = theirs::InitialMessage::decode(&ours.message.encode()).unwrap();
        let theirs = theirs.establish_channel(&received, &aad).unwrap();
        assert_eq!(theirs.message, first, "channel {channel}, {info:?}");

        let mut theirs = theirs.channel.establish_bidirectional_channel(&answer, &aad);
        let received = theirs.message.to_bytes();
        let forged = InitialResponse::from_bytes(&forge(&received, &mut rng)).unwrap();
        let refused = ours.channel.establish_bidirectional_channel(&forged, &aad).unwrap_err();
        assert_eq!(refused.error, ChannelError::Authentication);
        let received = InitialResponse::decode(&theirs.message.encode()).unwrap();
        let mut ours = refused.unchanged.establish_bidirectional_channel(&received, &aad).unwrap();
        assert_eq!(ours.plaintext, answer, "channel {channel}, {info:?}");
        talk(&mut ours.channel, &mut theirs.channel, &mut rng);
    }
}

/// S-33, S-04: vodozemac is the sender, we are the recipient, after a forged initial message.
#[test]
fn vodozemac_begins() {
    let mut rng = StdRng::seed_from_u64(2);
    for channel in 0..CHANNELS {
        let (info, first, answer, aad) =
            (info(&mut rng), bytes(&mut rng), bytes(&mut rng), bytes(&mut rng));
        let ours = HpkeRecipientChannel::new().unwrap().with_info(&info);
        let theirs = theirs::HpkeSenderChannel::with_info(&info)
            .establish_channel(their_key(ours.public_key()), &first, &aad)
            .unwrap();
        let received = InitialMessage::decode(&theirs.message.encode()).unwrap();
        let mut forged = received.clone();
        forged.ciphertext = forge(&received.ciphertext, &mut rng);
        let refused = ours.establish_channel(&forged, &aad).unwrap_err();
        assert_eq!(refused.error, ChannelError::Authentication);
        let ours = refused.unchanged.establish_channel(&received, &aad).unwrap();
        assert_eq!(ours.plaintext, first, "channel {channel}, {info:?}");

        let mut ours = ours.channel.establish_bidirectional_channel(&answer, &aad).unwrap();
        let received = theirs::InitialResponse::decode(&ours.message.encode()).unwrap();
        let mut theirs = theirs.channel.establish_bidirectional_channel(&received, &aad).unwrap();
        assert_eq!(theirs.message, answer, "channel {channel}, {info:?}");
        talk(&mut ours.channel, &mut theirs.channel, &mut rng);
    }
}

/// Both libraries take what the other one uses when nobody names a purpose.
#[test]
fn default_purpose() {
    let theirs = theirs::HpkeRecipientChannel::new();
    let ours = HpkeSenderChannel::new()
        .establish_channel(our_key(theirs.public_key()), b"first", b"")
        .unwrap();
    let received = theirs::InitialMessage::decode(&ours.message.encode()).unwrap();
    assert_eq!(theirs.establish_channel(&received, b"").unwrap().message, b"first");

    let ours = HpkeRecipientChannel::new().unwrap();
    let theirs = theirs::HpkeSenderChannel::new()
        .establish_channel(their_key(ours.public_key()), b"first", b"")
        .unwrap();
    let received = InitialMessage::decode(&theirs.message.encode()).unwrap();
    assert_eq!(ours.establish_channel(&received, b"").unwrap().plaintext, b"first");
}
