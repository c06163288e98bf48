//! Megolm messages and session keys. Spec: megolm.md, "Data exchange formats".

use alloc::{boxed::Box, string::String, vec::Vec};
use core::{fmt, ops::Range};

use super::{
    MessageVersion,
    fields::{Fields, Value, Writer, index, required, set, string_length, varint_length},
};
use crate::{
    error::{Base64Error, DecodeError, KeyError, SignatureError, texts},
    keys::{Ed25519PublicKey, Ed25519Signature},
    primitives::{
        base64,
        cbc_hmac::{Sealed, ciphertext_length},
        ed25519::SIGNATURE_LENGTH,
        secret::{Secret, SecretString},
    },
};

/// A Megolm message: index, ciphertext, MAC and signature.
///
/// It keeps the bytes that it was parsed from, and the signature and the MAC are checked over these
/// bytes (S-06).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MegolmMessage {
    bytes: Vec<u8>,
    version: MessageVersion,
    message_index: u32,
    ciphertext: Range<usize>,
    signature: Ed25519Signature,
}

// The numbers of the fields.
const MESSAGE_INDEX: u64 = 1;
const CIPHERTEXT: u64 = 2;

impl MegolmMessage {
    /// Parses a message.
    ///
    /// # Errors
    ///
    /// [`DecodeError`], which names the layer that refused the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode(bytes.to_vec())
    }

    /// Parses a message from base64 with or without padding.
    ///
    /// # Errors
    ///
    /// [`DecodeError`], which names the layer that refused the text.
    pub fn from_base64(text: &str) -> Result<Self, DecodeError> {
        Self::decode(base64::decode(text)?)
    }

    fn decode(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        let version = MessageVersion::of_message(&bytes)?;
        let (rest, signature) =
            bytes.split_last_chunk::<SIGNATURE_LENGTH>().ok_or(DecodeError::Format)?;
        let end = rest.len().checked_sub(version.mac_length()).ok_or(DecodeError::Format)?;
        let (mut message_index, mut ciphertext) = (None, None);
        let mut fields = Fields::new(rest, end);
        while let Some(field) = fields.next()? {
            match field {
                (MESSAGE_INDEX, Value::Integer(value)) => set(&mut message_index, index(value)?)?,
                (CIPHERTEXT, Value::String(place)) => set(&mut ciphertext, place)?,
                (MESSAGE_INDEX | CIPHERTEXT, _) => return Err(DecodeError::Format),
                _ => {}
            }
        }
        let signature = Ed25519Signature::from_bytes(*signature);
        let (message_index, ciphertext) = (required(message_index)?, required(ciphertext)?);
        Ok(Self { version, message_index, ciphertext, signature, bytes })
    }

    /// Length in bytes of a message with a plaintext of this length.
    pub(crate) const fn encoded_length(
        version: MessageVersion,
        message_index: u32,
        plaintext_length: usize,
    ) -> usize {
        string_length(ciphertext_length(plaintext_length))
            .saturating_add(1 + 1 + SIGNATURE_LENGTH)
            .saturating_add(varint_length(message_index as u64))
            .saturating_add(version.mac_length())
    }

    /// Writes the header; then `seal` appends ciphertext and MAC, and `sign` appends the signature
    /// over all of it.
    pub(crate) fn encode(
        version: MessageVersion,
        message_index: u32,
        plaintext_length: usize,
        seal: impl FnOnce(Vec<u8>) -> Vec<u8>,
        sign: impl FnOnce(&[u8]) -> [u8; SIGNATURE_LENGTH],
    ) -> Self {
        let length = ciphertext_length(plaintext_length);
        let encoded_length = Self::encoded_length(version, message_index, plaintext_length);
        let mut header = Writer::new(version.byte(), encoded_length);
        header.integer(MESSAGE_INDEX, message_index.into());
        header.string_header(CIPHERTEXT, length);
        let header = header.into_bytes();
        let start = header.len();
        let mut bytes = seal(header);
        let signature = sign(&bytes);
        bytes.extend_from_slice(&signature);
        Self {
            bytes,
            version,
            message_index,
            ciphertext: start..start.saturating_add(length),
            signature: Ed25519Signature::from_bytes(signature),
        }
    }

    /// The version of this message.
    #[must_use]
    pub const fn version(&self) -> MessageVersion {
        self.version
    }

    /// The index of the ratchet that this message was encrypted with.
    #[must_use]
    pub const fn message_index(&self) -> u32 {
        self.message_index
    }

    /// The content of the ciphertext field.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        self.bytes.get(self.ciphertext.clone()).unwrap_or_default()
    }

    /// The signature, which covers every byte before it.
    #[must_use]
    pub const fn signature(&self) -> &Ed25519Signature {
        &self.signature
    }

    /// The bytes that the signature covers.
    pub(crate) fn signed_bytes(&self) -> &[u8] {
        self.bytes.split_last_chunk::<SIGNATURE_LENGTH>().map_or(&[], |(signed, _)| signed)
    }

    pub(crate) fn sealed(&self) -> Sealed<'_> {
        let signed = self.signed_bytes();
        let mac_start = signed.len().saturating_sub(self.version.mac_length());
        let (authenticated, mac) = signed.split_at_checked(mac_start).unwrap_or_default();
        Sealed { authenticated, ciphertext: self.ciphertext(), mac }
    }

    /// The bytes of the message.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The message in unpadded base64.
    #[must_use]
    pub fn to_base64(&self) -> String {
        base64::encode(&self.bytes)
    }
}

impl fmt::Debug for MegolmMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MegolmMessage")
            .field("version", &self.version)
            .field("message_index", &self.message_index)
            .finish_non_exhaustive()
    }
}

/// Length of a ratchet on the wire: four parts of 32 bytes.
const RATCHET_LENGTH: usize = 128;
/// Length of version, index, ratchet and signing key.
const EXPORT_LENGTH: usize = 1 + 4 + RATCHET_LENGTH + 32;
const SHARING_LENGTH: usize = EXPORT_LENGTH + SIGNATURE_LENGTH;
const EXPORT_VERSION: u8 = 1;
const SHARING_VERSION: u8 = 2;

/// The content of both formats after the version byte: index, ratchet and signing key.
#[derive(Clone)]
struct Body {
    index: u32,
    ratchet: Box<Secret<RATCHET_LENGTH>>,
    signing_key: Ed25519PublicKey,
}

impl Body {
    fn to_bytes(&self, version: u8) -> Secret<EXPORT_LENGTH> {
        let (index, signing_key) = (self.index.to_be_bytes(), self.signing_key.as_bytes());
        Secret::concat((&[version], &index, self.ratchet.as_bytes(), signing_key))
    }

    fn from_bytes(version: u8, bytes: &[u8; EXPORT_LENGTH]) -> Result<Self, SessionKeyError> {
        let ([found], rest) = split(bytes)?;
        if *found != version {
            return Err(SessionKeyError::Version(*found));
        }
        let (index, rest) = split(rest)?;
        let (ratchet, rest) = split(rest)?;
        let (signing_key, _) = split::<32>(rest)?;
        Ok(Self {
            index: u32::from_be_bytes(*index),
            ratchet: Box::new(Secret::new(*ratchet)),
            signing_key: Ed25519PublicKey::from_unverified_point(*signing_key)?,
        })
    }
}

fn split<const N: usize>(bytes: &[u8]) -> Result<(&[u8; N], &[u8]), SessionKeyError> {
    bytes.split_first_chunk().ok_or(SessionKeyError::Length { expected: N, found: bytes.len() })
}

/// The bytes of a format of this length.
fn exactly<const N: usize>(bytes: &[u8]) -> Result<&[u8; N], SessionKeyError> {
    bytes.try_into().map_err(|_| SessionKeyError::Length { expected: N, found: bytes.len() })
}

fn secret_from_base64<const N: usize>(text: &str) -> Result<Secret<N>, SessionKeyError> {
    let found = base64::decoded_length(text);
    base64::decode_secret(text)?.ok_or(SessionKeyError::Length { expected: N, found })
}

/// Methods of both types of session key, and their redacted `Debug`.
macro_rules! session_key_accessors {
    ($type:ident) => {
        impl $type {
            /// The first message index that this key decrypts.
            #[must_use]
            pub const fn index(&self) -> u32 {
                self.body.index
            }

            /// The key that signs the session's messages. Its base64 is the session id.
            #[must_use]
            pub const fn signing_key(&self) -> &Ed25519PublicKey {
                &self.body.signing_key
            }

            /// The id of the session (43 characters). Each call allocates it.
            #[must_use]
            pub fn session_id(&self) -> String {
                self.body.signing_key.to_base64()
            }

            pub(crate) fn ratchet(&self) -> &Secret<RATCHET_LENGTH> {
                &self.body.ratchet
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($type))
                    .field("session_id", &self.session_id())
                    .field("index", &self.index())
                    .finish_non_exhaustive()
            }
        }
    };
}

/// The key of a group session, in the sharing format: 229 bytes, 306 characters of base64.
///
/// Everyone who has it can decrypt the session's messages from its index on. Parsing verifies its
/// signature, which shows that it comes from the owner of the session.
///
/// Spec: megolm.md, "Session sharing format".
#[derive(Clone)]
pub struct SessionKey {
    body: Body,
    signature: Ed25519Signature,
}

session_key_accessors!(SessionKey);

impl SessionKey {
    /// Parses the 229 bytes and verifies the signature.
    ///
    /// # Errors
    ///
    /// [`SessionKeyError`], which names the fault.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SessionKeyError> {
        let bytes: &[u8; SHARING_LENGTH] = exactly(bytes)?;
        let (signed, signature) = split::<EXPORT_LENGTH>(bytes)?;
        let (signature, _) = split(signature)?;
        let body = Body::from_bytes(SHARING_VERSION, signed)?;
        body.signing_key.verifying_key()?.verify(signed, signature)?;
        Ok(Self { body, signature: Ed25519Signature::from_bytes(*signature) })
    }

    /// Parses the 306 characters of base64, with or without padding, and verifies the signature.
    ///
    /// # Errors
    ///
    /// [`SessionKeyError`], which names the fault.
    pub fn from_base64(text: &str) -> Result<Self, SessionKeyError> {
        Self::from_bytes(secret_from_base64::<SHARING_LENGTH>(text)?.as_bytes())
    }

    pub(crate) fn new(
        index: u32,
        ratchet: &Secret<RATCHET_LENGTH>,
        signing_key: Ed25519PublicKey,
        sign: impl FnOnce(&[u8]) -> [u8; SIGNATURE_LENGTH],
    ) -> Self {
        let body = Body { index, ratchet: Box::new(ratchet.clone()), signing_key };
        let signature = sign(body.to_bytes(SHARING_VERSION).as_bytes());
        Self { body, signature: Ed25519Signature::from_bytes(signature) }
    }

    /// The 229 bytes. They are secret, and the caller must protect and wipe them.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; SHARING_LENGTH] {
        *self.to_secret().as_bytes()
    }

    /// The 306 characters of unpadded base64.
    #[must_use]
    pub fn to_base64(&self) -> SecretString {
        base64::encode_secret(self.to_secret().as_bytes())
    }

    fn to_secret(&self) -> Secret<SHARING_LENGTH> {
        let body = self.body.to_bytes(SHARING_VERSION);
        Secret::concat((body.as_bytes(), self.signature.as_bytes()))
    }
}

/// The key of a group session, in the export format: 165 bytes, 220 characters of base64.
///
/// It is like [`SessionKey`], but without a signature, so nothing in it shows who made it. Whether
/// its signing key is a point of the curve is checked with the first message; if it is not, every
/// decryption fails with [`InvalidSigningKey`].
///
/// A key remembers if a session gave it that had its own key from a backup: it is imported as from
/// a backup then, too (S-41). The bytes and the text cannot say this, and count as
/// [`Exported`](crate::megolm::Provenance::Exported) when they are read again.
///
/// [`InvalidSigningKey`]: crate::megolm::DecryptionError::InvalidSigningKey
///
/// Spec: megolm.md, "Session export format".
#[derive(Clone)]
pub struct ExportedSessionKey {
    body: Body,
    /// Whether it deserves no more trust than a key from a backup, whoever imports it.
    from_backup: bool,
}

session_key_accessors!(ExportedSessionKey);

impl ExportedSessionKey {
    /// Parses the 165 bytes.
    ///
    /// # Errors
    ///
    /// [`SessionKeyError`], which names the fault.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SessionKeyError> {
        let body = Body::from_bytes(EXPORT_VERSION, exactly(bytes)?)?;
        Ok(Self { body, from_backup: false })
    }

    /// Parses the 220 characters of base64, with or without padding.
    ///
    /// # Errors
    ///
    /// [`SessionKeyError`], which names the fault.
    pub fn from_base64(text: &str) -> Result<Self, SessionKeyError> {
        Self::from_bytes(secret_from_base64::<EXPORT_LENGTH>(text)?.as_bytes())
    }

    pub(crate) fn new(
        index: u32,
        ratchet: &Secret<RATCHET_LENGTH>,
        signing_key: Ed25519PublicKey,
        from_backup: bool,
    ) -> Self {
        let body = Body { index, ratchet: Box::new(ratchet.clone()), signing_key };
        Self { body, from_backup }
    }

    pub(crate) const fn is_from_backup(&self) -> bool {
        self.from_backup
    }

    /// The same key, which was read from a backup.
    #[cfg(feature = "matrix")]
    pub(crate) fn marked_as_from_backup(self) -> Self {
        Self { from_backup: true, ..self }
    }

    /// The 165 bytes. They are secret, and the caller must protect and wipe them.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; EXPORT_LENGTH] {
        *self.body.to_bytes(EXPORT_VERSION).as_bytes()
    }

    /// The 220 characters of unpadded base64.
    #[must_use]
    pub fn to_base64(&self) -> SecretString {
        base64::encode_secret(self.body.to_bytes(EXPORT_VERSION).as_bytes())
    }
}

/// The bytes or text are not a Megolm session key, in the sharing or in the export format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionKeyError {
    /// The text is not base64.
    Base64(Base64Error),
    /// The format has a fixed length; this input has another.
    Length {
        /// The length of the format in bytes.
        expected: usize,
        /// The length of this input in bytes.
        found: usize,
    },
    /// The first byte is not the version of this format.
    Version(u8),
    /// The signing key is unacceptable.
    Key(KeyError),
    /// The session key is not signed by its own signing key.
    Signature,
}

texts!(SessionKeyError {
    Self::Base64(_) => "the session key is not valid base64";
    Self::Length { expected, found } => "a session key of this format has {expected} bytes, not {found}";
    Self::Version(found) => "unknown session key version {found}";
    Self::Key(_) => "the session key holds a bad signing key";
    Self::Signature => "the signature of the session key does not verify";
} caused by Base64, Key);

impl From<Base64Error> for SessionKeyError {
    fn from(error: Base64Error) -> Self {
        Self::Base64(error)
    }
}

impl From<KeyError> for SessionKeyError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<SignatureError> for SessionKeyError {
    fn from(_: SignatureError) -> Self {
        Self::Signature
    }
}
