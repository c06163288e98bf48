//! ECIES channels (MSC4108) with vodozemac at the other end, in both roles.
//!
//! vodozemac draws its own keys, so the message of a failure contains everything that is needed to
//! find the cause.

use moceril::{
    Curve25519PublicKey,
    ecies::{
        ChannelError, DigitMode, Ecies, EstablishedEcies, Incoming, InitialMessage, Message,
        Outgoing,
    },
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use vodozemac::ecies as theirs;

/// Channels of each role.
const CHANNELS: usize = 200;

fn bytes(rng: &mut StdRng) -> Vec<u8> {
    let length = rng.random_range(0..=200);
    (0..length).map(|_| rng.random()).collect()
}

/// The application's text, or none for the default.
fn info(rng: &mut StdRng) -> Option<String> {
    let infos = ["", "MATRIX_QR_CODE_LOGIN", "another purpose", "with | and é"];
    rng.random_bool(0.5).then(|| infos[rng.random_range(0..infos.len())].to_string())
}

fn ours(info: Option<&str>) -> Ecies {
    let ours = Ecies::new().unwrap();
    match info {
        Some(info) => ours.with_info(info),
        None => ours,
    }
}

fn vodozemac(info: Option<&str>) -> theirs::Ecies {
    info.map_or_else(theirs::Ecies::new, theirs::Ecies::with_info)
}

fn our_key(key: vodozemac::Curve25519PublicKey) -> Curve25519PublicKey {
    Curve25519PublicKey::from_bytes(key.to_bytes()).unwrap()
}

fn their_key(key: Curve25519PublicKey) -> vodozemac::Curve25519PublicKey {
    vodozemac::Curve25519PublicKey::from_bytes(*key.as_bytes())
}

/// Both ends agree on the keys and the code, and understand twenty messages in a random mixture of
/// directions. Ours gets forged ones in between, and goes on (S-04).
fn talk(ours: &mut EstablishedEcies, theirs: &mut theirs::EstablishedEcies, rng: &mut StdRng) {
    assert_eq!(their_key(ours.their_public_key()), theirs.public_key());
    assert_eq!(ours.check_code().as_bytes(), theirs.check_code().as_bytes());
    let digits = (
        ours.check_code().to_digit(DigitMode::AllowLeadingZero),
        ours.check_code().to_digit(DigitMode::NoLeadingZero),
    );
    assert_eq!(
        digits,
        (
            theirs.check_code().to_digit(theirs::DigitMode::AllowLeadingZero),
            theirs.check_code().to_digit(theirs::DigitMode::NoLeadingZero),
        )
    );
    for _ in 0..20 {
        let plaintext = bytes(rng);
        if rng.random_bool(0.5) {
            let sent = ours.encrypt(&plaintext).unwrap().encode();
            let received = theirs::Message::decode(&sent).unwrap();
            assert_eq!(theirs.decrypt(&received).unwrap(), plaintext);
        } else {
            let received = Message::decode(&theirs.encrypt(&plaintext).encode()).unwrap();
            let mut forged = received.clone();
            let place = rng.random_range(0..forged.ciphertext.len());
            forged.ciphertext[place] ^= 1 << rng.random_range(0..8);
            assert_eq!(ours.decrypt(&forged), Err(ChannelError::Authentication));
            assert_eq!(ours.decrypt(&received).unwrap(), plaintext);
            assert_eq!(ours.decrypt(&received), Err(ChannelError::Authentication));
        }
    }
}

/// S-33: we write the initial message, vodozemac reads it.
#[test]
fn we_begin() {
    let mut rng = StdRng::seed_from_u64(1);
    for channel in 0..CHANNELS {
        let (info, first) = (info(&mut rng), bytes(&mut rng));
        let theirs = vodozemac(info.as_deref());
        let Outgoing { channel: mut ours, message } = ours(info.as_deref())
            .establish_outbound_channel(our_key(theirs.public_key()), &first)
            .unwrap();
        let received = theirs::InitialMessage::decode(&message.encode()).unwrap();
        let mut theirs = theirs.establish_inbound_channel(&received).unwrap();
        assert_eq!(theirs.message, first, "channel {channel}, {info:?}");
        talk(&mut ours, &mut theirs.ecies, &mut rng);
    }
}

/// S-33, S-04: vodozemac writes the initial message, we read it, after a forged one.
#[test]
fn vodozemac_begins() {
    let mut rng = StdRng::seed_from_u64(2);
    for channel in 0..CHANNELS {
        let (info, first) = (info(&mut rng), bytes(&mut rng));
        let ours = ours(info.as_deref());
        let mut theirs = vodozemac(info.as_deref())
            .establish_outbound_channel(their_key(ours.public_key()), &first)
            .unwrap();
        let received = InitialMessage::decode(&theirs.message.encode()).unwrap();
        let mut forged = received.clone();
        forged.ciphertext[0] ^= 1;
        let refused = ours.establish_inbound_channel(&forged).unwrap_err();
        assert_eq!(refused.error, ChannelError::Authentication);
        let Incoming { channel: mut ours, plaintext } =
            refused.unchanged.establish_inbound_channel(&received).unwrap();
        assert_eq!(plaintext, first, "channel {channel}, {info:?}");
        talk(&mut ours, &mut theirs.ecies, &mut rng);
    }
}

/// Both libraries refuse a channel whose ends have different purposes.
#[test]
fn purposes_must_match() {
    let ours = Ecies::new().unwrap().with_info("ours");
    let theirs = theirs::Ecies::with_info("theirs");
    let theirs_begun = theirs::Ecies::with_info("theirs")
        .establish_outbound_channel(their_key(ours.public_key()), b"")
        .unwrap();
    let received = InitialMessage::decode(&theirs_begun.message.encode()).unwrap();
    let ours = ours.establish_inbound_channel(&received).unwrap_err().unchanged;

    let begun = ours.establish_outbound_channel(our_key(theirs.public_key()), b"").unwrap();
    let received = theirs::InitialMessage::decode(&begun.message.encode()).unwrap();
    assert!(theirs.establish_inbound_channel(&received).is_err());
}
