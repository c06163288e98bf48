//! How an account makes sessions: with another device's keys, or from its first message.

use rand::TryCryptoRng;

use super::{
    account::Account,
    bundle::PreKeyBundle,
    decrypted::DecryptedMessage,
    one_time_keys::Place,
    session::{Session, SessionConfig},
};
#[cfg(feature = "std")]
use crate::primitives::rng;
use crate::{
    error::{DecryptionError, SessionCreationError},
    keys::{Curve25519KeyPair, Curve25519PublicKey},
    primitives::{
        stack::{DEEP, MEDIUM, wiped_below},
        x25519::NonContributory,
    },
    ratchet::{double::DoubleRatchet, handshake},
    wire::olm::{PreKeyMessage, SessionKeys},
};

/// What [`Account::create_inbound_session`] made.
#[derive(Debug)]
#[non_exhaustive]
pub struct InboundCreation {
    /// The new session.
    pub session: Session,
    /// The message that created it, decrypted.
    pub message: DecryptedMessage,
    /// Whether this account has created this session for the first time and cannot create it again
    /// (S-08): its one-time key is used up, or its fallback key remembers every session of this
    /// sender, this one included.
    ///
    /// It is false if the fallback key does not remember this session, or may have accepted an
    /// earlier one without remembering it (S-42):
    ///
    /// * for a sender that has made more than [`FALLBACK_SHARE`](Account::FALLBACK_SHARE) sessions
    ///   with the key (with a probability of 2^-16, another sender is counted as the same one);
    /// * for all senders, once a session did not fit into
    ///   [`fallback_memory`](Account::fallback_memory);
    /// * always for a key from a format without this memory: libolm's and vodozemac's pickles,
    ///   dehydrated devices.
    ///
    /// The message is authentic in these cases, too, but it may be a repetition: do nothing for it
    /// that must not be done twice. The next fallback key remembers all sessions again. Replace the
    /// key as usual, not for each such message: the account keeps two fallback keys, and messages
    /// on the way to older ones are lost. An account restored from an older copy remembers only
    /// what that copy did (S-35).
    pub replay_excluded: bool,
}

impl Account {
    /// Makes a session with the device that the bundle belongs to. Our end sends the first message.
    ///
    /// # Errors
    ///
    /// [`SessionCreationError::Random`]; [`SessionCreationError::NonContributoryKey`], which no
    /// parsed key causes.
    #[cfg(feature = "std")]
    pub fn create_outbound_session(
        &self,
        bundle: &PreKeyBundle,
    ) -> Result<Session, SessionCreationError> {
        self.create_outbound_session_with_config(bundle, SessionConfig::default())
    }

    /// Like `create_outbound_session`, with a message version and limits of your choice.
    ///
    /// # Errors
    ///
    /// [`SessionCreationError::Random`]; [`SessionCreationError::NonContributoryKey`], which no
    /// parsed key causes.
    #[cfg(feature = "std")]
    pub fn create_outbound_session_with_config(
        &self,
        bundle: &PreKeyBundle,
        config: SessionConfig,
    ) -> Result<Session, SessionCreationError> {
        self.create_outbound_session_with_rng(bundle, config, &mut rng::system())
    }

    /// Like `create_outbound_session_with_config`, but with the caller's source of randomness,
    /// which gives 32 bytes for the base key, then 32 for the first ratchet key.
    ///
    /// # Errors
    ///
    /// [`SessionCreationError::Random`]; [`SessionCreationError::NonContributoryKey`], which no
    /// parsed key causes.
    pub fn create_outbound_session_with_rng<R: TryCryptoRng + ?Sized>(
        &self,
        bundle: &PreKeyBundle,
        config: SessionConfig,
        rng: &mut R,
    ) -> Result<Session, SessionCreationError> {
        wiped_below::<MEDIUM, _>(|| self.initiate(bundle, config, rng))
    }

    fn initiate<R: TryCryptoRng + ?Sized>(
        &self,
        bundle: &PreKeyBundle,
        config: SessionConfig,
        rng: &mut R,
    ) -> Result<Session, SessionCreationError> {
        let base_key = Curve25519KeyPair::generate(rng)?;
        let ratchet_key = Curve25519KeyPair::generate(rng)?;
        let (identity_key, one_time_key) = (bundle.identity_key(), bundle.one_time_key());
        let keys = handshake::initiate(
            self.state.identity_key.secret(),
            base_key.secret(),
            &identity_key,
            &one_time_key,
        )
        .map_err(|NonContributory| SessionCreationError::NonContributoryKey)?;
        let session_keys = SessionKeys {
            identity_key: self.curve25519_key(),
            base_key: base_key.public(),
            one_time_key,
        };
        let ratchet = DoubleRatchet::initiator(keys, ratchet_key, config.limits);
        Ok(Session::new(session_keys, identity_key, config.version, ratchet))
    }

    /// Makes a session from another device's first message and decrypts that message, in one
    /// transaction (S-05). On success the one-time key is used up, or the fallback key remembers
    /// the session, so that the same message creates no second session (S-08). A fallback key whose
    /// memory is full accepts the session without remembering it, and
    /// [`replay_excluded`](InboundCreation::replay_excluded) is false (S-42). On an error nothing
    /// has changed.
    ///
    /// `their_identity_key` is the key by which the caller knows the sender. It must be the one in
    /// the message.
    ///
    /// # Errors
    ///
    /// [`SessionCreationError`].
    pub fn create_inbound_session(
        &mut self,
        their_identity_key: Curve25519PublicKey,
        message: &PreKeyMessage,
    ) -> Result<InboundCreation, SessionCreationError> {
        self.create_inbound_session_with_config(
            their_identity_key,
            message,
            SessionConfig::default(),
        )
    }

    /// Like `create_inbound_session`, with a message version and limits of your choice.
    ///
    /// # Errors
    ///
    /// [`SessionCreationError`].
    pub fn create_inbound_session_with_config(
        &mut self,
        their_identity_key: Curve25519PublicKey,
        message: &PreKeyMessage,
        config: SessionConfig,
    ) -> Result<InboundCreation, SessionCreationError> {
        // A message that these checks refuse costs no key agreement (S-45).
        let inner = message.message();
        if inner.version() != config.version {
            return Err(DecryptionError::VersionMismatch.into());
        }
        config.limits.check_gap(0, inner.chain_index())?;
        wiped_below::<DEEP, _>(|| {
            let (place, mut session) = self.respond(their_identity_key, message, config)?;
            let session_keys = message.session_keys();
            let message = session.decrypt_inner(message.message())?;
            let replay_excluded = self.state.one_time_keys.consume(place, session_keys);
            self.changed();
            Ok(InboundCreation { session, message, replay_excluded })
        })
    }

    /// The session that the message asks for, before anything shows that the message is authentic,
    /// and the place of its one-time key.
    pub(crate) fn respond(
        &self,
        their_identity_key: Curve25519PublicKey,
        message: &PreKeyMessage,
        config: SessionConfig,
    ) -> Result<(Place, Session), SessionCreationError> {
        let session_keys = *message.session_keys();
        if session_keys.identity_key != their_identity_key {
            return Err(SessionCreationError::IdentityKeyMismatch);
        }
        let one_time_keys = &self.state.one_time_keys;
        let place = one_time_keys
            .find(&session_keys.one_time_key)
            .ok_or(SessionCreationError::UnknownOneTimeKey)?;
        let one_time_key = one_time_keys.usable(place, &session_keys)?;
        let keys = handshake::respond(
            self.state.identity_key.secret(),
            one_time_key.secret(),
            &their_identity_key,
            &session_keys.base_key,
        )
        .map_err(|NonContributory| SessionCreationError::NonContributoryKey)?;
        let ratchet =
            DoubleRatchet::responder(keys, message.message().ratchet_key(), config.limits);
        Ok((place, Session::new(session_keys, their_identity_key, config.version, ratchet)))
    }
}
