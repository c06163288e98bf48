//! Low-level functions for experts that skip checks that the rest of the API makes. Only with the
//! feature `hazmat`.
//!
//! The feature adds the types here, and these methods:
//!
//! * [`PreKeyBundle::from_unverified_keys`](crate::olm::PreKeyBundle::from_unverified_keys): a
//!   bundle of keys whose signature was not verified (S-17);
//! * [`Session::from_root_key_material`](crate::olm::Session::from_root_key_material),
//!   [`sending_state`](crate::olm::Session::sending_state) and
//!   [`next_message_key`](crate::olm::Session::next_message_key): the double ratchet with another
//!   handshake, and its keys one by one;
//! * [`Session::chain_indices`](crate::olm::Session::chain_indices): the indices of the chains;
//! * [`Message::length`](crate::olm::Message::length),
//!   [`PreKeyMessage::length`](crate::olm::PreKeyMessage::length) and
//!   [`MegolmMessage::length`](crate::megolm::MegolmMessage::length): the lengths of messages;
//! * [`Account::take_one_time_key`](crate::olm::Account::take_one_time_key): the private half of a
//!   one-time key;
//! * [`Account::create_inbound_session_unread`][unread]: makes a session from a message without
//!   decrypting it;
//! * `write_libolm_content`, `from_libolm_content` and `from_own_libolm_content` of
//!   [every object that has a libolm pickle](crate::olm::Account::write_libolm_content): the
//!   unencrypted content of the pickle, for callers that keep objects as bytes;
//! * [`PreKeyMessage::from_parts`](crate::olm::PreKeyMessage::from_parts): a pre-key message of any
//!   session keys and message;
//! * [`InboundGroupSession::cipher_at`](crate::megolm::InboundGroupSession::cipher_at),
//!   [`MegolmMessage::encrypt`](crate::megolm::MegolmMessage::encrypt) and
//!   [`encrypt_signed_by`](crate::megolm::MegolmMessage::encrypt_signed_by): Megolm's cipher at an
//!   index.
//!
//! [unread]: crate::olm::Account::create_inbound_session_unread

pub use crate::{
    olm::hazmat::{ChainIndices, MessageKey, SendingState},
    primitives::cbc_hmac::hazmat::Cipher,
    wire::hazmat::RawSessionKeys,
};
