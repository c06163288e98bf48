//! The content of libolm's pickles without their encryption, for a caller that keeps its objects as
//! bytes in memory of its own. Only with the feature `hazmat`.

use super::{
    Length, Loss, Reader, Result, Sink,
    read::{self, PublicKeys},
    write,
};
use crate::{
    megolm::{inbound::InboundGroupSession, outbound::GroupSession},
    olm::{account::Account, session::Session},
    pickle::loss::ConversionError,
    primitives::stack::{SHALLOW, wiped_below},
};

/// The unwritten part of the caller's memory. It is as long as what will be written.
struct Unwritten<'a>(&'a mut [u8]);

impl Sink for Unwritten<'_> {
    fn put(&mut self, bytes: &[u8]) {
        if let Some(place) = self.0.split_off_mut(..bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}

/// The public methods, which are the same for every object.
macro_rules! libolm_content {
    ($object:ident, $read:ident, $write:ident) => {
        impl $object {
            /// Reads the content of a libolm pickle, and also returns the bytes after it. It is
            /// checked as in `from_libolm_pickle`.
            ///
            /// # Errors
            ///
            /// [`LibolmPickleError`](crate::LibolmPickleError).
            pub fn from_libolm_content(content: &[u8]) -> Result<(Self, &[u8])> {
                Self::read_libolm_content(content, PublicKeys::Derived)
            }

            /// Like `from_libolm_content`, but for bytes that the caller **knows to be unaltered**
            /// since `write_libolm_content` wrote them: the public half of a signing key is used as
            /// stored, instead of being derived again. Signing with a wrong one reveals the private
            /// half (S-14).
            ///
            /// # Errors
            ///
            /// [`LibolmPickleError`](crate::LibolmPickleError).
            pub fn from_own_libolm_content(content: &[u8]) -> Result<(Self, &[u8])> {
                Self::read_libolm_content(content, PublicKeys::Stored)
            }

            fn read_libolm_content(
                content: &[u8],
                public_keys: PublicKeys,
            ) -> Result<(Self, &[u8])> {
                wiped_below::<SHALLOW, _>(|| {
                    let mut reader = Reader(content);
                    let version = read::read_number(&mut reader)?;
                    let object = Self::restore(read::$read(version, &mut reader, public_keys)?)?;
                    Ok((object, reader.0))
                })
            }

            /// Writes what libolm would encrypt into a pickle of this object to the beginning of
            /// `memory`, and returns its length; `None` if `memory` is too short. What the format
            /// cannot hold is dropped, in the order in which libolm would have dropped it.
            ///
            /// The bytes hold all secrets of the object, unencrypted. Either all of them are
            /// written or none.
            ///
            /// # Errors
            ///
            /// [`ConversionError::Unrepresentable`].
            pub fn write_libolm_content(
                &self,
                memory: &mut [u8],
            ) -> core::result::Result<Option<usize>, ConversionError> {
                let mut length = Length(0);
                let _: Loss = write::$write(self.state(), &mut length)?;
                let Some(place) = memory.get_mut(..length.0) else { return Ok(None) };
                let _: Loss = write::$write(self.state(), &mut Unwritten(place))?;
                Ok(Some(length.0))
            }
        }
    };
}

libolm_content!(Account, read_account, write_account);
libolm_content!(Session, read_session, write_session);
libolm_content!(GroupSession, read_group_session, write_group_session);
libolm_content!(InboundGroupSession, read_inbound_group_session, write_inbound_group_session);
