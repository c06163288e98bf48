//! The QR codes of verifications: one device shows a code, and the other one scans it. Feature
//! `matrix`.
//!
//! ```text
//! "MATRIX" || 0x02 || mode || length[2] || transaction id || key[32] || key[32] || secret
//! ```
//!
//! These are the bytes in the code. The client draws and scans the code, and sends the events. The
//! device that scans compares both keys with the keys it knows, and sends the secret back. The
//! device that shows the code compares this secret with its own, and asks the user.
//!
//! Spec: Matrix, "QR code format".
//!
//! ```
//! use moceril::{olm::Account, qr_code::{QrCode, QrCodeMode}};
//!
//! // The master keys of both users.
//! let (alice, bob) = (Account::new()?.ed25519_key(), Account::new()?.ed25519_key());
//! let secret = [42; 16]; // random bytes, drawn for this code
//!
//! // Alice's device shows the code: one segment, in byte mode.
//! let shown = QrCode::new(QrCodeMode::OtherUser, "$event", alice, bob, secret)?;
//! let bytes = shown.to_bytes();
//!
//! // Bob's device scans it.
//! let scanned = QrCode::from_bytes(&bytes)?;
//! assert_eq!(scanned.transaction_id(), "$event");
//! assert_eq!(scanned.first_key(), alice); // what Bob's device thinks Alice's master key is
//! assert_eq!(scanned.second_key(), bob); // its own user's master key
//! // Bob's device sends the secret in an event `m.key.verification.start`.
//! assert_eq!(*scanned.secret(), secret);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::string::{String, ToString};
use core::fmt;

use crate::{
    error::{KeyError, texts},
    keys::Ed25519PublicKey,
    primitives::secret::SecretBytes,
};

/// The name of the format and its version.
const BEGINNING: &[u8] = b"MATRIX\x02";

/// Who verifies whom, which says whose keys are in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QrCodeMode {
    /// Two users verify each other. The first key is the master key of the user whose device shows
    /// the code, the second one that of the other user.
    OtherUser,
    /// Two devices of one user, and the one that shows the code trusts the master key. The first
    /// key is the master key, the second one the Ed25519 key of the other device.
    Trusting,
    /// Two devices of one user, and the one that shows the code does not trust the master key yet.
    /// The first key is the Ed25519 key of this device, the second one the master key.
    NotTrusting,
}

impl QrCodeMode {
    const ALL: [Self; 3] = [Self::OtherUser, Self::Trusting, Self::NotTrusting];

    const fn byte(self) -> u8 {
        match self {
            Self::OtherUser => 0,
            Self::Trusting => 1,
            Self::NotTrusting => 2,
        }
    }
}

/// The content of a QR code.
#[derive(Clone)]
pub struct QrCode {
    mode: QrCodeMode,
    transaction_id: String,
    first_key: Ed25519PublicKey,
    second_key: Ed25519PublicKey,
    secret: SecretBytes,
}

impl QrCode {
    /// A code to show. The secret is random, and drawn for this code; the specification suggests
    /// about 8 bytes.
    ///
    /// # Errors
    ///
    /// [`QrCodeError::TransactionId`] if the id is longer than 65,535 bytes,
    /// [`QrCodeError::Secret`] if the secret is empty.
    pub fn new(
        mode: QrCodeMode,
        transaction_id: &str,
        first_key: Ed25519PublicKey,
        second_key: Ed25519PublicKey,
        secret: impl AsRef<[u8]>,
    ) -> Result<Self, QrCodeError> {
        let (transaction_id, secret) = (transaction_id.to_string(), secret.as_ref().to_vec());
        Self { mode, transaction_id, first_key, second_key, secret: SecretBytes::new(secret) }
            .checked()
    }

    fn checked(self) -> Result<Self, QrCodeError> {
        if u16::try_from(self.transaction_id.len()).is_err() {
            Err(QrCodeError::TransactionId)
        } else if self.secret.is_empty() {
            Err(QrCodeError::Secret)
        } else {
            Ok(self)
        }
    }

    /// Reads what was scanned.
    ///
    /// # Errors
    ///
    /// [`QrCodeError`].
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Result<Self, QrCodeError> {
        let rest = bytes.as_ref().strip_prefix(BEGINNING).ok_or(QrCodeError::Beginning)?;
        let (mode, rest) = rest.split_first().ok_or(QrCodeError::CutOff)?;
        let mode = QrCodeMode::ALL.into_iter().find(|known| known.byte() == *mode);
        let mode = mode.ok_or(QrCodeError::Mode)?;
        let (length, rest) = rest.split_first_chunk().ok_or(QrCodeError::CutOff)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (id, rest) = rest.split_at_checked(length).ok_or(QrCodeError::CutOff)?;
        let transaction_id = str::from_utf8(id).map_err(|_| QrCodeError::TransactionId)?;
        let (first_key, rest) = rest.split_first_chunk().ok_or(QrCodeError::CutOff)?;
        let (second_key, secret) = rest.split_first_chunk().ok_or(QrCodeError::CutOff)?;
        let first_key = Ed25519PublicKey::from_bytes(*first_key)?;
        let second_key = Ed25519PublicKey::from_bytes(*second_key)?;
        Self::new(mode, transaction_id, first_key, second_key, secret)
    }

    /// What the code holds.
    #[must_use]
    pub fn to_bytes(&self) -> SecretBytes {
        let length = u16::try_from(self.transaction_id.len()).unwrap_or(u16::MAX).to_be_bytes();
        let parts: [&[u8]; 7] = [
            BEGINNING,
            &[self.mode.byte()],
            &length,
            self.transaction_id.as_bytes(),
            self.first_key.as_bytes(),
            self.second_key.as_bytes(),
            &self.secret,
        ];
        SecretBytes::new(parts.concat())
    }

    /// Who verifies whom.
    #[must_use]
    pub const fn mode(&self) -> QrCodeMode {
        self.mode
    }

    /// The transaction id of the verification; in a room, the event id of the request.
    #[must_use]
    pub fn transaction_id(&self) -> &str {
        &self.transaction_id
    }

    /// The first key; the [mode](QrCodeMode) says which one it is.
    #[must_use]
    pub const fn first_key(&self) -> Ed25519PublicKey {
        self.first_key
    }

    /// The second key; the [mode](QrCodeMode) says which one it is.
    #[must_use]
    pub const fn second_key(&self) -> Ed25519PublicKey {
        self.second_key
    }

    /// The secret, which the other device sends back.
    #[must_use]
    pub const fn secret(&self) -> &SecretBytes {
        &self.secret
    }
}

impl fmt::Debug for QrCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QrCode")
            .field("mode", &self.mode)
            .field("transaction_id", &self.transaction_id)
            .field("first_key", &self.first_key)
            .field("second_key", &self.second_key)
            .finish_non_exhaustive()
    }
}

/// What was scanned is no QR code of a verification, or no code can be made of these parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QrCodeError {
    /// It does not begin with `MATRIX` and the version 2: the code is for something else.
    Beginning,
    /// The mode is unknown.
    Mode,
    /// It ends before the last key does.
    CutOff,
    /// The transaction id is not UTF-8, or longer than 65,535 bytes.
    TransactionId,
    /// A key is invalid.
    Key(KeyError),
    /// There is no secret.
    Secret,
}

texts!(QrCodeError {
    Self::Beginning => "the QR code is not of a verification, or of another version";
    Self::Mode => "the QR code has an unknown mode";
    Self::CutOff => "the QR code is cut off";
    Self::TransactionId => "the QR code has a bad transaction id";
    Self::Key(_) => "the QR code holds a bad key";
    Self::Secret => "the QR code has no secret";
} caused by Key);

impl From<KeyError> for QrCodeError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}
