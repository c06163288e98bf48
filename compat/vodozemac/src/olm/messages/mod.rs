//! Olm messages.

mod message;
mod olm_message;
mod pre_key;

pub use self::{
    message::Message,
    olm_message::{MessageType, OlmMessage},
    pre_key::PreKeyMessage,
};
