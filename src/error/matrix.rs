//! Errors of what the Matrix specification adds around the ratchets.

/// The plaintext of an Olm event does not name the right people and keys (S-16).
#[cfg(feature = "payload")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadError {
    /// Not a JSON object of the right form.
    Malformed,
    /// This member is missing.
    MissingMember(&'static str),
    /// The event says it is from somebody else.
    SenderMismatch,
    /// The session or the event's `keys` are not those of the sender's device.
    SenderKeyMismatch,
    /// The event was meant for another user.
    RecipientMismatch,
    /// The event was meant for another device.
    RecipientKeyMismatch,
}

#[cfg(feature = "payload")]
texts!(PayloadError {
    Self::Malformed => "the event is not a JSON object of the right form";
    Self::MissingMember(name) => "the event lacks {name}";
    Self::SenderMismatch => "the event is from somebody else";
    Self::SenderKeyMismatch => "the event does not have the keys of the sender's device";
    Self::RecipientMismatch => "the event was meant for another user";
    Self::RecipientKeyMismatch => "the event was meant for another device";
});

/// A file of exported keys could not be written or read.
#[cfg(feature = "key-export")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyExportError {
    /// Header or trailer are missing, the content is cut off, or it is not text.
    Format,
    /// The content is not base64.
    Base64,
    /// The file has another version than 1.
    Version(u8),
    /// The file asks for no rounds of hashing, or for more than the caller allows.
    Rounds {
        /// What the file asks for.
        rounds: u32,
        /// What the caller allows.
        maximum: u32,
    },
    /// Wrong passphrase, or the file was altered.
    Authentication,
    /// The random source failed.
    Random,
}

#[cfg(feature = "key-export")]
texts!(KeyExportError {
    Self::Format => "not a file of exported keys";
    Self::Base64 => "the file's content is not valid base64";
    Self::Version(found) => "unknown version {found} of a file of exported keys";
    Self::Rounds { rounds, maximum } => "the file asks for {rounds} rounds of hashing, allowed are 1 to {maximum}";
    Self::Authentication => "wrong passphrase, or the file was altered";
    Self::Random => "the random source failed";
});

#[cfg(feature = "key-export")]
impl From<super::Base64Error> for KeyExportError {
    fn from(_: super::Base64Error) -> Self {
        Self::Base64
    }
}

#[cfg(feature = "key-export")]
impl From<super::RandomError> for KeyExportError {
    fn from(_: super::RandomError) -> Self {
        Self::Random
    }
}
