//! `OlmSession`.

use moceril::{
    Curve25519PublicKey, LibolmPickleError, MessageVersion,
    olm::{
        Account, DecryptionError, EncryptionError, Message, OlmMessage, PreKeyBundle,
        PreKeyMessage, Session, SessionConfig, SessionCreationError,
    },
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    base64::{self, KEY_LENGTH, encoded_length},
    error::{Code, Result},
    memory::{Input, Kind, Memory, Object, Output},
    messages::{self, NORMAL, Received},
    object::{Stored, call, content, load, load_or_blank, number_at, size_with, store},
    pickle::Pickled,
    random::Random,
};

/// One sender chain, five receiver chains and forty skipped keys.
const MAX_CONTENT: usize = 145 + 100 + 68 * (5 + 40);
/// Where the fields stand in it that every message needs: after the version; after three public
/// keys and the root key; after a ratchet key and the chain key.
const RECEIVED: usize = 4;
const SENDER_CHAINS: usize = RECEIVED + 1 + 4 * 32;
const CHAIN_INDEX: usize = SENDER_CHAINS + 4 + 3 * 32;
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

/// What is known of the next message before it is encrypted.
#[derive(Default)]
struct Next {
    /// Whether it is a normal message: a message was received.
    is_normal: bool,
    /// Its index in our chain, unless it begins one.
    chain_index: Option<u32>,
}

impl Next {
    /// Looks at the fields in their places. A program asks three questions for each message, and
    /// reading the whole content each time would take longer than encrypting it. A blank session
    /// answers as a new one.
    fn of(memory: &Memory, session: Object<Session>) -> Result<Self> {
        let Some(content) = content(memory, session) else { return Ok(Self::default()) };
        let has_chain = number_at(content, SENDER_CHAINS)? != 0;
        Ok(Self {
            is_normal: content.get(RECEIVED).is_some_and(|received| *received != 0),
            chain_index: if has_chain { Some(number_at(content, CHAIN_INDEX)?) } else { None },
        })
    }

    /// The characters of the message.
    fn length(&self, plaintext_length: usize) -> usize {
        let index = self.chain_index.unwrap_or(0);
        let normal = Message::length(MessageVersion::V3, index, plaintext_length);
        encoded_length(if self.is_normal { normal } else { PreKeyMessage::length(normal) })
    }
}

/// `Next` for the functions that cannot fail.
fn next(session: Object<Session>) -> Next {
    Next::of(&Memory::of_this_call(), session).unwrap_or_default()
}

/// `olm_session_has_received_message`
pub(crate) fn has_received_message(session: Object<Session>) -> i32 {
    next(session).is_normal.into()
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
    next(session).is_normal.into()
}

/// `olm_encrypt_random_length`: 32 when the next message begins a new chain.
pub(crate) fn encrypt_random_length(session: Object<Session>) -> usize {
    if next(session).chain_index.is_none() { CHAIN_RANDOM_LENGTH } else { 0 }
}

/// `olm_encrypt_message_length`
pub(crate) fn encrypt_message_length(session: Object<Session>, plaintext_length: usize) -> usize {
    call(session, |memory| Ok(Next::of(memory, session)?.length(plaintext_length)))
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
        let needed = Next::of(memory, session)?.length(plaintext.length);
        let room = memory.room(message, needed)?;
        let encrypted = memory.bytes(plaintext).and_then(|plaintext| {
            let mut random = Random(memory.random(random)?);
            state.encrypt_with_rng(plaintext, &mut random).map_err(|error| match error {
                EncryptionError::Random => Code::NotEnoughRandom,
                _ => Code::UnknownMessageIndex,
            })
        });
        memory.wipe(random);
        let text = encrypted?.to_base64();
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
