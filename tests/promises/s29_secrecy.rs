//! S-29: nothing that is printed holds a secret or a plaintext. This file prints Olm, Megolm, their
//! pickles and all errors; `s29_secrecy_channels.rs` prints the rest.

use std::{error::Error, fmt::Debug, time::Duration};

use moceril::{
    Base64Error, ConversionError, Curve25519PublicKey, DecodeError, DehydratedDevice,
    DehydratedDeviceError, Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature, KeyError,
    LibolmPickleError, Loss, MessageVersion, PickleError, PickleKey, RandomError, SecretString,
    SignatureError,
    megolm::{self, DecryptionError as GroupDecryptionError, *},
    olm::{self, *},
};
use moceril_testing::{
    fixtures::{VERSIONS, config},
    leaks::{Secrets, debug, find_leak},
    pickle_editor::{CONTEXT, KEY, OpenPickle},
    pickle_map::Kind,
    pickled::Pickled,
    rng::{RecordedRng, SeededRng},
    sources::{names, public_types},
    states,
};

const PLAINTEXT: &[u8] = b"a plaintext that nobody else may see";

/// The secret parts of an object's state.
fn add_secrets<T: Pickled>(secrets: &mut Secrets, name: &str, object: &T) {
    let open = OpenPickle::open(&object.snapshot());
    for field in open.fields().iter().filter(|field| field.kind == Kind::Secret) {
        let bytes = &open.state[field.place.clone()];
        // The ratchet of a closed session.
        if bytes.iter().any(|byte| *byte != 0) {
            secrets.add(&format!("{name}: {}", field.name), bytes);
        }
    }
}

/// The search sees a planted secret in every form, and nothing in what is like it.
#[test]
fn s_29_a_planted_secret_is_found() {
    let secret: [u8; 32] = SeededRng::new(1).bytes();
    let hex: String = secret.iter().map(|byte| format!("{byte:02X}")).collect();
    let base64 = |skipped: usize| moceril_testing::pickle_editor::encode(&secret[skipped..]);
    for (text, form) in [
        (hex.clone(), "hexadecimal"),
        (hex[2..26].to_lowercase(), "hexadecimal"),
        (format!("{secret:?}"), "a list of decimal numbers"),
        (format!("{:#?}", &secret[5..17]), "a list of decimal numbers"),
        (format!("{secret:x?}"), "a list of hexadecimal numbers"),
        (format!("{secret:#02X?}"), "a list of hexadecimal numbers"),
        (base64(0), "base64"),
        (base64(1), "base64"),
        (base64(2), "base64"),
        (moceril_testing::pickle_editor::encode(&[&[1], &secret[..]].concat()), "base64"),
        (base64(0).replace('+', "-").replace('/', "_"), "base64"),
    ] {
        assert_eq!(find_leak(&format!("Key({text})"), &secret), Some(form), "{text}");
    }
    assert!(find_leak(&format!("{:?}", &PLAINTEXT[9..20]), PLAINTEXT).is_some());
    assert_eq!(find_leak("... that nobody else ...", PLAINTEXT), Some("text"));
    assert_eq!(find_leak(&format!("{:?}", SeededRng::new(2).bytes::<32>()), &secret), None);
    assert_eq!(find_leak(&hex[..14], &secret), None);

    let planted = std::panic::catch_unwind(|| {
        let mut secrets = Secrets::default();
        secrets.add("planted", &secret);
        secrets.not_in(&Some(secret));
    });
    assert!(planted.is_err());
}

/// All objects that are pickled, in all states, print no part of their secrets.
#[test]
fn s_29_objects_do_not_print_their_secrets() {
    fn check<T: Pickled + Debug>(name: &str, object: &T) -> usize {
        let mut secrets = Secrets::default();
        add_secrets(&mut secrets, name, object);
        secrets.not_in(object);
        secrets.count()
    }
    let rng = &mut SeededRng::new(3);
    let mut searched = 0;
    for (name, account) in &states::accounts(rng) {
        searched += check(name, account);
    }
    for version in VERSIONS {
        for state in states::sessions(version, rng) {
            searched += check(state.name, &state.session);
            let mut secrets = Secrets::default();
            add_secrets(&mut secrets, state.name, &state.session);
            secrets.not_in_text(&state.session.describe());
        }
        for (name, session) in &states::group_sessions(version, rng) {
            searched += check(name, session);
        }
        for (name, session) in &states::inbound_group_sessions(version, rng).0 {
            searched += check(name, session);
        }
    }
    assert!(searched > 500);
}

/// Messages, what comes out of decrypting them, and everything around them print no plaintext and
/// no key.
#[test]
fn s_29_olm_does_not_print_secrets() {
    let rng = &mut SeededRng::new(4);
    let mut secrets = Secrets::default();
    secrets.add("plaintext", PLAINTEXT);
    secrets.add("pickle key", &KEY);
    let (alice, mut bob) = (states::account(0, rng), states::account(0, rng));
    let generation: OneTimeKeyGeneration = bob.generate_one_time_keys_with_rng(2, rng).unwrap();
    let fallback: FallbackKeyGeneration = bob.generate_fallback_key_with_rng(rng).unwrap();
    let signed: SignedOneTimeKey = bob.signed_one_time_keys()[0].1;
    let bundle: PreKeyBundle = states::bundle(&bob);
    let config: SessionConfig = config(VERSIONS[0]);
    let mut session: Session =
        alice.create_outbound_session_with_rng(&bundle, config, rng).unwrap();
    add_secrets(&mut secrets, "alice", &alice);
    add_secrets(&mut secrets, "bob", &bob);
    add_secrets(&mut secrets, "session", &session);
    let message: OlmMessage = session.encrypt_with_rng(PLAINTEXT, rng).unwrap();
    let pre_key: &PreKeyMessage = message.as_pre_key().unwrap();
    let inner: &Message = pre_key.message();
    let sender = alice.curve25519_key();
    let mut created: InboundCreation = bob.create_inbound_session(sender, pre_key).unwrap();
    let decrypted: &olm::DecryptedMessage = &created.message;
    assert_eq!(decrypted.plaintext(), PLAINTEXT);
    let reply = created.session.encrypt_with_rng(PLAINTEXT, rng).unwrap();
    add_secrets(&mut secrets, "inbound", &created.session);

    let keys: &SessionKeys = session.session_keys();
    let identity_keys: IdentityKeys = bob.identity_keys();
    let (curve25519, ed25519): (Curve25519PublicKey, Ed25519PublicKey) =
        (identity_keys.curve25519, identity_keys.ed25519);
    let signature: Ed25519Signature = alice.sign(PLAINTEXT);
    let id: KeyId = generation.created[0].0;
    let limits: &Limits = session.limits();
    let version: MessageVersion = session.version();
    let pickle_key = PickleKey::from_bytes(KEY);
    let device: DehydratedDevice = bob.dehydrate_with_rng(&pickle_key, rng).unwrap();
    let parts: olm::DecryptedMessageParts = decrypted.clone().into_parts();
    assert_eq!(parts.plaintext, PLAINTEXT);
    let printed: [&dyn Debug; 24] = [
        &fallback,
        &alice,
        &bob,
        &session,
        &message,
        &reply,
        pre_key,
        inner,
        &created,
        decrypted,
        &parts,
        &generation,
        &signed,
        &bundle,
        keys,
        &identity_keys,
        &signature,
        &id,
        limits,
        &version,
        &config,
        &pickle_key,
        &device,
        &(curve25519, ed25519),
    ];
    printed.iter().for_each(|value| secrets.not_in(*value));
    for text in [curve25519.to_string(), ed25519.to_string(), signature.to_string(), id.to_string()]
    {
        secrets.not_in_text(&text);
    }

    let seed: [u8; 32] = rng.bytes();
    let signing_key = Ed25519SecretKey::from_bytes(seed);
    let text: SecretString = signing_key.to_base64();
    let mut secrets = Secrets::default();
    secrets.add("seed", &seed);
    secrets.add("seed in base64", text.as_bytes());
    secrets.not_in(&signing_key);
    secrets.not_in(&text);
}

/// The same for Megolm; its session keys are secrets themselves.
#[test]
fn s_29_megolm_does_not_print_secrets() {
    let rng = &mut SeededRng::new(5);
    let mut secrets = Secrets::default();
    secrets.add("plaintext", PLAINTEXT);
    let config = GroupSessionConfig::default()
        .with_version(VERSIONS[0])
        .with_created_at(Duration::from_secs(7));
    let mut room = GroupSession::with_rng(config, rng).unwrap();
    add_secrets(&mut secrets, "room", &room);
    let key: SessionKey = room.session_key();
    let mut theirs = InboundGroupSession::new(&key);
    let message: MegolmMessage = room.encrypt(PLAINTEXT).unwrap();
    let decrypted: megolm::DecryptedMessage = theirs.decrypt(&message).unwrap();
    assert_eq!(decrypted.plaintext(), PLAINTEXT);
    let exported: ExportedSessionKey = theirs.export_at(0).unwrap();
    let (shared_text, exported_text): (SecretString, SecretString) =
        (key.to_base64(), exported.to_base64());
    for (name, text) in [("session key", &shared_text), ("exported key", &exported_text)] {
        // What a key begins with is its version and index: no secrets.
        secrets.add(name, &text.as_bytes()[8..170]);
    }
    let mut guard = ReplayGuard::new(&theirs);
    _ = guard.check(&decrypted, "$event").unwrap();
    let parts: megolm::DecryptedMessageParts = decrypted.clone().into_parts();
    let provenance: Provenance = theirs.provenance();
    let ordering: SessionOrdering = theirs.compare(&theirs);
    let policy = RotationPolicy::default();
    let verdict: ReplayVerdict = guard.check(&decrypted, "$event").unwrap();
    let printed: [&dyn Debug; 15] = [
        &room,
        &key,
        &theirs,
        &message,
        &decrypted,
        &parts,
        &exported,
        &shared_text,
        &exported_text,
        &guard,
        &verdict,
        &provenance,
        &ordering,
        &policy,
        &config,
    ];
    printed.iter().for_each(|value| secrets.not_in(*value));
    for text in debug(&guard) {
        assert!(!text.contains("$event"));
    }
}

/// Errors that real secrets led to do not repeat them.
#[test]
fn s_29_errors_do_not_repeat_their_input() {
    let mut secrets = Secrets::default();
    let secret = "c2VjcmV0IHRleHQgdGhhdCBpcyBub3QgYSBrZXkgYXQgYWxs";
    secrets.add("text", secret.as_bytes());
    secrets.add("bytes", b"secret text that is not a key at all");
    let key = || PickleKey::from_bytes(KEY);
    let device = || DehydratedDevice { ciphertext: secret.into(), nonce: secret.into() };
    let errors: Vec<Box<dyn Error>> = vec![
        Curve25519PublicKey::from_base64(secret).unwrap_err().into(),
        Ed25519PublicKey::from_base64(secret).unwrap_err().into(),
        Ed25519SecretKey::from_base64(secret).unwrap_err().into(),
        Ed25519Signature::from_base64(secret).unwrap_err().into(),
        SessionKey::from_base64(secret).unwrap_err().into(),
        ExportedSessionKey::from_base64(secret).unwrap_err().into(),
        MegolmMessage::from_base64(secret).unwrap_err().into(),
        OlmMessage::from_parts(0, secret).unwrap_err().into(),
        OlmMessage::from_parts(1, secret).unwrap_err().into(),
        OlmMessage::from_parts(2, secret).unwrap_err().into(),
        Account::from_pickle(secret, &key(), CONTEXT).unwrap_err().into(),
        Account::from_libolm_pickle(secret, secret.as_bytes()).unwrap_err().into(),
        Account::rehydrate(&device(), &key()).unwrap_err().into(),
    ];
    for error in errors {
        let mut next = Some(&*error as &dyn Error);
        while let Some(error) = next {
            secrets.not_in(&error);
            secrets.not_in_text(&error.to_string());
            next = error.source();
        }
    }
}

/// Every error prints what happened in words, and with numbers that are no bytes of anything.
#[test]
fn s_29_errors_print_words() {
    let config = GroupSessionConfig::default().with_created_at(Duration::from_secs(7));
    let mut session = GroupSession::with_rng(config, &mut SeededRng::new(7)).unwrap();
    let known: CreationTimeError = session.set_created_at(Duration::from_secs(8)).unwrap_err();
    let random: RandomError = Account::with_rng(&mut RecordedRng::new([])).unwrap_err();
    let key = states::account(0, &mut SeededRng::new(8)).ed25519_key();
    let signature: SignatureError =
        key.verify(b"text", &Ed25519Signature::from_bytes([0; 64])).unwrap_err();
    let errors: Vec<Box<dyn Error>> = vec![
        random.into(),
        Base64Error::UrlSafe.into(),
        Base64Error::Invalid.into(),
        signature.into(),
        KeyError::Length(31).into(),
        DecodeError::Key(KeyError::LowOrder).into(),
        SessionKeyError::Version(9).into(),
        KeyGenerationError::TooMany { requested: 6_000, maximum: 5_000 }.into(),
        BundleError::Signature.into(),
        SessionCreationError::Decryption(olm::DecryptionError::Authentication).into(),
        olm::EncryptionError::SessionExhausted.into(),
        megolm::EncryptionError::SessionExhausted.into(),
        IdentityKeysError::AnotherSession.into(),
        olm::DecryptionError::TooFarAhead { index: 9, maximum: 8 }.into(),
        GroupDecryptionError::UnknownIndex { index: 1, first_known: 2 }.into(),
        ExportError::UnknownIndex { index: 1, first_known: 2 }.into(),
        MergeError::Unconnected.into(),
        known.into(),
        ProvenanceError::Known.into(),
        ProvenanceError::NotSigned.into(),
        ReplayError::Replayed { index: 3 }.into(),
        ReplayError::OtherSession.into(),
        PickleError::Version(9).into(),
        LibolmPickleError::Version(9).into(),
        ConversionError::Lossy(Loss::default()).into(),
        DehydratedDeviceError::Version(9).into(),
    ];
    for error in errors {
        let text = error.to_string();
        let word = |letter: char| letter.is_ascii_alphanumeric() || " ,:()'-^".contains(letter);
        assert!(text.len() > 10 && text.chars().all(word), "{text}");
        assert!(text.split_whitespace().all(|word| word.len() < 20), "{text}");
    }
}

/// The three files name every public type there is.
#[test]
fn s_29_every_public_type_is_printed() {
    let tests = [
        include_str!("s29_secrecy.rs"),
        include_str!("s29_secrecy_channels.rs"),
        include_str!("s29_secrecy_matrix.rs"),
    ]
    .concat();
    for name in public_types() {
        assert!(names(&tests, &name), "{name} is missing");
    }
}
