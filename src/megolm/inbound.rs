//! A receiver's end of a Megolm session.

use alloc::{boxed::Box, string::String};
use core::fmt;

use super::{
    decrypted::{DecryptedMessage, DecryptionError},
    trust::{Provenance, ProvenanceError, Trust},
};
use crate::{
    error::{PickleError, texts},
    keys::Ed25519PublicKey,
    primitives::{
        cbc_hmac::{self, Purpose},
        ed25519::VerifyingKey,
        kdf::sha256,
        secret::Secret,
        stack::{MEDIUM, MOVES, SHALLOW, wiped_below},
    },
    ratchet::megolm::{MegolmRatchet, Receiver},
    wire::{
        MessageVersion,
        megolm::{ExportedSessionKey, MegolmMessage, SessionKey},
    },
};

/// The session cannot be exported at this index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportError {
    /// The index is before the first known one.
    UnknownIndex {
        /// The requested index.
        index: u32,
        /// The first index that the session knows.
        first_known: u32,
    },
    /// The session was closed.
    Closed,
}

texts!(ExportError {
    Self::UnknownIndex { index, first_known } =>
        "index {index} is before {first_known}, the first one known";
    Self::Closed => "the session is closed";
});

/// A Megolm session that decrypts messages from its first known index on, in any order and any
/// number of times.
///
/// All secrets are on the heap and are wiped on drop: in one block, in a second one after a message
/// later than the first known one was decrypted, and in one of a kilobyte while the session is read
/// backwards.
pub struct InboundGroupSession {
    state: Box<InboundGroupSessionState>,
    /// The decompressed signing key, from the first message on.
    verifying_key: Option<Box<VerifyingKey>>,
}

/// The whole state of an inbound group session. The pickle formats translate to it and back.
#[derive(Clone)]
pub(crate) struct InboundGroupSessionState {
    pub(crate) receiver: Receiver,
    pub(crate) signing_key: Ed25519PublicKey,
    /// Where the keys came from, by index.
    pub(crate) trust: Trust,
    /// Whether the owner of the signing key is known to have signed with this ratchet: the session
    /// key, or a message that decrypted.
    pub(crate) signing_key_verified: bool,
    pub(crate) version: MessageVersion,
    pub(crate) generation: u64,
}

impl InboundGroupSession {
    /// Creates a session from its owner's key, which was verified when it was parsed.
    #[must_use]
    pub fn new(key: &SessionKey) -> Self {
        Self::with_version(key, MessageVersion::V3)
    }

    /// Like [`new`](Self::new), for messages of another version.
    #[must_use]
    pub fn with_version(key: &SessionKey, version: MessageVersion) -> Self {
        Self::create(key.index(), key.ratchet(), *key.signing_key(), Provenance::Signed, version)
    }

    /// Creates a session from an exported key. Nothing shows who made the key, so import only keys
    /// from a source that you trust.
    #[must_use]
    pub fn import(key: &ExportedSessionKey) -> Self {
        Self::import_with_version(key, Provenance::Exported, MessageVersion::V3)
    }

    /// Like [`import`](Self::import), for a key that was restored from a server-side backup.
    #[must_use]
    pub fn import_from_backup(key: &ExportedSessionKey) -> Self {
        Self::import_with_version(key, Provenance::Backup, MessageVersion::V3)
    }

    /// Like [`import`](Self::import), for messages of another version.
    ///
    /// The result has at most [`Provenance::Exported`], even if the caller passes a higher one.
    /// [`Provenance::Unknown`] counts as [`Provenance::Backup`]. A key that
    /// [`export_at`](Self::export_at) made where the session's provenance was lower than `Exported`
    /// also gives [`Provenance::Backup`] (S-41).
    #[must_use]
    pub fn import_with_version(
        key: &ExportedSessionKey,
        provenance: Provenance,
        version: MessageVersion,
    ) -> Self {
        let highest = if key.is_from_backup() { Provenance::Backup } else { Provenance::Exported };
        let provenance = provenance.min(highest).max(Provenance::Backup);
        Self::create(key.index(), key.ratchet(), *key.signing_key(), provenance, version)
    }

    fn create(
        index: u32,
        ratchet: &Secret<128>,
        signing_key: Ed25519PublicKey,
        provenance: Provenance,
        version: MessageVersion,
    ) -> Self {
        wiped_below::<MOVES, _>(|| {
            Self::from_state(InboundGroupSessionState {
                receiver: Receiver::new(MegolmRatchet::new(ratchet.clone(), index), None, false),
                signing_key,
                trust: Trust::from_index(provenance, index),
                signing_key_verified: provenance == Provenance::Signed,
                version,
                generation: 0,
            })
        })
    }

    pub(crate) fn from_state(state: InboundGroupSessionState) -> Self {
        Self { state: Box::new(state), verifying_key: None }
    }

    pub(crate) const fn state(&self) -> &InboundGroupSessionState {
        &self.state
    }

    /// Restores a state from a pickle, if it is one that a session can be in.
    pub(crate) fn restore(state: InboundGroupSessionState) -> Result<Self, PickleError> {
        let first = state.receiver.first().index();
        let unsigned = state.trust.at(first) == Provenance::Signed && !state.signing_key_verified;
        if unsigned || !state.receiver.is_consistent() || !state.trust.is_possible(first) {
            return Err(PickleError::InvalidState);
        }
        Ok(Self::from_state(state))
    }

    fn changed(&mut self) {
        self.state.generation = self.state.generation.saturating_add(1);
    }

    /// A number that grows with every change that a pickle shows (S-35). A store that remembers the
    /// highest one it has written can detect that it was rolled back.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.state.generation
    }

    /// The id of the session: its Ed25519 public key in base64 (43 characters). Each call allocates
    /// the text.
    #[must_use]
    pub fn session_id(&self) -> String {
        self.state.signing_key.to_base64()
    }

    /// The key that signs the session's messages.
    #[must_use]
    pub const fn signing_key(&self) -> &Ed25519PublicKey {
        &self.state.signing_key
    }

    /// The version of the session's messages.
    #[must_use]
    pub const fn version(&self) -> MessageVersion {
        self.state.version
    }

    /// Where the session's key came from, at the [first known index](Self::first_known_index). No
    /// message has a lower provenance, and after [merging](Self::merge) later messages may have a
    /// higher one.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        self.state.trust.at(self.first_known_index())
    }

    /// Where the key of the message at `index` came from (S-43); `None` before the
    /// [first known index](Self::first_known_index).
    #[must_use]
    pub fn provenance_at(&self, index: u32) -> Option<Provenance> {
        (index >= self.first_known_index()).then(|| self.state.trust.at(index))
    }

    /// States where the session's key came from, for a session that was read from a format that
    /// does not say: libolm's and vodozemac's pickles, which leave it [`Provenance::Unknown`].
    ///
    /// The statement holds from the first known index on. Stating again what is already known
    /// changes nothing.
    ///
    /// A successful call does not prove that the key was signed: it accepts [`Provenance::Signed`]
    /// as soon as one message has decrypted, whatever its index. State it only if your old store
    /// says that the whole key came from its owner over Olm.
    ///
    /// # Errors
    ///
    /// [`ProvenanceError::Known`] if another provenance is known;
    /// [`ProvenanceError::NotSigned`] for [`Provenance::Signed`] if the session says that the owner
    /// of the signing key [has not signed with it](Self::is_signing_key_verified). The session is
    /// unchanged.
    pub fn set_provenance(&mut self, provenance: Provenance) -> Result<(), ProvenanceError> {
        let known = self.provenance();
        if provenance == known {
            return Ok(());
        }
        if known != Provenance::Unknown {
            return Err(ProvenanceError::Known);
        }
        if provenance == Provenance::Signed && !self.state.signing_key_verified {
            return Err(ProvenanceError::NotSigned);
        }
        let first = self.first_known_index();
        let stated = Trust::from_index(provenance, first);
        self.state.trust = Trust::merged(&stated, first, &self.state.trust);
        self.changed();
        Ok(())
    }

    /// Whether the owner of the signing key is known to have signed with this session: the session
    /// key, or a message that decrypted.
    #[must_use]
    pub const fn is_signing_key_verified(&self) -> bool {
        self.state.signing_key_verified
    }

    /// The first message index that the session can decrypt, or could before it was closed.
    #[must_use]
    pub const fn first_known_index(&self) -> u32 {
        self.state.receiver.first().index()
    }

    /// Whether the session was [closed](Self::close).
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.state.receiver.is_closed()
    }

    /// Decrypts a message of any index from the first known one on.
    ///
    /// This does not tell whether the message was seen before; see
    /// [`ReplayGuard`](super::ReplayGuard).
    ///
    /// Only the first message that decrypts can change what a pickle holds: that the owner of the
    /// signing key [has signed](Self::is_signing_key_verified), which is known from the beginning
    /// if the session was made from a session key. [`generation`](Self::generation) tells whether
    /// there is something to save.
    ///
    /// # Errors
    ///
    /// [`DecryptionError`]; the session is unchanged.
    pub fn decrypt(
        &mut self,
        message: &MegolmMessage,
    ) -> Result<DecryptedMessage, DecryptionError> {
        self.state.admit(message)?;
        // The signature is verified first, so that an unknown index is known to be the sender's,
        // not a forger's.
        self.verifying_key()?.verify(message.signed_bytes(), message.signature().as_bytes())?;
        self.open(message)
    }

    /// The signing key, decompressed once.
    pub(super) fn verifying_key(&mut self) -> Result<&VerifyingKey, DecryptionError> {
        let key = match self.verifying_key.take() {
            Some(key) => key,
            None => {
                let key = self.state.signing_key.verifying_key();
                Box::new(key.map_err(|_| DecryptionError::InvalidSigningKey)?)
            }
        };
        Ok(self.verifying_key.insert(key))
    }

    /// Plans, verifies the MAC, decrypts and commits. The signature was verified.
    pub(super) fn open(
        &mut self,
        message: &MegolmMessage,
    ) -> Result<DecryptedMessage, DecryptionError> {
        wiped_below::<MEDIUM, _>(|| self.open_below(message))
    }

    fn open_below(&mut self, message: &MegolmMessage) -> Result<DecryptedMessage, DecryptionError> {
        let state = &mut *self.state;
        let index = message.message_index();
        let Some(mut candidate) = state.receiver.plan(index) else {
            let first_known = state.receiver.first().index();
            return Err(DecryptionError::UnknownIndex { index, first_known });
        };
        let (key, change) = candidate.parts();
        let (plaintext, change) = cbc_hmac::open(
            key,
            Purpose::Megolm,
            &message.sealed(),
            state.version.mac_length(),
            change,
        )
        .map_err(|cbc_hmac::Forged| DecryptionError::Authentication)?;
        state.receiver.commit(change);
        let decrypted = DecryptedMessage {
            plaintext,
            message_index: index,
            fingerprint: sha256(&[message.signature().as_bytes()]),
            signing_key: state.signing_key,
            provenance: state.trust.at(index),
        };
        if !core::mem::replace(&mut state.signing_key_verified, true) {
            self.changed();
        }
        Ok(decrypted)
    }

    /// Exports the key that decrypts all messages from `index` on, which may be an index yet to
    /// come.
    ///
    /// If the provenance at this index is [`Provenance::Backup`] or [`Provenance::Unknown`],
    /// importing the returned value gives [`Provenance::Backup`] (S-41). The base64 text does not
    /// carry the provenance.
    ///
    /// # Errors
    ///
    /// [`ExportError`].
    pub fn export_at(&self, index: u32) -> Result<ExportedSessionKey, ExportError> {
        wiped_below::<SHALLOW, _>(|| {
            let ratchet = self.ratchet_at(index)?;
            let from_backup = self.state.trust.at(index) < Provenance::Exported;
            let signing_key = self.state.signing_key;
            Ok(ExportedSessionKey::new(index, ratchet.value(), signing_key, from_backup))
        })
    }

    pub(crate) fn ratchet_at(&self, index: u32) -> Result<MegolmRatchet, ExportError> {
        if self.is_closed() {
            return Err(ExportError::Closed);
        }
        let first_known = self.first_known_index();
        self.state.receiver.at(index).ok_or(ExportError::UnknownIndex { index, first_known })
    }

    /// Exports everything this session can decrypt.
    ///
    /// # Errors
    ///
    /// [`ExportError::Closed`].
    pub fn export_at_first_known_index(&self) -> Result<ExportedSessionKey, ExportError> {
        self.export_at(self.first_known_index())
    }

    /// Forgets all keys before `index` (S-20). Returns whether there were any to forget.
    pub fn advance_to(&mut self, index: u32) -> bool {
        let forgets = !self.is_closed() && index > self.first_known_index();
        if forgets {
            self.state.receiver.forget_before(index);
            self.state.trust.forget_before(index);
            self.state.note_signature();
            self.changed();
        }
        forgets
    }

    /// Forgets all keys (S-20), when the sender has moved on to a new session. What is left keeps
    /// its id and answers every message with `Closed`, so that a client does not ask for the keys
    /// again.
    pub fn close(&mut self) {
        if !self.is_closed() {
            self.state.receiver.close();
            self.changed();
        }
    }
}

impl InboundGroupSessionState {
    /// The checks before any cryptography.
    pub(super) fn admit(&self, message: &MegolmMessage) -> Result<(), DecryptionError> {
        if message.version() != self.version {
            Err(DecryptionError::VersionMismatch)
        } else if self.receiver.is_closed() {
            Err(DecryptionError::Closed)
        } else {
            Ok(())
        }
    }

    /// A key that is `Signed` from the first index on was signed by the owner of the signing key.
    pub(super) fn note_signature(&mut self) {
        self.signing_key_verified |=
            self.trust.at(self.receiver.first().index()) == Provenance::Signed;
    }
}

impl fmt::Debug for InboundGroupSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundGroupSession")
            .field("session_id", &self.session_id())
            .field("version", &self.version())
            .field("provenance", &self.provenance())
            .field("first_known_index", &self.first_known_index())
            .field("closed", &self.is_closed())
            .field("generation", &self.generation())
            .finish_non_exhaustive()
    }
}
