//! S-29 outside Olm and Megolm: what verification, secure channels, backups and other types print.
//! Most of these are behind features: run with `--all-features`.

use std::fmt::Debug;

use moceril::{
    SecretBytes,
    ecies::{
        self, ChannelError, CheckCode, DigitMode, Ecies, EstablishedEcies, Incoming, Outgoing,
        Refused,
    },
    sas::{Emoji, EstablishedSas, InfoStrings, MacMethod, Party, Sas, SasBytes, SasError},
};
use moceril_testing::{leaks::Secrets, rng::SeededRng};

const PLAINTEXT: &[u8] = b"a plaintext that nobody else may see";

fn secrets(found: &[(&str, &[u8])]) -> Secrets {
    let mut secrets = Secrets::default();
    secrets.add("plaintext", PLAINTEXT);
    found.iter().for_each(|(name, secret)| secrets.add(name, secret));
    secrets
}

fn not_in_any(secrets: &Secrets, printed: &[&dyn Debug]) {
    printed.iter().for_each(|value| secrets.not_in(*value));
}

/// The 32 bytes that the next draw from this source will give, and the source.
fn seeded(seed: u64) -> ([u8; 32], SeededRng) {
    (SeededRng::new(seed).bytes(), SeededRng::new(seed))
}

#[test]
fn s_29_short_authentication_strings() {
    let ((alice_secret, mut alice_rng), (_, mut bob_rng)) = (seeded(1), seeded(2));
    let alice = Sas::with_rng(&mut alice_rng).unwrap();
    let bob = Sas::with_rng(&mut bob_rng).unwrap();
    let mut secrets = secrets(&[("private key", &alice_secret)]);
    secrets.not_in(&alice);
    let established: EstablishedSas = alice.diffie_hellman(bob.public_key()).unwrap();
    let bytes: SasBytes = established.bytes("info");
    secrets.add("derived bytes", &established.bytes_raw("info", 64).unwrap());
    let method = MacMethod::default();
    let emoji: [Emoji; 7] = bytes.emoji();
    let error: SasError = established.verify_mac(method, "input", "info", "AAAA").unwrap_err();
    let party = Party { user_id: "@alice:a", device_id: "A" };
    let info = InfoStrings { us: party, them: party, we_started: true, transaction_id: "t" };
    not_in_any(&secrets, &[&established, &method, &emoji, &error, &party, &info]);
    // Six bytes are too few for the search: no number of them may stand there.
    let printed = format!("{bytes:?}");
    assert!(!printed.chars().any(|letter| letter.is_ascii_digit()), "{printed}");
}

#[test]
fn s_29_ecies() {
    let ((secret, mut rng), (other_secret, mut other_rng)) = (seeded(3), seeded(4));
    let ours = Ecies::with_rng(&mut rng).unwrap();
    let theirs = Ecies::with_rng(&mut other_rng).unwrap();
    let secrets = secrets(&[("private key", &secret), ("their private key", &other_secret)]);
    not_in_any(&secrets, &[&ours, &theirs]);
    let outbound: Outgoing<EstablishedEcies, ecies::InitialMessage> =
        ours.establish_outbound_channel(theirs.public_key(), PLAINTEXT).unwrap();
    let initial: &ecies::InitialMessage = &outbound.message;
    let mut forged = initial.clone();
    forged.ciphertext[0] ^= 1;
    let refused: Refused<Ecies> = theirs.establish_inbound_channel(&forged).unwrap_err();
    secrets.not_in(&refused);
    secrets.not_in_text(&refused.to_string());
    let mut inbound: Incoming<EstablishedEcies> =
        refused.unchanged.establish_inbound_channel(initial).unwrap();
    let plaintext: &SecretBytes = &inbound.plaintext;
    assert_eq!(*plaintext, PLAINTEXT);
    secrets.not_in(plaintext);
    let message: ecies::Message = inbound.channel.encrypt(PLAINTEXT).unwrap();
    let channel: &EstablishedEcies = &outbound.channel;
    let code: &CheckCode = channel.check_code();
    not_in_any(&secrets, &[&outbound, &inbound, channel, initial, &message, code]);
    secrets.not_in(&DigitMode::AllowLeadingZero);
}

#[test]
fn s_29_hpke() {
    use moceril::hpke::{
        EstablishedHpkeChannel, HpkeRecipientChannel, HpkeSenderChannel, InitialMessage,
        InitialResponse, Message, UnidirectionalRecipientChannel, UnidirectionalSenderChannel,
    };
    let ((drawn, mut rng), (other_drawn, mut other_rng)) = (seeded(5), seeded(6));
    let recipient = HpkeRecipientChannel::with_rng(&mut rng).unwrap();
    let sender = HpkeSenderChannel::new();
    let secrets = secrets(&[("drawn", &drawn), ("drawn by the sender", &other_drawn)]);
    not_in_any(&secrets, &[&recipient, &sender]);
    let key = recipient.public_key();
    let created: Outgoing<UnidirectionalSenderChannel, InitialMessage> =
        sender.establish_channel_with_rng(key, PLAINTEXT, b"", &mut other_rng).unwrap();
    let initial: &InitialMessage = &created.message;
    not_in_any(&secrets, &[&created, initial]);
    let received: Incoming<UnidirectionalRecipientChannel> =
        recipient.establish_channel(initial, b"").unwrap();
    assert_eq!(received.plaintext, PLAINTEXT);
    secrets.not_in(&received);
    let channel: UnidirectionalRecipientChannel = received.channel;
    secrets.not_in(&channel);
    let mut answered: Outgoing<EstablishedHpkeChannel, InitialResponse> =
        channel.establish_bidirectional_channel_with_rng(PLAINTEXT, b"", &mut rng).unwrap();
    let response: &InitialResponse = &answered.message;
    secrets.not_in(response);
    let channel: UnidirectionalSenderChannel = created.channel;
    secrets.not_in(&channel);
    let mut established: Incoming<EstablishedHpkeChannel> =
        channel.establish_bidirectional_channel(response, b"").unwrap();
    let message: Message = answered.channel.seal(PLAINTEXT, b"").unwrap();
    let error: ChannelError = established.channel.open(&message, b"other").unwrap_err();
    let channel: &EstablishedHpkeChannel = &established.channel;
    not_in_any(&secrets, &[&answered, &established, channel, &message, &error]);
}

#[test]
fn s_29_backups() {
    use moceril::backup::{
        BackupDecryptionKey, BackupEncryptionKey, BackupError, BackupMessage, BackupMessageBase64,
    };
    use moceril::recovery_key::RecoveryKeyError;
    let (secret, mut rng) = seeded(7);
    let key = BackupDecryptionKey::with_rng(&mut rng).unwrap();
    let secrets = secrets(&[("private key", &secret)]);
    let public = BackupEncryptionKey::from_trusted_key(key.public_key());
    let message: BackupMessage = public.encrypt_with_rng(PLAINTEXT, &mut rng).unwrap();
    let text: BackupMessageBase64 = message.to_base64();
    let other = BackupDecryptionKey::with_rng(&mut rng).unwrap();
    let error: BackupError = other.decrypt_unauthenticated(&message).unwrap_err();
    not_in_any(&secrets, &[&key, &key.to_base64(), &public, &message, &text, &error]);
    let recovery_key = key.to_recovery_key();
    let error: RecoveryKeyError =
        BackupDecryptionKey::from_recovery_key(&recovery_key[1..]).unwrap_err();
    not_in_any(&secrets, &[&recovery_key, &error]);
}

#[test]
fn s_29_vodozemac_pickles() {
    use moceril::{
        MessageVersion,
        vodozemac::{
            AccountPickle, Ed25519KeyPair, GroupSessionPickle, InboundGroupSessionPickle,
            SessionPickle, VodozemacPickleError,
        },
    };
    use moceril_testing::{fixtures::group, pickle_editor::OpenPickle, pickled::Pickled, states};
    fn check<T: Pickled>(object: &T, pickle: &dyn Debug) {
        let open = OpenPickle::open(&object.snapshot());
        let mut secrets = Secrets::default();
        for field in open.fields() {
            if field.kind == moceril_testing::pickle_map::Kind::Secret {
                secrets.add(&field.name, &open.state[field.place]);
            }
        }
        secrets.not_in(pickle);
    }
    let rng = &mut SeededRng::new(8);
    let account = states::account(3, rng);
    let (account_pickle, _): (AccountPickle, _) = account.to_vodozemac_pickle_lossy().unwrap();
    check(&account, &account_pickle);
    let (session, _) = states::pair(moceril_testing::fixtures::config(MessageVersion::V3), rng);
    let (session_pickle, _): (SessionPickle, _) = session.to_vodozemac_pickle_lossy().unwrap();
    check(&session, &session_pickle);
    let (sender, receiver) = group(MessageVersion::V3, 9);
    let (sender_pickle, _): (GroupSessionPickle, _) = sender.to_vodozemac_pickle_lossy().unwrap();
    check(&sender, &sender_pickle);
    let (receiver_pickle, _): (InboundGroupSessionPickle, _) =
        receiver.to_vodozemac_pickle_lossy().unwrap();
    check(&receiver, &receiver_pickle);
    let seed: [u8; 32] = rng.bytes();
    let mut secrets = Secrets::default();
    secrets.add("seed", &seed);
    secrets.not_in(
        &Ed25519KeyPair::with_rng(&mut moceril_testing::rng::RecordedRng::new(seed)).unwrap(),
    );
    let encrypted = account_pickle.encrypt(&[7; 32]).unwrap();
    let error: VodozemacPickleError =
        AccountPickle::from_encrypted(&encrypted, &[8; 32]).unwrap_err();
    check(&account, &error);
}

/// What is not a pickle is refused without being shown: it may be a secret in another form.
#[test]
fn s_29_refused_vodozemac_pickles() {
    use moceril::vodozemac::{
        AccountPickle, Ed25519KeyPair, GroupSessionPickle, InboundGroupSessionPickle, SessionPickle,
    };
    use serde_json::{Value, from_value, json};
    fn refuse<T: serde::de::DeserializeOwned>(json: &Value, secret: &str) {
        let error = from_value::<T>(json.clone()).err().expect("accepted");
        assert!(!format!("{error} {error:?}").contains(secret), "{error}");
    }
    let secret = "a private key as text";
    for json in [json!(secret), json!({ "Normal": secret }), json!({ secret: [1, 2] })] {
        for place in ["signing_key", "session_keys", "ratchet", "initial_ratchet"] {
            for json in [&json, &json!({ place: json })] {
                refuse::<AccountPickle>(json, secret);
                refuse::<SessionPickle>(json, secret);
                refuse::<GroupSessionPickle>(json, secret);
                refuse::<InboundGroupSessionPickle>(json, secret);
                refuse::<Ed25519KeyPair>(json, secret);
            }
        }
    }
}

#[test]
fn s_29_payloads() {
    use moceril::{
        megolm::{GroupSession, GroupSessionConfig, InboundGroupSession},
        payload::{Device, OlmPayload, PayloadError, RoomPayload},
    };
    use moceril_testing::states;
    let rng = &mut SeededRng::new(10);
    let (alice, mut bob) = (states::account(0, rng), states::account(1, rng));
    let ours = Device { user_id: "@alice:example.org", keys: alice.identity_keys() };
    let theirs = Device { user_id: "@bob:example.org", keys: bob.identity_keys() };
    let content = r#"{"session_key":"a plaintext that nobody else may see"}"#;
    let text = OlmPayload::encode("m.room_key", content, &ours, &theirs).unwrap();
    let config = moceril::olm::SessionConfig::default();
    let mut session =
        alice.create_outbound_session_with_rng(&states::bundle(&bob), config, rng).unwrap();
    let message = session.encrypt_with_rng(text.as_bytes(), rng).unwrap();
    let sender = alice.curve25519_key();
    let created = bob.create_inbound_session(sender, message.as_pre_key().unwrap()).unwrap();
    let payload: OlmPayload = OlmPayload::verify(&created.message, &ours, &theirs).unwrap();
    let error: PayloadError = OlmPayload::verify(&created.message, &theirs, &ours).unwrap_err();
    let mut room = GroupSession::with_rng(GroupSessionConfig::default(), rng).unwrap();
    let mut inbound = InboundGroupSession::new(&room.session_key());
    let event = RoomPayload::encode("m.room.message", content, "!room").unwrap();
    let event = inbound.decrypt(&room.encrypt(event.as_bytes()).unwrap()).unwrap();
    let event: RoomPayload = RoomPayload::verify(&event, "!room").unwrap();
    not_in_any(&secrets(&[]), &[&text, &created, &payload, &ours, &error, &event]);
}

#[test]
fn s_29_key_exports() {
    use moceril::{
        key_export::{
            Decryptor, Encryptor, KeyExportError, MIN_ROUNDS, Scanner, Verifier, decrypt,
            encrypt_weak_with_rng,
        },
        room_keys::ExportParser,
    };
    let passphrase = "what nobody else may know or guess";
    let plaintext = std::str::from_utf8(PLAINTEXT).unwrap();
    let file =
        encrypt_weak_with_rng(&plaintext.to_owned().into(), passphrase, 1, &mut SeededRng::new(11))
            .unwrap();
    let error: KeyExportError = decrypt(&file, plaintext, 1).unwrap_err();
    let secrets = secrets(&[("passphrase", passphrase.as_bytes())]);
    secrets.not_in(&decrypt(&file, passphrase, 1).unwrap());
    secrets.not_in(&error);
    secrets.not_in_text(&file);

    let rng = &mut SeededRng::new(14);
    let encryptor: Encryptor = Encryptor::with_rng(passphrase, MIN_ROUNDS, rng).unwrap();
    let (mut scanner, mut verifier) = (Scanner::new(), Verifier::new(passphrase, 1));
    scanner.update(&file);
    verifier.update(&file);
    not_in_any(&secrets, &[&encryptor, &scanner, &verifier]);
    let mut decryptor: Decryptor = verifier.finish().unwrap();
    secrets.not_in(&decryptor);
    decryptor.update(&file).unwrap();
    secrets.not_in(&decryptor);
    let mut parser = ExportParser::new();
    parser.update(PLAINTEXT);
    secrets.not_in(&parser);
}

#[test]
fn s_29_passphrases() {
    use moceril::{PassphraseCost, PassphraseError, PassphraseKey};
    let passphrase = "what nobody else may know or guess";
    let cost = PassphraseCost { memory_kib: 8, passes: 1, lanes: 1 };
    let key = PassphraseKey::weak_with_rng(passphrase, cost, &mut SeededRng::new(12)).unwrap();
    let error: PassphraseError = PassphraseKey::for_pickle("AAAA", passphrase, cost).unwrap_err();
    let secrets = secrets(&[("passphrase", passphrase.as_bytes())]);
    not_in_any(&secrets, &[&key, &cost, &error]);
}

#[test]
fn s_29_raw_keys() {
    use moceril::{
        MessageVersion,
        hazmat::{ChainIndices, Cipher, MessageKey, RawSessionKeys, SendingState},
    };
    use moceril_testing::{fixtures::config, states};
    let (mut session, _) = states::pair(config(MessageVersion::V3), &mut SeededRng::new(13));
    let state: SendingState = session.sending_state().unwrap();
    let indices: ChainIndices = session.chain_indices();
    let key: MessageKey = session.next_message_key().unwrap();
    let cipher = Cipher::olm(key.key());
    let raw = RawSessionKeys { identity_key: [1; 32], base_key: [2; 32], one_time_key: [3; 32] };
    let secrets = secrets(&[
        ("root key", state.root_key()),
        ("chain key", state.chain_key()),
        ("ratchet key", state.ratchet_key()),
        ("message key", key.key()),
    ]);
    not_in_any(&secrets, &[&state, &indices, &key, &cipher, &raw]);
}
