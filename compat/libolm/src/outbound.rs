//! `OlmOutboundGroupSession`.

use moceril::{
    LibolmPickleError, MessageVersion,
    megolm::{GroupSession, GroupSessionConfig, MegolmMessage},
};

use crate::{
    base64::{self, BLANK_KEY, KEY_LENGTH, encoded_length},
    error::{Code, Result},
    memory::{Input, Kind, Memory, Object, Output},
    object::{Stored, call, content, load, number_at, size_with, store},
    pickle::Pickled,
    random::Random,
};

const CONTENT: usize = 232;
/// Where the index stands in it: after the version and the ratchet.
const INDEX_START: usize = 4 + 128;
/// Where the two halves of the signing key stand.
const PUBLIC_KEY: usize = INDEX_START + 4;
const PRIVATE_KEY: usize = PUBLIC_KEY + 32;
const CREATE_RANDOM_LENGTH: usize = 160;
const SESSION_KEY_LENGTH: usize = encoded_length(229);

impl Kind for GroupSession {
    const SIZE: usize = size_with(CONTENT);
}

impl Stored for GroupSession {
    const BLANK: Code = Code::BadSessionKey;

    fn read(content: &[u8]) -> Option<Self> {
        Self::from_own_libolm_content(content).ok().map(|(session, _)| session)
    }

    fn write(&self, content: &mut [u8]) -> Option<usize> {
        self.write_libolm_content(content).ok().flatten()
    }
}

impl Pickled for GroupSession {
    const BLANKS: &'static [(u32, usize)] = &[(1, CONTENT)];

    fn unpickle(content: &[u8]) -> std::result::Result<(Self, &[u8]), LibolmPickleError> {
        Self::from_libolm_content(content)
    }
}

/// `olm_init_outbound_group_session_random_length`
pub(crate) fn init_random_length(_: Object<GroupSession>) -> usize {
    CREATE_RANDOM_LENGTH
}

/// `olm_init_outbound_group_session`: the random bytes are the ratchet and the Ed25519 seed. They
/// are wiped on success.
pub(crate) fn init(session: Object<GroupSession>, random: Output) -> usize {
    call(session, |memory| {
        let created = create(memory.random(random)?)?;
        memory.wipe(random);
        store(memory, session, &created)?;
        Ok(0)
    })
}

fn create(random: &[u8]) -> Result<GroupSession> {
    GroupSession::with_rng(GroupSessionConfig::default(), &mut Random(random))
        .map_err(|_| Code::NotEnoughRandom)
}

/// The index of the next message, out of the content. A blank session is at index 0, as any new
/// one.
fn index(memory: &Memory, session: Object<GroupSession>) -> Result<u32> {
    content(memory, session).map_or(Ok(0), |content| number_at(content, INDEX_START))
}

fn public_key(content: &[u8]) -> Result<&[u8]> {
    content.get(PUBLIC_KEY..PRIVATE_KEY).ok_or(Code::CorruptedPickle)
}

fn message_length(message_index: u32, plaintext_length: usize) -> usize {
    encoded_length(MegolmMessage::length(MessageVersion::V3, message_index, plaintext_length))
}

/// `olm_group_encrypt_message_length`
pub(crate) fn encrypt_message_length(
    session: Object<GroupSession>,
    plaintext_length: usize,
) -> usize {
    call(session, |memory| Ok(message_length(index(memory, session)?, plaintext_length)))
}

/// `olm_group_encrypt`: returns the length of the message.
pub(crate) fn encrypt(session: Object<GroupSession>, plaintext: Input, message: Output) -> usize {
    call(session, |memory| {
        let mut state = load(memory, session)?;
        let needed = message_length(state.message_index(), plaintext.length);
        let room = memory.room(message, needed)?;
        let encrypted =
            state.encrypt(memory.bytes(plaintext)?).map_err(|_| Code::UnknownMessageIndex)?;
        let text = encrypted.to_base64();
        store(memory, session, &state)?;
        Ok(memory.write(room, text.as_bytes()))
    })
}

/// `olm_outbound_group_session_id_length`
pub(crate) fn id_length(_: Object<GroupSession>) -> usize {
    KEY_LENGTH
}

/// `olm_outbound_group_session_id`; zeros for a blank session.
pub(crate) fn id(session: Object<GroupSession>, id: Output) -> usize {
    call(session, |memory| {
        let room = memory.room(id, KEY_LENGTH)?;
        let key = content(memory, session).map(public_key).transpose()?;
        let id = key.map(base64::encode);
        Ok(memory.write(room, id.as_deref().unwrap_or(BLANK_KEY).as_bytes()))
    })
}

/// `olm_outbound_group_session_message_index`
pub(crate) fn message_index(session: Object<GroupSession>) -> u32 {
    index(&Memory::of_this_call(), session).unwrap_or_default()
}

/// `olm_outbound_group_session_key_length`
pub(crate) fn key_length(_: Object<GroupSession>) -> usize {
    SESSION_KEY_LENGTH
}

/// `olm_outbound_group_session_key`: the signed session key at the present index.
pub(crate) fn key(session: Object<GroupSession>, key: Output) -> usize {
    call(session, |memory| {
        let room = memory.room(key, SESSION_KEY_LENGTH)?;
        let key = load(memory, session)?.session_key().to_base64();
        Ok(memory.write(room, key.as_bytes()))
    })
}
