//! The interface of one end of a conversation, for every library.
//!
//! Two ends exchange only what a Matrix event contains: text in base64, and message types. A
//! refusal is the peer's own error as text; nothing depends on its wording.

/// Why a library refused something, in its own words.
pub type Refusal = String;

/// An Olm message: the `type` and the `body` of a Matrix event's ciphertext object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    pub message_type: usize,
    pub body: String,
}

/// A one-time or fallback key as a server hands it out, with the keys of its device.
#[derive(Clone, Debug)]
pub struct PublishedKey {
    pub ed25519: String,
    pub curve25519: String,
    pub one_time_key: String,
    pub fallback: bool,
    /// The device's signature of [`signed_text`].
    pub signature: String,
}

/// What the signature of a one-time or fallback key covers: its canonical JSON.
///
/// Spec: Matrix specification, "Signing JSON" and "Key algorithms".
pub fn signed_text(key: &str, fallback: bool) -> String {
    if fallback {
        format!(r#"{{"fallback":true,"key":"{key}"}}"#)
    } else {
        format!(r#"{{"key":"{key}"}}"#)
    }
}

/// One end of an Olm conversation: a device, and its session once there is one.
///
/// Everything but `accept` and `decrypt` succeeds or panics.
pub trait OlmPeer {
    /// The device's Curve25519 identity key.
    fn identity_key(&self) -> String;

    /// Makes a new one-time or fallback key and publishes it.
    fn publish(&mut self, fallback: bool) -> PublishedKey;

    /// Makes the session that sends to the device of `key`, after it verified the signature.
    fn start(&mut self, key: &PublishedKey);

    /// Makes the session from the other device's first message and decrypts it, as one step.
    fn accept(&mut self, their_identity_key: &str, message: &Wire) -> Result<String, Refusal>;

    /// Whether this pre-key message belongs to the session.
    fn matches(&self, message: &Wire) -> bool;

    fn session_id(&self) -> String;

    fn encrypt(&mut self, plaintext: &str) -> Wire;

    fn decrypt(&mut self, message: &Wire) -> Result<String, Refusal>;

    /// A copy of everything that went through pickles of the library's own format.
    fn fresh(&self) -> Box<dyn OlmPeer>;
}

/// The sender of a Megolm session.
///
/// Everything succeeds or panics.
pub trait GroupSender {
    fn session_id(&self) -> String;

    /// The key to share, in base64.
    fn session_key(&self) -> String;

    fn message_index(&self) -> u32;

    /// The message in base64.
    fn encrypt(&mut self, plaintext: &str) -> String;

    /// As [`OlmPeer::fresh`].
    fn fresh(&self) -> Box<dyn GroupSender>;
}

/// A receiver of a Megolm session.
pub trait GroupReceiver {
    fn session_id(&self) -> String;

    fn first_known_index(&self) -> u32;

    /// The plaintext, and the message's index if the library tells.
    fn decrypt(&mut self, message: &str) -> Result<(String, Option<u32>), Refusal>;

    /// The session from `index` on, in base64.
    fn export_at(&mut self, index: u32) -> Result<String, Refusal>;

    /// As [`OlmPeer::fresh`].
    fn fresh(&self) -> Box<dyn GroupReceiver>;
}

/// The session of a peer that must have one by now.
pub(crate) const NO_SESSION: &str = "the session must be made first";

/// Plaintexts of a genuine message are text; those of a forged one are compared as far as text
/// goes.
pub(crate) fn text(plaintext: Vec<u8>) -> String {
    String::from_utf8_lossy(&plaintext).into_owned()
}

pub(crate) fn refusal(error: impl std::fmt::Debug) -> Refusal {
    format!("{error:?}")
}
