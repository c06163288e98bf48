//! `OlmSession`.

use moceril::{
    Curve25519PublicKey, LibolmPickleError,
    olm::{
        Account, DecryptionError, EncryptionError, OlmMessage, PreKeyBundle, Session,
        SessionConfig, SessionCreationError,
    },
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    base64::{self, KEY_LENGTH, encoded_length},
    error::{Code, Result},
    memory::{Input, Kind, Memory, Object, Output},
    messages::{self, NORMAL, Received},
    object::{Stored, ask, call, load, load_or_blank, size_with, store},
    pickle::Pickled,
    random::Random,
};

/// One sender chain, five receiver chains and forty skipped keys.
const MAX_CONTENT: usize = 145 + 100 + 68 * (5 + 40);
const CREATE_RANDOM_LENGTH: usize = 64;
const CHAIN_RANDOM_LENGTH: usize = 32;

impl Kind for Session {
    const SIZE: usize = size_with(MAX_CONTENT);
}

impl Stored for Session {
    const BLANK: Code = Code::BadSessionKey;

    fn read(content: &[u8]) -> Option<Self> {
        Self::from_own_libolm_content(content).ok().map(|(session, _)| session)
    }

    fn write(&self, content: &mut [u8]) -> Option<usize> {
        self.write_libolm_content(content).ok().flatten()
    }
}

impl Pickled for Session {
    const BLANKS: &'static [(u32, usize)] = &[(1, 145), (0x8000_0001, 149)];

    fn unpickle(content: &[u8]) -> std::result::Result<(Self, &[u8]), LibolmPickleError> {
        Self::from_libolm_content(content)
    }
}

/// `olm_create_outbound_session_random_length`
pub(crate) fn create_outbound_random_length(_: Object<Session>) -> usize {
    CREATE_RANDOM_LENGTH
}

/// `olm_create_outbound_session`: the random bytes are the base key and the first ratchet key. They
/// are wiped, unless the keys are refused before.
pub(crate) fn create_outbound(
    session: Object<Session>,
    account: Object<Account>,
    their_identity_key: Input,
    their_one_time_key: Input,
    random: Output,
) -> usize {
    call(session, |memory| {
        let identity_key = memory.bytes(their_identity_key)?;
        let one_time_key = memory.bytes(their_one_time_key)?;
        let keys = (base64::decode_key(identity_key)?, base64::decode_key(one_time_key)?);
        let bundle = bundle(keys).ok_or(Code::BadAccountKey)?;
        let created = load(memory, account).and_then(|account| {
            let mut random = Random(memory.random(random)?);
            account
                .create_outbound_session_with_rng(&bundle, SessionConfig::default(), &mut random)
                .map_err(|error| match error {
                    SessionCreationError::Random => Code::NotEnoughRandom,
                    _ => Code::BadAccountKey,
                })
        });
        memory.wipe(random);
        store(memory, session, &created?)?;
        Ok(0)
    })
}

/// The caller has verified the keys: libolm's API has no place for their signature.
fn bundle((identity_key, one_time_key): ([u8; 32], [u8; 32])) -> Option<PreKeyBundle> {
    let identity_key = Curve25519PublicKey::from_bytes(identity_key).ok()?;
    let one_time_key = Curve25519PublicKey::from_bytes(one_time_key).ok()?;
    PreKeyBundle::from_unverified_keys(identity_key, one_time_key).ok()
}

/// `olm_create_inbound_session`: the message is not decrypted, and the one-time key stays.
pub(crate) fn create_inbound(
    session: Object<Session>,
    account: Object<Account>,
    message: Input,
) -> usize {
    call(session, |memory| {
        let message = messages::decode(memory, message)?;
        let created = respond(memory, account, None, &message)?;
        store(memory, session, &created)?;
        Ok(0)
    })
}

/// `olm_create_inbound_session_from`: the message must be from this identity key.
pub(crate) fn create_inbound_from(
    session: Object<Session>,
    account: Object<Account>,
    their_identity_key: Input,
    message: Input,
) -> usize {
    call(session, |memory| {
        let key = memory.bytes(their_identity_key)?;
        let key = base64::decode_key(key)?;
        let message = messages::decode(memory, message)?;
        let created = respond(memory, account, Some(&key), &message)?;
        store(memory, session, &created)?;
        Ok(0)
    })
}

fn respond(
    memory: &Memory,
    account: Object<Account>,
    their_identity_key: Option<&[u8; 32]>,
    message: &[u8],
) -> Result<Session> {
    let message =
        messages::pre_key(message, their_identity_key).map_err(
            |error| match messages::received(error) {
                Code::BadMessageMac => Code::BadMessageFormat,
                code => code,
            },
        )?;
    let sender = message.identity_key();
    if their_identity_key.is_some_and(|key| key != sender.as_bytes()) {
        return Err(Code::BadMessageKeyId);
    }
    load_or_blank(memory, account)?
        .ok_or(Code::BadMessageKeyId)?
        .create_inbound_session_unread(sender, &message, SessionConfig::default())
        .map_err(|_| Code::BadMessageKeyId)
}

/// `olm_session_id_length`
pub(crate) fn id_length(_: Object<Session>) -> usize {
    KEY_LENGTH
}

/// `olm_session_id`; the hash of zeros for a blank session.
pub(crate) fn id(session: Object<Session>, id: Output) -> usize {
    call(session, |memory| {
        let room = memory.room(id, KEY_LENGTH)?;
        let id = match load_or_blank(memory, session)? {
            Some(session) => session.session_id(),
            None => base64::encode(&Sha256::digest([0; 96])),
        };
        Ok(memory.write(room, id.as_bytes()))
    })
}

/// `olm_session_has_received_message`
pub(crate) fn has_received_message(session: Object<Session>) -> i32 {
    ask(session, Session::has_received_message, false).into()
}

/// `olm_matches_inbound_session`: 1 or 0.
pub(crate) fn matches(session: Object<Session>, message: Input) -> usize {
    call(session, |memory| {
        let message = messages::decode(memory, message)?;
        Ok(is_of(load_or_blank(memory, session)?, None, &message).into())
    })
}

/// `olm_matches_inbound_session_from`: 1 or 0.
pub(crate) fn matches_from(
    session: Object<Session>,
    their_identity_key: Input,
    message: Input,
) -> usize {
    call(session, |memory| {
        let key = memory.bytes(their_identity_key)?;
        let key = base64::decode_key(key)?;
        let message = messages::decode(memory, message)?;
        Ok(is_of(load_or_blank(memory, session)?, Some(&key), &message).into())
    })
}

fn is_of(session: Option<Session>, sender: Option<&[u8; 32]>, message: &[u8]) -> bool {
    let (Some(session), Ok(message)) = (session, messages::pre_key(message, sender)) else {
        return false;
    };
    session.matches(&message)
        && sender.is_none_or(|sender| sender == message.identity_key().as_bytes())
}

/// `olm_encrypt_message_type`: 0, a pre-key message, until a message was decrypted; then 1.
pub(crate) fn encrypt_message_type(session: Object<Session>) -> usize {
    ask(session, Session::has_received_message, false).into()
}

/// `olm_encrypt_random_length`: 32 when the next message begins a new chain.
pub(crate) fn encrypt_random_length(session: Object<Session>) -> usize {
    let begins_chain = |session: &Session| session.chain_indices().sending.is_none();
    if ask(session, begins_chain, true) { CHAIN_RANDOM_LENGTH } else { 0 }
}

/// `olm_encrypt_message_length`
pub(crate) fn encrypt_message_length(session: Object<Session>, plaintext_length: usize) -> usize {
    let length = |session: &Session| session.next_message_length(plaintext_length);
    call(session, |memory| {
        let raw = match load_or_blank(memory, session)? {
            Some(session) => length(&session),
            None => length(&stand_in()?),
        };
        Ok(encoded_length(raw))
    })
}

/// A session whose next message is as long as a blank session's: a pre-key message of index 0.
fn stand_in() -> Result<Session> {
    let base_point = std::array::from_fn(|place| if place == 0 { 9 } else { 0 });
    let key = Curve25519PublicKey::from_bytes(base_point).map_err(|_| Code::BadSessionKey)?;
    let keys = moceril::olm::SessionKeys { identity_key: key, base_key: key, one_time_key: key };
    Ok(Session::from_root_key_material(SessionConfig::default(), keys, [0; 32], [0; 32], [0; 32]))
}

/// `olm_encrypt`: returns the length of the message. The random bytes are wiped, unless the output
/// buffer is too small.
pub(crate) fn encrypt(
    session: Object<Session>,
    plaintext: Input,
    random: Output,
    message: Output,
) -> usize {
    call(session, |memory| {
        let mut state = load(memory, session)?;
        let needed = encoded_length(state.next_message_length(plaintext.length));
        let room = memory.room(message, needed)?;
        let encrypted = memory.bytes(plaintext).and_then(|plaintext| {
            let mut random = Random(memory.random(random)?);
            state.encrypt_with_rng(plaintext, &mut random).map_err(|error| match error {
                EncryptionError::Random => Code::NotEnoughRandom,
                _ => Code::UnknownMessageIndex,
            })
        });
        memory.wipe(random);
        let text = base64::encode(encrypted?.as_bytes());
        store(memory, session, &state)?;
        Ok(memory.write(room, text.as_bytes()))
    })
}

/// `olm_decrypt_max_plaintext_length`
pub(crate) fn decrypt_max_plaintext_length(
    session: Object<Session>,
    message_type: usize,
    message: Input,
) -> usize {
    call(session, |memory| {
        let message = messages::decode(memory, message)?;
        messages::max_plaintext_length(message_type, message)
    })
}

/// `olm_decrypt`: returns the length of the plaintext. The buffer must hold the padded length.
pub(crate) fn decrypt(
    session: Object<Session>,
    message_type: usize,
    message: Input,
    plaintext: Output,
) -> usize {
    call(session, |memory| {
        let message = messages::decode(memory, message)?;
        let state = load_or_blank(memory, session)?;
        let (message, has_rest) = if message_type == NORMAL {
            let Received { message, has_rest } = messages::normal(&message)?;
            (OlmMessage::Normal(message), has_rest)
        } else {
            let initiator = state.as_ref().map(|state| state.session_keys().identity_key);
            let initiator = initiator.as_ref().map(Curve25519PublicKey::as_bytes);
            let parsed = messages::pre_key(&message, initiator).map_err(messages::received)?;
            (OlmMessage::PreKey(parsed), false)
        };
        let ciphertext = match &message {
            OlmMessage::Normal(message) => message.ciphertext(),
            OlmMessage::PreKey(message) => message.message().ciphertext(),
        };
        let room = memory.room(plaintext, ciphertext.len())?;
        let mut state = state.filter(|_| !has_rest).ok_or(Code::BadMessageMac)?;
        let decrypted = state.decrypt(&message).map_err(|error| match error {
            DecryptionError::VersionMismatch => Code::BadMessageVersion,
            _ => Code::BadMessageMac,
        })?;
        let decrypted = Zeroizing::new(decrypted.into_plaintext());
        store(memory, session, &state)?;
        Ok(memory.write(room, &decrypted))
    })
}
