//! Every public function that reads text or bytes from outside.

use moceril::{
    Base64Error, Curve25519PublicKey, DecodeError, Ed25519PublicKey, Ed25519Signature, KeyError,
    PickleError, SignatureError,
    megolm::{
        ExportedSessionKey, GroupSession, InboundGroupSession, MegolmMessage, ReplayGuard,
        SessionKey, SessionKeyError,
    },
    olm::{Account, Message, OlmMessage, PreKeyMessage, Session},
};

use super::fixtures::pickle_key;

/// What a text entry point said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    /// Its base64 layer refused the text.
    NotBase64,
    /// A later layer refused what the text decodes to.
    Refused,
    /// The error does not tell which layer it was.
    RefusedSomewhere,
}

type TextEntry = (&'static str, fn(&str) -> Verdict);
type BytesEntry = (&'static str, fn(&[u8]) -> bool);

fn verdict<T, E: Layer>(result: Result<T, E>) -> Verdict {
    result.err().map_or(Verdict::Accepted, |error| error.layer())
}

/// An error of a text entry point.
trait Layer {
    fn layer(self) -> Verdict;
}

impl Layer for SignatureError {
    fn layer(self) -> Verdict {
        Verdict::RefusedSomewhere
    }
}

macro_rules! layer {
    ($($error:ident),+) => {$(
        impl Layer for $error {
            fn layer(self) -> Verdict {
                if self == Base64Error.into() { Verdict::NotBase64 } else { Verdict::Refused }
            }
        }
    )+};
}

layer!(KeyError, DecodeError, SessionKeyError, PickleError);

macro_rules! pickle_entry {
    ($object:ident) => {
        (concat!(stringify!($object), "::from_pickle"), |text| {
            verdict($object::from_pickle(text, &pickle_key(), b"snapshot"))
        })
    };
}

pub const TEXT_ENTRIES: [TextEntry; 14] = [
    ("Curve25519PublicKey", |text| verdict(Curve25519PublicKey::from_base64(text))),
    ("Ed25519PublicKey", |text| verdict(Ed25519PublicKey::from_base64(text))),
    ("Ed25519Signature", |text| verdict(Ed25519Signature::from_base64(text))),
    ("Message", |text| verdict(Message::from_base64(text))),
    ("PreKeyMessage", |text| verdict(PreKeyMessage::from_base64(text))),
    ("MegolmMessage", |text| verdict(MegolmMessage::from_base64(text))),
    ("OlmMessage of type 0", |text| verdict(OlmMessage::from_parts(0, text))),
    ("OlmMessage of type 1", |text| verdict(OlmMessage::from_parts(1, text))),
    ("SessionKey", |text| verdict(SessionKey::from_base64(text))),
    ("ExportedSessionKey", |text| verdict(ExportedSessionKey::from_base64(text))),
    pickle_entry!(Account),
    pickle_entry!(Session),
    pickle_entry!(GroupSession),
    pickle_entry!(InboundGroupSession),
];

/// The functions say whether they accepted the bytes.
pub const BYTES_ENTRIES: [BytesEntry; 8] = [
    ("Curve25519PublicKey", |bytes| Curve25519PublicKey::from_slice(bytes).is_ok()),
    ("Ed25519PublicKey", |bytes| Ed25519PublicKey::from_slice(bytes).is_ok()),
    ("Message", |bytes| Message::from_bytes(bytes).is_ok()),
    ("PreKeyMessage", |bytes| PreKeyMessage::from_bytes(bytes).is_ok()),
    ("MegolmMessage", |bytes| MegolmMessage::from_bytes(bytes).is_ok()),
    ("SessionKey", |bytes| SessionKey::from_bytes(bytes).is_ok()),
    ("ExportedSessionKey", |bytes| ExportedSessionKey::from_bytes(bytes).is_ok()),
    ("ReplayGuard", |bytes| ReplayGuard::from_bytes(bytes).is_ok()),
];
