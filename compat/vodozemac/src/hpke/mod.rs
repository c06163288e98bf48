//! HPKE: a secure channel between two devices of which one has shown its public key to the other,
//! for example as a QR code (MSC4388).
//!
//! ```
//! use vodozemac::hpke::{HpkeRecipientChannel, HpkeSenderChannel, InitialMessage, InitialResponse};
//!
//! let (showing, scanning) = (HpkeRecipientChannel::new(), HpkeSenderChannel::new());
//! let scanning = scanning.establish_channel(showing.public_key(), b"hello", b"")?;
//! let showing = showing.establish_channel(&InitialMessage::decode(&scanning.message.encode())?, b"")?;
//! assert_eq!(showing.message, b"hello");
//!
//! let showing = showing.channel.establish_bidirectional_channel(b"welcome", b"");
//! let response = InitialResponse::decode(&showing.message.encode())?;
//! let scanning = scanning.channel.establish_bidirectional_channel(&response, b"")?;
//! assert_eq!(scanning.message, b"welcome");
//! assert_eq!(scanning.channel.check_code(), showing.channel.check_code());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod check_code;
mod error;
mod established;
mod messages;
mod recipient;
mod sender;

pub use self::{
    check_code::{CheckCode, DigitMode},
    error::{Error, MessageDecodeError},
    established::{BidirectionalCreationResult, EstablishedHpkeChannel},
    messages::{InitialMessage, InitialResponse, Message},
    recipient::{HpkeRecipientChannel, RecipientCreationResult, UnidirectionalRecipientChannel},
    sender::{HpkeSenderChannel, SenderCreationResult, UnidirectionalSenderChannel},
};
