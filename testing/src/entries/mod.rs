//! Every public function that reads text or bytes from outside, each with something that it
//! accepts.

mod channels;
mod matrix;
mod stored;

use moceril::{
    Curve25519PublicKey, DecodeError, Ed25519PublicKey, Ed25519SecretKey, Ed25519Signature,
    KeyError, MessageVersion,
    megolm::{ExportedSessionKey, MegolmMessage, SessionKey, SessionKeyError},
    olm::{Message, OlmMessage, PreKeyMessage},
};

use super::fixtures::{Devices, group};

/// What an entry point said.
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

pub fn verdict<T, E: Layer>(result: Result<T, E>) -> Verdict {
    result.err().map_or(Verdict::Accepted, |error| error.layer())
}

/// The verdict of a function whose error does not name a layer, or whose input is not base64.
pub fn somewhere(accepted: bool) -> Verdict {
    if accepted { Verdict::Accepted } else { Verdict::RefusedSomewhere }
}

/// An error of an entry point.
pub trait Layer {
    fn layer(self) -> Verdict;
}

macro_rules! layer {
    ($($error:ty),+) => {$(
        impl crate::entries::Layer for $error {
            fn layer(self) -> crate::entries::Verdict {
                use crate::entries::Verdict;
                use moceril::Base64Error::{Invalid, UrlSafe};
                let is_base64 = ![Invalid, UrlSafe].map(Self::from).contains(&self);
                if is_base64 { Verdict::Refused } else { Verdict::NotBase64 }
            }
        }
    )+};
}
pub(crate) use layer;

layer!(KeyError, DecodeError, SessionKeyError);

/// A function that reads `str`, all of it base64, or `[u8]`.
pub struct Entry<I: ?Sized + ToOwned> {
    pub name: &'static str,
    pub read: Box<dyn Fn(&I) -> Verdict>,
    /// Something that it accepts.
    pub genuine: I::Owned,
    /// It accepts any bytes of the right length, as there is nothing to get right about them.
    pub any_bytes: bool,
    /// It skips white space of any kind: its text has lines.
    pub lines: bool,
    /// It refuses padding: its text must be the one that it was written as.
    pub one_text: bool,
}

impl<I: ?Sized + ToOwned> Entry<I> {
    fn new(
        name: &'static str,
        genuine: impl Into<I::Owned>,
        read: impl Fn(&I) -> Verdict + 'static,
    ) -> Self {
        let (any_bytes, lines, one_text) = (false, false, false);
        Self { name, read: Box::new(read), genuine: genuine.into(), any_bytes, lines, one_text }
    }

    fn any_bytes(self) -> Self {
        Self { any_bytes: true, ..self }
    }
}

pub type TextEntry = Entry<str>;
pub type BytesEntry = Entry<[u8]>;

/// What reads base64. All of the text is: what a function wants around it is put there.
pub fn text_entries() -> Vec<TextEntry> {
    let Messages { normal, pre_key, megolm, session_key, exported } = Messages::new();
    let (curve25519, ed25519) = (pre_key.identity_key(), *session_key.signing_key());
    let secret = Ed25519SecretKey::from_bytes([7; 32]);
    let (signature, secret) = (secret.sign(b"").to_base64(), secret.to_base64());
    let mut entries = vec![
        Entry::new("Curve25519PublicKey", curve25519.to_base64(), |text: &str| {
            verdict(Curve25519PublicKey::from_base64(text))
        }),
        Entry::new("Ed25519PublicKey", ed25519.to_base64(), |text: &str| {
            verdict(Ed25519PublicKey::from_base64(text))
        }),
        Entry::new("Ed25519Signature", signature, |text: &str| {
            verdict(Ed25519Signature::from_base64(text))
        })
        .any_bytes(),
        Entry::new("Ed25519SecretKey", &*secret, |text: &str| {
            verdict(Ed25519SecretKey::from_base64(text))
        })
        .any_bytes(),
        Entry::new("Message", normal.to_base64(), |text: &str| verdict(Message::from_base64(text))),
        Entry::new("PreKeyMessage", pre_key.to_base64(), |text: &str| {
            verdict(PreKeyMessage::from_base64(text))
        }),
        Entry::new("OlmMessage of type 0", pre_key.to_base64(), |text: &str| {
            verdict(OlmMessage::from_parts(0, text))
        }),
        Entry::new("OlmMessage of type 1", normal.to_base64(), |text: &str| {
            verdict(OlmMessage::from_parts(1, text))
        }),
        Entry::new("MegolmMessage", megolm.to_base64(), |text: &str| {
            verdict(MegolmMessage::from_base64(text))
        }),
        Entry::new("SessionKey", &*session_key.to_base64(), |text: &str| {
            verdict(SessionKey::from_base64(text))
        }),
        Entry::new("ExportedSessionKey", &*exported.to_base64(), |text: &str| {
            verdict(ExportedSessionKey::from_base64(text))
        }),
    ];
    entries.extend(channels::text_entries());
    entries.extend(stored::text_entries());
    entries.push(matrix::key_export::text_entry());
    entries
}

/// What reads bytes, or text that is not base64 throughout.
pub fn bytes_entries() -> Vec<BytesEntry> {
    let Messages { normal, pre_key, megolm, session_key, exported } = Messages::new();
    let (curve25519, ed25519) = (pre_key.identity_key(), *session_key.signing_key());
    let mut entries = vec![
        Entry::new("Curve25519PublicKey", *curve25519.as_bytes(), |bytes: &[u8]| {
            verdict(Curve25519PublicKey::from_slice(bytes))
        }),
        Entry::new("Ed25519PublicKey", *ed25519.as_bytes(), |bytes: &[u8]| {
            verdict(Ed25519PublicKey::from_slice(bytes))
        }),
        Entry::new("Message", normal.as_bytes(), |bytes: &[u8]| {
            verdict(Message::from_bytes(bytes))
        }),
        Entry::new("PreKeyMessage", pre_key.as_bytes(), |bytes: &[u8]| {
            verdict(PreKeyMessage::from_bytes(bytes))
        }),
        Entry::new("OlmMessage of type 0", pre_key.as_bytes(), |bytes: &[u8]| {
            verdict(OlmMessage::from_bytes(0, bytes))
        }),
        Entry::new("OlmMessage of type 1", normal.as_bytes(), |bytes: &[u8]| {
            verdict(OlmMessage::from_bytes(1, bytes))
        }),
        Entry::new("MegolmMessage", megolm.as_bytes(), |bytes: &[u8]| {
            verdict(MegolmMessage::from_bytes(bytes))
        }),
        Entry::new("SessionKey", session_key.to_bytes(), |bytes: &[u8]| {
            verdict(SessionKey::from_bytes(bytes))
        }),
        Entry::new("ExportedSessionKey", exported.to_bytes(), |bytes: &[u8]| {
            verdict(ExportedSessionKey::from_bytes(bytes))
        }),
    ];
    entries.extend(channels::bytes_entries());
    entries.extend(stored::bytes_entries());
    entries.push(matrix::key_export::bytes_entry());
    entries.extend(matrix::payload::bytes_entries());
    entries.extend(matrix::json::bytes_entries());
    entries.extend(matrix::json::megolm_entries());
    entries.extend(matrix::json::backup_entries());
    entries.extend(matrix::json::exported_entries());
    entries.extend(matrix::raw_cipher::bytes_entries());
    entries
}

/// Something of each kind.
struct Messages {
    normal: Message,
    pre_key: PreKeyMessage,
    megolm: MegolmMessage,
    session_key: SessionKey,
    exported: ExportedSessionKey,
}

impl Messages {
    fn new() -> Self {
        let version = MessageVersion::V3;
        let mut devices = Devices::new(30);
        let (_, pre_key) = devices.outbound(&devices.one_time_bundle(), version);
        let (mut sender, receiver) = group(version, 30);
        Self {
            normal: pre_key.message().clone(),
            megolm: sender.encrypt(b"to everybody").unwrap(),
            session_key: sender.session_key(),
            exported: receiver.export_at(0).unwrap(),
            pre_key,
        }
    }
}
