//! SAS verification through the public API: this library gives what the specification says and what
//! libolm was recorded to give.

use moceril::{
    Curve25519PublicKey, KeyError, RandomError,
    sas::{
        Emoji, EstablishedSas, InfoStrings, MacMethod, Party, Sas, SasError, commitment, key_ids,
    },
};
use moceril_testing::{
    rng::{RecordedRng, SeededRng},
    vector_file::{Layer, VectorFile, assert_at_least, check_each, files},
};
use sha2::{Digest, Sha256};

const METHODS: [MacMethod; 3] =
    [MacMethod::HkdfHmacSha256V2, MacMethod::HkdfHmacSha256, MacMethod::HmacSha256LongKdf];

fn sas(private_key: [u8; 32]) -> Sas {
    Sas::with_rng(&mut RecordedRng::new(private_key)).unwrap()
}

/// Both ends of a verification.
fn established(seed: u64) -> (EstablishedSas, EstablishedSas) {
    let mut rng = SeededRng::new(seed);
    let (alice, bob) = (Sas::with_rng(&mut rng).unwrap(), Sas::with_rng(&mut rng).unwrap());
    let (alice_key, bob_key) = (alice.public_key(), bob.public_key());
    (alice.diffie_hellman(bob_key).unwrap(), bob.diffie_hellman(alice_key).unwrap())
}

fn text(file: &VectorFile, key: &str) -> String {
    String::from_utf8(file.bytes(key)).unwrap()
}

fn numbers<T: ToString>(numbers: &[T]) -> String {
    numbers.iter().map(T::to_string).collect::<Vec<_>>().join(" ")
}

/// S-01, S-32: keys, short strings and the MACs of all three methods are those of libolm, in the
/// encoding that belongs to each method's name.
#[test]
fn vectors() {
    let files = files("sas");
    check_each(&files, |file| {
        assert_eq!(file.kind, "sas");
        let ours = sas(file.array("our-private-key"));
        let their_key = match Curve25519PublicKey::from_base64(file.text("their-key")) {
            Ok(key) => key,
            Err(error) => {
                assert!(matches!(error, KeyError::LowOrder | KeyError::NonCanonical));
                return assert_eq!(file.expect, Some(Layer::Key));
            }
        };
        assert_eq!(file.expect, None);
        let our_key = ours.public_key();
        assert_eq!(our_key.to_base64(), file.text("our-key"));
        let mut ends = vec![ours.diffie_hellman(their_key).unwrap()];
        if file.optional("their-private-key").is_some() {
            let theirs = sas(file.array("their-private-key"));
            assert_eq!(theirs.public_key(), their_key);
            ends.push(theirs.diffie_hellman(our_key).unwrap());
        }
        for end in &ends {
            check_bytes(file, end);
            check_macs(file, end);
        }
        if file.optional("commitment").is_some() {
            let start = text(file, "start-content");
            assert_eq!(commitment(&our_key, &start), file.text("commitment"));
        }
    });
    assert_at_least(&files, "sas", 28, 10);
}

fn check_bytes(file: &VectorFile, sas: &EstablishedSas) {
    if file.optional("bytes").is_none() {
        return;
    }
    let (info, bytes) = (text(file, "info"), file.bytes("bytes"));
    assert_eq!(sas.bytes_raw(&info, bytes.len()).as_ref(), Ok(&bytes));
    let Some(first) = bytes.first_chunk::<6>() else { return };
    let short = sas.bytes(&info);
    assert_eq!(short.as_bytes(), first);
    assert_eq!(short, sas.bytes(&info));
    assert_eq!(numbers(&short.emoji_indices()), file.text("emoji"));
    assert_eq!(numbers(&short.decimals()), file.text("decimals"));
    let emoji = short.emoji_indices().map(|index| Emoji::TABLE[usize::from(index)]);
    assert_eq!(short.emoji(), emoji);
}

fn check_macs(file: &VectorFile, sas: &EstablishedSas) {
    if file.optional("mac-input").is_none() {
        return;
    }
    let (input, info) = (text(file, "mac-input"), text(file, "mac-info"));
    let mut checked = 0;
    for method in METHODS {
        let Some(tag) = file.optional(&method.name().replace('.', "-")) else { continue };
        assert_eq!(sas.calculate_mac(method, &input, &info), tag);
        assert_eq!(sas.verify_mac(method, &input, &info, tag), Ok(()));
        checked += 1;
    }
    assert!(checked > 0, "there is no MAC");
}

/// S-32: the MAC in proper base64 is the default; each of the others goes by its own name only.
#[test]
fn methods_have_the_names_of_the_specification() {
    let names = METHODS.map(MacMethod::name);
    assert_eq!(names, ["hkdf-hmac-sha256.v2", "hkdf-hmac-sha256", "hmac-sha256"]);
    assert_eq!(names.map(MacMethod::from_name), METHODS.map(Some));
    assert_eq!(MacMethod::default(), MacMethod::HkdfHmacSha256V2);
    // MSC3783, which repaired the text of the MAC.
    let proposed = MacMethod::from_name("org.matrix.msc3783.hkdf-hmac-sha256");
    assert_eq!(proposed, Some(MacMethod::default()));
    for other in [
        "",
        "hkdf-hmac-sha256.v1",
        "HKDF-HMAC-SHA256",
        "hmac-sha256 ",
        "hmac",
        "org.matrix.msc3783",
    ] {
        assert_eq!(MacMethod::from_name(other), None);
    }
}

/// Our own key that is sent back to us is refused: with it, our MACs would verify as the other
/// device's.
#[test]
fn our_own_key_is_not_the_other_devices() {
    for seed in 0..5 {
        let private_key = SeededRng::new(seed).bytes();
        let reflected =
            Curve25519PublicKey::from_base64(&sas(private_key).public_key().to_base64());
        let refused = sas(private_key).diffie_hellman(reflected.unwrap()).unwrap_err();
        assert_eq!(refused.error, SasError::OwnKey);
        // S-04: the object is there for the other device's real key.
        let (ours, theirs) = (refused.unchanged, sas([7; 32]));
        let (our_key, their_key) = (ours.public_key(), theirs.public_key());
        let ours = ours.diffie_hellman(their_key).unwrap();
        assert_eq!(ours.bytes("info"), theirs.diffie_hellman(our_key).unwrap().bytes("info"));
    }
}

/// S-32: a MAC of one method is not one of another, and only the right input and info verify.
#[test]
fn a_mac_is_of_one_method_input_and_info() {
    let (alice, bob) = established(1);
    for method in METHODS {
        let tag = alice.calculate_mac(method, "input", "info");
        assert_eq!(tag.len(), 43);
        for other in METHODS {
            let expected = if other == method { Ok(()) } else { Err(SasError::Mac) };
            assert_eq!(bob.verify_mac(other, "input", "info", &tag), expected, "{other:?}");
        }
        assert_eq!(bob.verify_mac(method, "inputi", "nfo", &tag), Err(SasError::Mac));
        assert_eq!(bob.verify_mac(method, "info", "input", &tag), Err(SasError::Mac));
        assert_eq!(established(2).0.verify_mac(method, "input", "info", &tag), Err(SasError::Mac));
    }
}

/// S-12, S-30: every other text than the MAC's own, padded or not, is refused: each single bit,
/// each length, and what is not base64.
#[test]
fn only_the_whole_mac_verifies() {
    let (alice, bob) = established(3);
    for method in METHODS {
        let tag = alice.calculate_mac(method, "input", "info");
        let verify = |text: &str| bob.verify_mac(method, "input", "info", text);
        assert_eq!(verify(&tag), Ok(()));
        assert_eq!(verify(&format!("{tag}=")), Ok(()), "the padding that belongs to 32 bytes");
        for place in 0..tag.len() {
            for bit in 0..7 {
                let mut bytes = tag.clone().into_bytes();
                bytes[place] ^= 1 << bit;
                let other = String::from_utf8(bytes).unwrap();
                assert_eq!(verify(&other), Err(SasError::Mac), "{other}");
            }
        }
        for length in 0..43 {
            assert_eq!(verify(&tag[..length]), Err(SasError::Mac), "{length}");
        }
        for other in ["==", "A", "AA", "AAAA", " ", "é"] {
            assert_eq!(verify(&format!("{tag}{other}")), Err(SasError::Mac), "{other}");
        }
        assert_eq!(verify(&tag.replacen(&tag[..1], "é", 1)), Err(SasError::Mac));
    }
}

/// S-01: no key that no honest device has gets as far as an agreement.
#[test]
fn bad_keys_cannot_be_had() {
    let number = |first: u8, rest: u8, last: u8| {
        let mut bytes = [rest; 32];
        (bytes[0], bytes[31]) = (first, last);
        bytes
    };
    for (bytes, error) in [
        (number(0, 0, 0), KeyError::LowOrder),
        (number(1, 0, 0), KeyError::LowOrder),
        (number(0xec, 0xff, 0x7f), KeyError::LowOrder),
        (number(0xed, 0xff, 0x7f), KeyError::NonCanonical),
        (number(9, 0, 0x80), KeyError::NonCanonical),
    ] {
        assert_eq!(Curve25519PublicKey::from_bytes(bytes), Err(error));
    }
}

/// S-03: a verification draws exactly 32 bytes, the private key; a source that fails gives none.
#[test]
fn randomness() {
    let mut rng = RecordedRng::new([7; 33]);
    let one = Sas::with_rng(&mut rng).unwrap();
    assert_eq!(rng.left(), 1);
    assert_eq!(one.public_key(), sas([7; 32]).public_key());
    for length in 0..32 {
        let mut rng = RecordedRng::new(vec![7; length]);
        assert!(matches!(Sas::with_rng(&mut rng), Err(RandomError { .. })));
    }
    assert_ne!(Sas::new().unwrap().public_key(), Sas::new().unwrap().public_key());
}

/// S-02, S-04: HKDF gives at most 8,160 bytes, more is an error, and neither that nor a refused MAC
/// changes anything.
#[test]
fn a_failure_changes_nothing() {
    let (alice, _) = established(4);
    let all = |sas: &EstablishedSas| {
        let macs = METHODS.map(|method| sas.calculate_mac(method, "input", "info"));
        (sas.bytes_raw("info", 8160).unwrap(), macs, format!("{sas:?}"))
    };
    let before = all(&alice);
    for requested in [8161, 1 << 20, usize::MAX] {
        let error = SasError::TooManyBytes { requested, maximum: 8160 };
        assert_eq!(alice.bytes_raw("info", requested), Err(error));
    }
    for method in METHODS {
        assert_eq!(alice.verify_mac(method, "input", "info", "no MAC"), Err(SasError::Mac));
    }
    assert_eq!(all(&alice), before);
}

/// S-29: neither the private key, nor the secret, nor the short string is printed.
#[test]
fn nothing_printed_is_secret() {
    let one = sas([0xa7; 32]);
    let other = sas([0xb8; 32]);
    let (our_key, their_key) = (one.public_key(), other.public_key());
    assert_eq!(format!("{one:?}"), format!("Sas {{ public_key: {our_key:?}, .. }}"));
    let sas = one.diffie_hellman(their_key).unwrap();
    let expected = format!(
        "EstablishedSas {{ our_public_key: {our_key:?}, their_public_key: {their_key:?}, .. }}"
    );
    assert_eq!(format!("{sas:?}"), expected);
    assert_eq!((sas.our_public_key(), sas.their_public_key()), (our_key, their_key));
    assert_eq!(format!("{:?}", sas.bytes("info")), "SasBytes { .. }");
}

/// The table of emoji is the specification's, row by row: the users of two clients must see the
/// same.
#[test]
fn the_table_of_emoji() {
    for (index, symbol, description) in
        [(0, "🐶", "Dog"), (21, "☁️", "Cloud"), (36, "👍", "Thumbs Up"), (63, "📌", "Pin")]
    {
        assert_eq!(Emoji::TABLE[index], Emoji { symbol, description });
    }
    // SHA-256 of lines of number, emoji and description, as the specification's `sas-emoji.json`
    // has them.
    let row = |(index, emoji): (usize, &Emoji)| {
        format!("{index} {} {}\n", emoji.symbol, emoji.description)
    };
    let rows: String = Emoji::TABLE.iter().enumerate().map(row).collect();
    let hash: String = Sha256::digest(rows).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hash, "00f1e396936d3fb83ca783b0beb6f59826efb5b8aa91f1d1cb7a0dfe6800bd3f");
}

/// The info strings are those of the specification, and both ends make the same ones, whoever has
/// started.
#[test]
fn s_32_both_ends_make_the_info_strings_of_the_specification() {
    let (alice, bob) = established(7);
    let (alice_key, bob_key) = (alice.our_public_key(), bob.our_public_key());
    let phone = Party { user_id: "@alice:a", device_id: "PHONE" };
    let laptop = Party { user_id: "@bob:b", device_id: "LAPTOP" };
    let ends = |alice_started: bool| {
        [(phone, laptop, alice_started), (laptop, phone, !alice_started)].map(
            |(us, them, we_started)| InfoStrings { us, them, we_started, transaction_id: "id" },
        )
    };
    let (of_alice, of_bob) =
        (format!("@alice:a|PHONE|{alice_key}"), format!("@bob:b|LAPTOP|{bob_key}"));
    for (alice_started, expected) in [
        (true, format!("MATRIX_KEY_VERIFICATION_SAS|{of_alice}|{of_bob}|id")),
        (false, format!("MATRIX_KEY_VERIFICATION_SAS|{of_bob}|{of_alice}|id")),
    ] {
        let [alices, bobs] = ends(alice_started);
        assert_eq!(alices.sas(&alice), expected);
        assert_eq!(bobs.sas(&bob), expected);
        let expected = "MATRIX_KEY_VERIFICATION_MAC@alice:aPHONE@bob:bLAPTOPided25519:PHONE";
        assert_eq!(alices.our_mac("ed25519:PHONE"), expected);
        assert_eq!(bobs.their_mac("ed25519:PHONE"), expected);
        let expected = "MATRIX_KEY_VERIFICATION_MAC@bob:bLAPTOP@alice:aPHONEidKEY_IDS";
        assert_eq!(bobs.our_mac(InfoStrings::KEY_IDS), expected);
        assert_eq!(alices.their_mac(InfoStrings::KEY_IDS), expected);
    }
    assert_eq!(key_ids(["ed25519:b", "ed25519:A", "ed25519:a"]), "ed25519:A,ed25519:a,ed25519:b");
    assert_eq!(key_ids([]), "");
}
