//! `OlmInboundGroupSession`.

use moceril::{
    Ed25519PublicKey, Ed25519Signature, LibolmPickleError,
    megolm::{
        DecryptionError, ExportedSessionKey, InboundGroupSession, MegolmMessage, SessionKey,
        SessionKeyError,
    },
};
use zeroize::Zeroizing;

use crate::{
    base64::{self, BLANK_KEY, KEY_LENGTH, encoded_length},
    error::{Code, Result},
    memory::{Input, Kind, Memory, Object, Out, Output},
    messages::{self, Received},
    object::{Stored, ask, call, content, load, replace, size_with, store},
    pickle::Pickled,
    rungs,
};

const EXPORT_LENGTH: usize = encoded_length(165);

impl Kind for InboundGroupSession {
    const SIZE: usize = size_with(rungs::MAX_CONTENT);
}

impl Stored for InboundGroupSession {
    const BLANK: Code = Code::BadSessionKey;

    fn read(content: &[u8]) -> Option<Self> {
        Self::from_own_libolm_content(content).ok().map(|(session, _)| session)
    }

    fn write(&self, content: &mut [u8]) -> Option<usize> {
        self.write_libolm_content(content).ok().flatten()
    }
}

impl Pickled for InboundGroupSession {
    const BLANKS: &'static [(u32, usize)] = &[(2, rungs::PICKLED)];

    fn pickled(content: &[u8]) -> &[u8] {
        content.get(..rungs::PICKLED).unwrap_or(content)
    }

    fn unpickle(content: &[u8]) -> std::result::Result<(Self, &[u8]), LibolmPickleError> {
        Self::from_libolm_content(content)
    }
}

/// `olm_init_inbound_group_session`: from a session key, whose signature is verified.
pub(crate) fn init(session: Object<InboundGroupSession>, key: Input) -> usize {
    call(session, |memory| {
        let key = base64::decode_secret(memory.bytes(key)?)?;
        let key = SessionKey::from_bytes(&key).map_err(|error| match error {
            SessionKeyError::Key(_) | SessionKeyError::Signature => Code::BadSignature,
            _ => Code::BadSessionKey,
        })?;
        store(memory, session, &InboundGroupSession::new(&key))?;
        Ok(0)
    })
}

/// `olm_import_inbound_group_session`: from an exported session key, which is not signed.
pub(crate) fn import(session: Object<InboundGroupSession>, key: Input) -> usize {
    call(session, |memory| {
        let key = base64::decode_secret(memory.bytes(key)?)?;
        let key = ExportedSessionKey::from_bytes(&key).map_err(|_| Code::BadSessionKey)?;
        store(memory, session, &InboundGroupSession::import(&key))?;
        Ok(0)
    })
}

/// `olm_group_decrypt_max_plaintext_length`
pub(crate) fn decrypt_max_plaintext_length(
    session: Object<InboundGroupSession>,
    message: Input,
) -> usize {
    call(session, |memory| Ok(parse(memory, message)?.message.ciphertext().len()))
}

/// `olm_group_decrypt`: returns the length of the plaintext. The buffer must hold the padded
/// length. The index is written as soon as it is known, also if the message then turns out to be
/// bad.
pub(crate) fn decrypt(
    session: Object<InboundGroupSession>,
    message: Input,
    plaintext: Output,
    message_index: Out,
) -> usize {
    call(session, |memory| {
        let Received { message, has_rest } = parse(memory, message)?;
        memory.write_number(message_index, message.message_index().to_ne_bytes());
        let content = content(memory, session).filter(|_| !has_rest).ok_or(Code::BadSignature)?;
        let (index, old_length) = (message.message_index(), content.len());
        let mut state = rungs::nearest(content, index)?;
        let room = memory
            .room(plaintext, message.ciphertext().len())
            .or_else(|small| verify(state.signing_key(), &message).and(Err(small)))?;
        let decrypted = state.decrypt(&message).map_err(|error| match error {
            DecryptionError::VersionMismatch => Code::BadMessageVersion,
            DecryptionError::UnknownIndex { .. } => Code::UnknownMessageIndex,
            _ => verify(state.signing_key(), &message).err().unwrap_or(Code::BadMessageMac),
        })?;
        let decrypted = Zeroizing::new(decrypted.into_plaintext());
        if rungs::is_older(content, index)? {
            let rungs = rungs::after(content, &state, index)?;
            replace(memory, session, |content| keep(content, &rungs))?;
        } else {
            // The rungs stay, for a program that reads backwards while new messages arrive.
            replace(memory, session, |content| {
                state.write(content).map(|length| length.max(old_length))
            })?;
        }
        Ok(memory.write(room, &decrypted))
    })
}

/// Writes what an older message changes.
fn keep(content: &mut [u8], rungs: &[u8]) -> Option<usize> {
    let (pickled, rest) = content.split_at_mut_checked(rungs::PICKLED)?;
    let place = rest.get_mut(..rungs.len())?;
    *pickled.get_mut(rungs::VERIFIED)? = 1;
    place.copy_from_slice(rungs);
    rungs.len().checked_add(rungs::PICKLED)
}

fn parse(memory: &Memory, message: Input) -> Result<Received<MegolmMessage>> {
    messages::group(&messages::decode(memory, message)?)
}

/// Whether the signature is good: moceril does not say what is wrong with a message that is not
/// authentic, and libolm does.
fn verify(key: &Ed25519PublicKey, message: &MegolmMessage) -> Result<()> {
    let (signed, _) = message
        .as_bytes()
        .split_last_chunk::<{ Ed25519Signature::LENGTH }>()
        .ok_or(Code::BadSignature)?;
    key.verify(signed, message.signature()).map_err(|_| Code::BadSignature)
}

/// `olm_inbound_group_session_id_length`
pub(crate) fn id_length(_: Object<InboundGroupSession>) -> usize {
    KEY_LENGTH
}

/// `olm_inbound_group_session_id`; zeros for a blank session.
pub(crate) fn id(session: Object<InboundGroupSession>, id: Output) -> usize {
    call(session, |memory| {
        let room = memory.room(id, KEY_LENGTH)?;
        let key = content(memory, session).map(rungs::signing_key).transpose()?;
        let id = key.map(base64::encode);
        Ok(memory.write(room, id.as_deref().unwrap_or(BLANK_KEY).as_bytes()))
    })
}

/// `olm_inbound_group_session_first_known_index`
pub(crate) fn first_known_index(session: Object<InboundGroupSession>) -> u32 {
    let memory = Memory::of_this_call();
    content(&memory, session).map_or(Ok(0), rungs::first_index).unwrap_or_default()
}

/// `olm_inbound_group_session_is_verified`
pub(crate) fn is_verified(session: Object<InboundGroupSession>) -> i32 {
    ask(session, InboundGroupSession::is_signing_key_verified, false).into()
}

/// `olm_export_inbound_group_session_length`
pub(crate) fn export_length(_: Object<InboundGroupSession>) -> usize {
    EXPORT_LENGTH
}

/// `olm_export_inbound_group_session`: the key at an index, which may be yet to come.
pub(crate) fn export(
    session: Object<InboundGroupSession>,
    key: Output,
    message_index: u32,
) -> usize {
    call(session, |memory| {
        let room = memory.room(key, EXPORT_LENGTH)?;
        let exported = load(memory, session)?
            .export_at(message_index)
            .map_err(|_| Code::UnknownMessageIndex)?;
        Ok(memory.write(room, exported.to_base64().as_bytes()))
    })
}
