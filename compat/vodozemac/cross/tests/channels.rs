//! Verification, backup, secure channels and libolm's formats: one end is of this crate, the other
//! one vodozemac's.

use cross::{Either, account, either, plaintext, trials};
use rand::RngExt;

/// S-32: both ends show the same emoji and numbers, and accept each other's MACs.
#[test]
fn s_32_sas() {
    trials(|rng| {
        let (one, other) = (ours::sas::Sas::new(), real::sas::Sas::new());
        let (one_key, other_key) = (one.public_key().to_bytes(), other.public_key().to_base64());
        let one = one.diffie_hellman_with_raw(&other_key).unwrap();
        let other = other.diffie_hellman(one_key.into()).unwrap();
        let info = format!("info {}", rng.random::<u64>());
        let (a, b) = (one.bytes(&info), other.bytes(&info));
        assert_eq!((a.as_bytes(), a.decimals()), (b.as_bytes(), b.decimals()));
        assert_eq!(a.emoji_indices(), b.emoji_indices());
        let count = rng.random_range(0..9_000);
        assert_eq!(one.bytes_raw(&info, count).ok(), other.bytes_raw(&info, count).ok());
        let input = format!("key {}", rng.random::<u64>());
        let (a, b) = (one.calculate_mac(&input, &info), other.calculate_mac(&input, &info));
        assert_eq!(a.as_bytes(), b.as_bytes());
        one.verify_mac(&input, &info, &ours::sas::Mac::from_slice(b.as_bytes())).unwrap();
        other.verify_mac(&input, &info, &real::sas::Mac::from_slice(a.as_bytes())).unwrap();
        let cut_off = ours::sas::Mac::from_slice(&b.as_bytes()[..31]);
        assert!(one.verify_mac(&input, &info, &cut_off).is_err());
        assert_eq!(
            one.calculate_mac_invalid_base64(&input, &info),
            other.calculate_mac_invalid_base64(&input, &info),
        );
    });
}

/// S-31: what one crate encrypts to a backup, the other one decrypts.
#[test]
fn s_31_backup() {
    use real::pk_encryption as theirs;
    trials(|rng| {
        let ours_key = ours::pk_encryption::PkDecryption::new();
        let secret = ours_key.secret_key().to_bytes();
        let real_key =
            theirs::PkDecryption::from_key(real::Curve25519SecretKey::from_slice(&secret));
        assert_eq!(ours_key.public_key().to_bytes(), real_key.public_key().to_bytes());
        let plaintext = plaintext(rng);

        let sent = ours::pk_encryption::PkEncryption::from(&ours_key).encrypt(&plaintext).unwrap();
        assert_eq!(sent.mac.len(), 8);
        let ephemeral_key = sent.ephemeral_key.to_bytes().into();
        let received =
            theirs::Message { ciphertext: sent.ciphertext, mac: sent.mac, ephemeral_key };
        assert_eq!(real_key.decrypt(&received).unwrap(), plaintext);

        let sent = theirs::PkEncryption::from(&real_key).encrypt(&plaintext).unwrap();
        let [ciphertext, mac] = [&sent.ciphertext, &sent.mac].map(real::base64_encode);
        let key = sent.ephemeral_key.to_base64();
        let received = ours::pk_encryption::Message::from_base64(&ciphertext, &mac, &key).unwrap();
        assert_eq!(ours_key.decrypt(&received).unwrap(), plaintext);

        let pickle = real_key.to_libolm_pickle(b"key").unwrap();
        let read = ours::pk_encryption::PkDecryption::from_libolm_pickle(&pickle, b"key").unwrap();
        assert_eq!(read.secret_key().to_bytes(), secret);
        assert_eq!(read.to_libolm_pickle(b"key").unwrap(), pickle);
    });
}

/// S-33: an ECIES channel between the crates, with either as the one that shows its key.
#[test]
fn s_33_ecies() {
    macro_rules! channel {
        ($showing:ident, $scanning:ident, $plaintext:expr) => {{
            let (showing, scanning) =
                ($showing::ecies::Ecies::new(), $scanning::ecies::Ecies::new());
            let key = showing.public_key().to_bytes().into();
            let mut scanning = scanning.establish_outbound_channel(key, $plaintext).unwrap();
            let message = scanning.message.encode();
            let message = $showing::ecies::InitialMessage::decode(&message).unwrap();
            let mut showing = showing.establish_inbound_channel(&message).unwrap();
            assert_eq!(showing.message, $plaintext);
            assert_eq!(
                showing.ecies.check_code().as_bytes(),
                scanning.ecies.check_code().as_bytes(),
            );
            for _ in 0..3 {
                let message = showing.ecies.encrypt($plaintext).encode();
                let message = $scanning::ecies::Message::decode(&message).unwrap();
                assert_eq!(scanning.ecies.decrypt(&message).unwrap(), $plaintext);
                let message = scanning.ecies.encrypt($plaintext).encode();
                let message = $showing::ecies::Message::decode(&message).unwrap();
                assert_eq!(showing.ecies.decrypt(&message).unwrap(), $plaintext);
            }
        }};
    }
    trials(|rng| {
        let plaintext = plaintext(rng);
        channel!(ours, real, &plaintext[..]);
        channel!(real, ours, &plaintext[..]);
    });
}

/// S-33: an HPKE channel between the crates, with either as the one that shows its key.
#[test]
fn s_33_hpke() {
    macro_rules! channel {
        ($showing:ident, $scanning:ident, $plaintext:expr, $aad:expr) => {{
            let showing = $showing::hpke::HpkeRecipientChannel::new();
            let key = showing.public_key().to_bytes().into();
            let scanning = $scanning::hpke::HpkeSenderChannel::new();
            let scanning = scanning.establish_channel(key, $plaintext, $aad).unwrap();
            let message = scanning.message.encode();
            let message = $showing::hpke::InitialMessage::decode(&message).unwrap();
            let showing = showing.establish_channel(&message, $aad).unwrap();
            assert_eq!(showing.message, $plaintext);
            let mut showing = showing.channel.establish_bidirectional_channel($plaintext, $aad);
            let message = showing.message.encode();
            let message = $scanning::hpke::InitialResponse::decode(&message).unwrap();
            let mut scanning =
                scanning.channel.establish_bidirectional_channel(&message, $aad).unwrap();
            assert_eq!(scanning.message, $plaintext);
            assert_eq!(
                showing.channel.check_code().as_bytes(),
                scanning.channel.check_code().as_bytes(),
            );
            for _ in 0..3 {
                let message = showing.channel.seal($plaintext, $aad).encode();
                let message = $scanning::hpke::Message::decode(&message).unwrap();
                assert_eq!(scanning.channel.open(&message, $aad).unwrap(), $plaintext);
                let message = scanning.channel.seal($plaintext, $aad).encode();
                let message = $showing::hpke::Message::decode(&message).unwrap();
                assert_eq!(showing.channel.open(&message, $aad).unwrap(), $plaintext);
            }
        }};
    }
    trials(|rng| {
        let (plaintext, aad) = (plaintext(rng), plaintext(rng));
        channel!(ours, real, &plaintext[..], &aad[..]);
        channel!(real, ours, &plaintext[..], &aad[..]);
    });
}

/// Dehydrated devices and libolm's pickles of accounts: what one crate writes the other one reads.
#[test]
fn s_24_dehydrated_devices_and_libolm_pickles() {
    let key = [7; 32];
    trials(|rng| {
        let ours = rng.random();
        let account = account(rng, ours);
        let device = either!(&account, account => {
            let device = account.to_dehydrated_device(&key).unwrap();
            (device.ciphertext, device.nonce)
        });
        let pickle = either!(&account, account => account.to_libolm_pickle(b"key").unwrap());
        let (ciphertext, nonce) = &device;
        let keys = either!(&account, account => {
            (account.curve25519_key().to_base64(), account.ed25519_key().to_base64())
        });
        let counts = either!(&account, account => account.stored_one_time_key_count());
        macro_rules! check {
            ($library:ident) => {
                for read in [
                    $library::olm::Account::from_dehydrated_device(ciphertext, nonce, &key)
                        .unwrap(),
                    $library::olm::Account::from_libolm_pickle(&pickle, b"key").unwrap(),
                ] {
                    let read_keys =
                        (read.curve25519_key().to_base64(), read.ed25519_key().to_base64());
                    assert_eq!(read_keys, keys);
                    assert_eq!(read.stored_one_time_key_count(), counts);
                }
            };
        }
        match account {
            Either::Ours(_) => check!(real),
            Either::Real(_) => check!(ours),
        }
    });
}
