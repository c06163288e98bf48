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
    /// The session does not know its peer, because it was read from a format without the peer's key
    /// (S-41). The message is authentic, and nothing can be said of who sent it: give the key to the
    /// session with [`set_identity_keys`](crate::olm::Session::set_identity_keys) **before** it
    /// decrypts.
    SenderKeyUnknown,
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
    Self::SenderKeyUnknown => "the session was read from a format without the peer's identity key";
    Self::RecipientMismatch => "the event was meant for another user";
    Self::RecipientKeyMismatch => "the event was meant for another device";
});

/// A file of exported keys could not be written or read.
#[cfg(feature = "key-export")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyExportError {
    /// No line begins with the header of a file of exported keys: this is another file.
    NoHeader,
    /// There is a header and no trailer: the end of the file is missing.
    CutOff,
    /// The content between header and trailer is shorter than that of any file of exported keys.
    TooShort,
    /// The content between header and trailer is not base64: the file is damaged.
    Base64,
    /// The file has another version than 1.
    Version(u8),
    /// The rounds of hashing are not within the limits: those of the file that is read, or those that a
    /// file to be written was to have.
    Rounds {
        /// What the file asks for.
        rounds: u32,
        /// The least that is allowed.
        minimum: u32,
        /// The most that is allowed.
        maximum: u32,
    },
    /// Wrong passphrase, or the content was altered, or a part of it is missing. The MAC of the file is
    /// keyed by the passphrase, so these look the same.
    Authentication,
    /// The passphrase is right, and what was encrypted is not UTF-8.
    NotText,
    /// A file would be written with an empty passphrase.
    EmptyPassphrase,
    /// The random source failed.
    Random,
}

#[cfg(feature = "key-export")]
texts!(KeyExportError {
    Self::NoHeader => "not a file of exported keys: it has no header line";
    Self::CutOff => "the file of exported keys is cut off: it has no trailer line";
    Self::TooShort => "the content of the file of exported keys is too short";
    Self::Base64 => "the file of exported keys is damaged: its content is not valid base64";
    Self::Version(found) => "unknown version {found} of a file of exported keys";
    Self::Rounds { rounds, minimum, maximum } => "{rounds} rounds of hashing, allowed are {minimum} to {maximum}";
    Self::Authentication => "wrong passphrase, or the file was altered";
    Self::NotText => "the content of the file of exported keys is not UTF-8";
    Self::EmptyPassphrase => "the passphrase is empty";
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
