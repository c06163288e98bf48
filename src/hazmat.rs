//! Doors that need an expert behind them, open only with the feature `hazmat`.
//!
//! Besides the types here, the feature adds methods:
//!
//! * [`PreKeyBundle::from_unverified_keys`](crate::olm::PreKeyBundle::from_unverified_keys): a session
//!   with keys whose signature nobody checked (S-17);
//! * [`Session::from_root_key_material`](crate::olm::Session::from_root_key_material),
//!   [`sending_state`](crate::olm::Session::sending_state) and
//!   [`next_message_key`](crate::olm::Session::next_message_key): the double ratchet under another
//!   handshake, and its keys one by one;
//! * [`Session::chain_indices`](crate::olm::Session::chain_indices), `Session::next_message_length` and
//!   [`MegolmMessage::length`](crate::megolm::MegolmMessage::length): where the chains stand, and how long
//!   messages will be;
//! * [`Account::take_one_time_key`](crate::olm::Account::take_one_time_key): the private half of a
//!   one-time key;
//! * [`Account::create_inbound_session_unread`](crate::olm::Account::create_inbound_session_unread): a
//!   session from a message that nobody decrypted yet;
//! * `write_libolm_content`, `from_libolm_content` and `from_own_libolm_content` of
//!   [every object that has a libolm pickle](crate::olm::Account::write_libolm_content): what the pickle
//!   encrypts, in the clear, for callers who keep objects as bytes;
//! * [`InboundGroupSession::cipher_at`](crate::megolm::InboundGroupSession::cipher_at) and
//!   [`MegolmMessage::encrypt`](crate::megolm::MegolmMessage::encrypt): Megolm's cipher at an index.

pub use crate::{
    olm::raw::{ChainIndices, MessageKey, SendingState},
    primitives::seal::raw::Cipher,
    wire::raw::RawSessionKeys,
};
