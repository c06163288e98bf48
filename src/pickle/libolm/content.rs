//! The content of libolm's pickles without their encryption, for a caller that keeps its objects as
//! bytes in memory of its own. Only with the feature `hazmat`.

use zeroize::Zeroize;

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

/// The part of the caller's memory that is not written yet; `None` once something did not fit.
struct Unwritten<'a>(Option<&'a mut [u8]>);

impl Sink for Unwritten<'_> {
    fn put(&mut self, bytes: &[u8]) {
        self.0 = self.0.take().and_then(|mut rest| {
            rest.split_off_mut(..bytes.len())?.copy_from_slice(bytes);
            Some(rest)
        });
    }
}

/// Lets `write` write to `memory`, which was measured for it. If it writes more or less, an
/// impossible state, nothing is left in the memory (S-47).
fn fill(
    memory: &mut [u8],
    write: impl FnOnce(&mut dyn Sink) -> core::result::Result<Loss, ConversionError>,
) -> core::result::Result<(), ConversionError> {
    let mut unwritten = Unwritten(Some(memory));
    let written = write(&mut unwritten).map(drop);
    let result = match unwritten.0 {
        Some([]) => written,
        _ => Err(ConversionError::Unrepresentable),
    };
    result.inspect_err(|_| memory.zeroize())
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
                fill(place, |sink| write::$write(self.state(), sink))?;
                Ok(Some(length.0))
            }
        }
    };
}

libolm_content!(Account, read_account, write_account_content);
libolm_content!(Session, read_session, write_session);
libolm_content!(GroupSession, read_group_session, write_group_session);
libolm_content!(InboundGroupSession, read_inbound_group_session, write_inbound_group_session);

#[cfg(test)]
mod tests {
    use super::*;

    /// S-47: what does not fill the memory exactly leaves nothing there.
    #[test]
    fn s_47_content_of_another_length_is_refused() {
        for (length, fits) in [(4, false), (5, true), (6, false)] {
            let mut memory = [7; 6];
            let (place, rest) = memory.split_at_mut(length);
            let filled = fill(place, |sink| {
                sink.put(&[1, 2]);
                sink.put(&[3, 4, 5]);
                Ok(Loss::default())
            });
            assert_eq!(filled.is_ok(), fits);
            assert_eq!(place.iter().any(|byte| *byte != 0), fits);
            assert!(rest.iter().all(|byte| *byte == 7));
        }
    }
}
