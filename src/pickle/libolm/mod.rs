//! libolm's pickles. `envelope.rs` encrypts them.
//!
//! All integers are big-endian; a list is a u32 count and its items; a pair of keys is the public
//! and the private half (Ed25519: 32 and 64 bytes, X25519: 32 and 32). `read` has the layouts.
//!
//! Reading and writing are exact (S-24): what was read is written back as it was, in the newest
//! version of the format and without the keys of chains that are gone. What the format cannot hold
//! is an error, or is dropped by an explicit `lossy` call, which reports it and drops what libolm
//! itself would have evicted. The documentation of [`Loss`] lists what the format holds of each
//! object. If the caller knows a dropped fact, it can supply it again (S-41).

#[cfg(feature = "backup")]
mod backup;
#[cfg(feature = "hazmat")]
mod content;
mod read;
mod write;

use alloc::{string::String, vec::Vec};

use zeroize::Zeroizing;

use self::read::PublicKeys;
use super::{
    Length, Reader, Sink, envelope,
    loss::{ConversionError, Loss},
};
use crate::{
    error::{Base64Error, KeyError, PickleError, texts},
    megolm::{inbound::InboundGroupSession, outbound::GroupSession},
    olm::{account::Account, session::Session},
    primitives::stack::{MEDIUM, wiped_below},
};

type Result<T> = core::result::Result<T, LibolmPickleError>;

/// Decrypts a pickle and hands its version and content to `read`, which must use all of it.
fn open<T>(
    pickle: &str,
    key: &[u8],
    read: impl FnOnce(u32, &mut Reader<'_>) -> Result<T>,
) -> Result<T> {
    let content = envelope::open(pickle, key)?.ok_or(LibolmPickleError::Authentication)?;
    let mut reader = Reader(&content);
    let version = read::read_number(&mut reader)?;
    let object = read(version, &mut reader)?;
    if reader.0.is_empty() { Ok(object) } else { Err(LibolmPickleError::InvalidState) }
}

/// Encrypts what `write` writes. It is called twice, first to measure: a buffer that grows would
/// leave copies of secrets behind (S-25).
fn seal(
    key: &[u8],
    write: impl Fn(&mut dyn Sink) -> core::result::Result<Loss, ConversionError>,
) -> core::result::Result<(String, Loss), ConversionError> {
    let mut length = Length(0);
    write(&mut length)?;
    let mut content = Zeroizing::new(Vec::with_capacity(length.0));
    let loss = write(&mut *content)?;
    Ok((envelope::seal(key, &content), loss))
}

/// The public methods, which are the same for every object.
macro_rules! libolm_pickle {
    ($object:ident, $read:ident, $write:ident, $(#[$doc:meta])+) => {
        impl $object {
            $(#[$doc])+
            ///
            /// `key` is the key that it was pickled with, of any length.
            ///
            /// # Errors
            ///
            /// [`LibolmPickleError`].
            pub fn from_libolm_pickle(pickle: &str, key: impl AsRef<[u8]>) -> Result<Self> {
                wiped_below::<MEDIUM, _>(|| {
                    let state = open(pickle, key.as_ref(), |version, reader| {
                        read::$read(version, reader, PublicKeys::Derived)
                    })?;
                    Ok(Self::restore(state)?)
                })
            }

            /// Pickles the object as libolm does, if the format can hold everything that the object
            /// knows. It can for an object that was read from a libolm pickle and has not changed
            /// since: it is written back as it was, in the newest version of the format and without
            /// the keys of chains that are gone. For a used object, see `to_libolm_pickle_lossy`.
            ///
            /// # Errors
            ///
            /// [`ConversionError::Lossy`] with what would be lost;
            /// [`ConversionError::Unrepresentable`] if libolm could not continue from this state.
            pub fn to_libolm_pickle(
                &self,
                key: impl AsRef<[u8]>,
            ) -> core::result::Result<String, ConversionError> {
                match self.to_libolm_pickle_lossy(key)? {
                    (pickle, loss) if loss.is_none() => Ok(pickle),
                    (_, loss) => Err(ConversionError::Lossy(loss)),
                }
            }

            /// As `to_libolm_pickle`, but drops what the format cannot hold, in the order in which
            /// libolm would have dropped it (of one-time keys the unpublished ones first), and
            /// reports it. libolm goes on where we stopped; no
            /// message becomes unreadable unless [`Loss::drops_keys`] says so. [`Loss`] lists what
            /// the format holds.
            ///
            /// # Errors
            ///
            /// [`ConversionError::Unrepresentable`].
            pub fn to_libolm_pickle_lossy(
                &self,
                key: impl AsRef<[u8]>,
            ) -> core::result::Result<(String, Loss), ConversionError> {
                seal(key.as_ref(), |sink| write::$write(self.state(), sink))
            }
        }
    };
}

libolm_pickle!(
    Account,
    read_account,
    write_account,
    /// Reads an account that libolm pickled (versions 2 to 4). Version 1 is refused, as by libolm.
);
libolm_pickle!(
    Session,
    read_session,
    write_session,
    /// Reads a session that libolm pickled. Keys that libolm evicted count as used. The pickle does
    /// not hold the peer's identity key: give it to
    /// [`set_identity_keys`](Session::set_identity_keys) before the session decrypts, or no payload
    /// can be verified. The key is known only for a session that was made from a message that it
    /// has not decrypted yet: it is that of the device that began the session.
);
libolm_pickle!(
    GroupSession,
    read_group_session,
    write_group_session,
    /// Reads an outbound group session that libolm pickled. The pickle does not say when the
    /// session was made, so it is due for rotation unless you [state it](Self::set_created_at).
);
libolm_pickle!(
    InboundGroupSession,
    read_inbound_group_session,
    write_inbound_group_session,
    /// Reads an inbound group session that libolm pickled. The pickle does not say where the
    /// session's key came from, so the [provenance](Self::provenance) is `Unknown` unless you
    /// [state it](Self::set_provenance). The later of the two ratchets in the pickle must follow
    /// from the earlier one (S-43).
);

/// A pickle in libolm's format could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LibolmPickleError {
    /// The text is not base64.
    Base64(Base64Error),
    /// Wrong key, or the pickle was altered or cut off.
    Authentication,
    /// The pickle has a version that libolm does not write, or no longer reads.
    Version(u32),
    /// The content ends early, has bytes after its end, or is not a possible state of the object.
    InvalidState,
    /// The content holds an unacceptable key.
    Key(KeyError),
}

texts!(LibolmPickleError {
    Self::Base64(_) => "the pickle is not valid base64";
    Self::Authentication => "wrong pickle key, or the pickle was altered";
    Self::Version(found) => "unknown pickle version {found}";
    Self::InvalidState => "the pickle's content is not a possible state";
    Self::Key(_) => "the pickle holds a bad key";
} caused by Base64, Key);

impl From<Base64Error> for LibolmPickleError {
    fn from(error: Base64Error) -> Self {
        Self::Base64(error)
    }
}

impl From<KeyError> for LibolmPickleError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

/// The lower layers refuse a state only for this reason.
impl From<PickleError> for LibolmPickleError {
    fn from(_: PickleError) -> Self {
        Self::InvalidState
    }
}
