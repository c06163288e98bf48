//! The Megolm ratchet. Spec: megolm.md, "The Megolm ratchet algorithm" and "Advancing the ratchet".

use crate::primitives::{kdf::HmacKey, secret::Secret};

/// The number of parts, `R_i,0` to `R_i,3`.
const PARTS: usize = 4;
const PART_LENGTH: usize = 32;
/// Length of the whole ratchet value in bytes.
pub(crate) const LENGTH: usize = PARTS * PART_LENGTH;

/// `R_i` with its `i`.
///
/// Part `j` changes every `2^(8·(3-j))` steps; when it does, it reseeds all parts after it.
#[derive(Clone, Default)]
pub(crate) struct MegolmRatchet {
    value: Secret<LENGTH>,
    index: u32,
}

impl MegolmRatchet {
    pub(crate) const fn new(value: Secret<LENGTH>, index: u32) -> Self {
        Self { value, index }
    }

    pub(crate) const fn value(&self) -> &Secret<LENGTH> {
        &self.value
    }

    pub(crate) const fn index(&self) -> u32 {
        self.index
    }

    /// Advances to `target`, with at most 255 hash steps for each part. A target at or before the
    /// present index changes nothing: the ratchet cannot go back.
    pub(crate) fn advance_to(&mut self, target: u32) {
        for part in 0..PARTS {
            // Part j counts the steps of 2^shift; those below it are settled by the parts after it.
            let shift =
                8_u32.saturating_mul((PARTS as u32).saturating_sub(part as u32).saturating_sub(1));
            let steps = (target >> shift).saturating_sub(self.index >> shift);
            // Only the last step's reseeding lasts, so the ones before advance this part alone.
            for _ in 1..steps {
                self.rehash(part, part);
            }
            if steps > 0 {
                self.rehash(part, PARTS.saturating_sub(1));
                self.index = (target >> shift) << shift;
            }
        }
    }

    /// `R_k = H_k(R_part)` for `k` from `last` down to `part`, where `H_k(A) = HMAC(A, k)`.
    fn rehash(&mut self, part: usize, last: usize) {
        let parts = self.value.as_mut_bytes().as_chunks_mut::<PART_LENGTH>().0;
        let Some(hmac) = parts.get(part).map(HmacKey::new) else { return };
        for (k, slot) in parts.iter_mut().enumerate().take(last.saturating_add(1)).skip(part) {
            *slot = *hmac.derive(&[k as u8]).as_bytes();
        }
    }
}
