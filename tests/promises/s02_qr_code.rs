//! S-02: QR codes of verifications are read as the specification describes them, and everything
//! else is refused with the reason.

use moceril::{
    Ed25519PublicKey, KeyError,
    qr_code::{QrCode, QrCodeError, QrCodeMode},
};
use moceril_testing::{rng::SeededRng, states};

const MODES: [(u8, QrCodeMode); 3] =
    [(0, QrCodeMode::OtherUser), (1, QrCodeMode::Trusting), (2, QrCodeMode::NotTrusting)];

fn keys() -> [Ed25519PublicKey; 2] {
    let rng = &mut SeededRng::new(1);
    [(); 2].map(|()| states::account(0, rng).ed25519_key())
}

/// The bytes of a code, written without the library.
fn bytes(mode: u8, id: &[u8], keys: &[Ed25519PublicKey; 2], secret: &[u8]) -> Vec<u8> {
    let length = u16::try_from(id.len()).unwrap().to_be_bytes();
    let [first, second] = keys.each_ref().map(|key| &key.as_bytes()[..]);
    [b"MATRIX\x02", &[mode][..], &length, id, first, second, secret].concat()
}

#[test]
fn s_02_codes_have_the_form_of_the_specification() {
    let keys = keys();
    let long = "ü".repeat(300);
    for (mode, expected) in MODES {
        for id in ["$event:example.org", "", &long] {
            for secret in [&[7][..], &[8; 8], &[0; 100]] {
                let bytes = bytes(mode, id.as_bytes(), &keys, secret);
                let code = QrCode::from_bytes(&bytes).unwrap();
                assert_eq!((code.mode(), code.transaction_id()), (expected, id));
                assert_eq!([code.first_key(), code.second_key()], keys);
                assert_eq!(*code.secret(), secret);
                assert_eq!(code.to_bytes(), bytes);
                let made = QrCode::new(expected, id, keys[0], keys[1], secret).unwrap();
                assert_eq!(made.to_bytes(), bytes);
            }
        }
    }
}

#[test]
fn s_02_what_is_no_code_is_refused() {
    let (keys, secret) = (keys(), [9; 8]);
    let refusal = |bytes: &[u8]| QrCode::from_bytes(bytes).map(drop).unwrap_err();
    let good = bytes(0, b"$id", &keys, &secret);
    for length in 0..good.len() - secret.len() {
        let expected = match length {
            0..7 => QrCodeError::Beginning,
            _ => QrCodeError::CutOff,
        };
        assert_eq!(refusal(&good[..length]), expected, "{length}");
    }
    assert_eq!(refusal(&good[..good.len() - secret.len()]), QrCodeError::Secret);
    for place in 0..7 {
        let mut other = good.clone();
        other[place] ^= 1;
        assert_eq!(refusal(&other), QrCodeError::Beginning);
    }
    for mode in 3..=255 {
        assert_eq!(refusal(&bytes(mode, b"$id", &keys, &secret)), QrCodeError::Mode);
    }
    assert_eq!(refusal(&bytes(0, b"\xff", &keys, &secret)), QrCodeError::TransactionId);
    let mut longer = good.clone();
    longer[8] = 0xff;
    assert_eq!(refusal(&longer), QrCodeError::CutOff);
    for key in 0..2 {
        let mut other = good.clone();
        other[7 + 1 + 2 + 3 + 32 * key..][..32].fill(0xff);
        assert_eq!(refusal(&other), QrCodeError::Key(KeyError::NonCanonical));
    }
    let new = |id: &str, secret: &[u8]| {
        QrCode::new(QrCodeMode::OtherUser, id, keys[0], keys[1], secret).map(drop)
    };
    assert_eq!(new(&"i".repeat(65_535), &[1]), Ok(()));
    assert_eq!(new(&"i".repeat(65_536), &[1]), Err(QrCodeError::TransactionId));
    assert_eq!(new("$id", &[]), Err(QrCodeError::Secret));
}

/// S-29: the secret is not shown.
#[test]
fn s_29_a_code_does_not_print_its_secret() {
    let keys = keys();
    let code = QrCode::new(QrCodeMode::Trusting, "$id", keys[0], keys[1], [111; 8]).unwrap();
    let shown = format!("{code:?}");
    assert!(
        shown.contains("$id") && !shown.contains("111") && !shown.contains("secret"),
        "{shown}"
    );
}
