//! Decrypts many messages of one session at once.

use alloc::vec::Vec;

use super::{
    decrypted::{DecryptedMessage, DecryptionError},
    inbound::InboundGroupSession,
};
use crate::wire::megolm::MegolmMessage;

impl InboundGroupSession {
    /// Decrypts messages in any order, which may include copies, forgeries and messages of other
    /// sessions. There is one result for each, in the order of the messages.
    ///
    /// The results, and the session afterwards, are exactly as if [`decrypt`](Self::decrypt) had
    /// been called for one message after the other (S-15). From 24 messages on, the verification of
    /// their signatures shares work. How much time that saves depends on the processor and on the
    /// backend of curve25519-dalek (`benches/results/comparison.md` has measurements with AVX2;
    /// with the AVX-512 backend, decrypting one by one is at least as fast). Fewer messages gain
    /// only if they are out of order, because the ratchet is advanced only once.
    ///
    /// ```
    /// use std::time::SystemTime;
    ///
    /// use moceril::megolm::{DecryptionError, GroupSession, InboundGroupSession};
    ///
    /// let now = SystemTime::UNIX_EPOCH.elapsed()?;
    /// let mut room = GroupSession::new(now)?;
    /// let mut theirs = InboundGroupSession::new(&room.session_key());
    /// let mut events = vec![room.encrypt(b"first")?, room.encrypt(b"second")?];
    /// events.push(GroupSession::new(now)?.encrypt(b"of another session")?);
    ///
    /// let decrypted = theirs.decrypt_batch(&events);
    /// assert_eq!(decrypted[0].as_ref().unwrap().plaintext(), b"first");
    /// assert_eq!(decrypted[1].as_ref().unwrap().plaintext(), b"second");
    /// assert_eq!(decrypted[2], Err(DecryptionError::Authentication));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decrypt_batch<'a>(
        &mut self,
        messages: impl IntoIterator<Item = &'a MegolmMessage>,
    ) -> Vec<Result<DecryptedMessage, DecryptionError>> {
        let (mut results, mut admitted) = (Vec::new(), Vec::new());
        let refusal = self.verifying_key().err().unwrap_or(DecryptionError::Authentication);
        for (place, message) in messages.into_iter().enumerate() {
            results.push(Err(match self.state().admit(message) {
                Err(refusal) => refusal,
                Ok(()) => {
                    admitted.push((place, message));
                    // Unless it is decrypted below.
                    refusal
                }
            }));
        }
        let signed: Vec<_> = admitted
            .iter()
            .map(|(_, message)| (message.signed_bytes(), message.signature().as_bytes()))
            .collect();
        let good = self.verifying_key().map(|key| key.verify_each(&signed)).unwrap_or_default();
        let signed = admitted.into_iter().zip(good).filter(|(_, good)| *good);
        let mut signed: Vec<_> = signed.map(|(message, _)| message).collect();
        // In the order of their indices, each ratchet is a few hashes from the one before.
        signed.sort_by_key(|(_, message)| message.message_index());
        for (place, message) in signed {
            if let Some(slot) = results.get_mut(place) {
                *slot = self.open(message);
            }
        }
        results
    }
}
