//! The parts of a session, one by one.

use moceril::olm as core;

use super::{ActiveSendingState, Session, SessionConfig, SessionKeys, message_key::MessageKey};
use crate::convert::drawn;

impl Session {
    /// A session that sends first, from keys that were agreed upon without Olm's handshake.
    ///
    /// # Panics
    ///
    /// If one of the session's keys is not one that an honest peer can have.
    pub fn from_root_key_material(
        config: SessionConfig,
        session_keys: SessionKeys,
        root_key: [u8; 32],
        chain_key: [u8; 32],
        ratchet_key_secret: [u8; 32],
    ) -> Self {
        let config = core::SessionConfig::default().with_version(config.inner());
        let keys = drawn(session_keys.strict());
        Self::from_inner(core::Session::from_root_key_material(
            config,
            keys,
            root_key,
            chain_key,
            ratchet_key_secret,
        ))
    }

    /// The keys that the next messages come from; `None` if the next message begins a new chain.
    pub fn active_sending_state(&self) -> Option<ActiveSendingState> {
        let state = self.inner.sending_state()?;
        Some(ActiveSendingState {
            root_key: Box::new(*state.root_key()),
            chain_key: Box::new(*state.chain_key()),
            chain_index: state.chain_index(),
            ratchet_key: Box::new(*state.ratchet_key()),
        })
    }

    /// Takes the key of the next message out of the session, as if the message had been sent.
    pub fn next_message_key(&mut self) -> Option<MessageKey> {
        self.inner.next_message_key().ok().as_ref().map(MessageKey::from_inner)
    }
}
