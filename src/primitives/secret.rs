//! Containers that wipe what they hold (S-25) and never show it (S-29).

use alloc::{boxed::Box, string::String, vec::Vec};
use core::{fmt, mem, ops::Deref};

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// `N` secret bytes: wiped on drop, compared in constant time, without `Debug`, `Display` or serde.
///
/// The bytes are stored inline. Long-lived secrets are in heap blocks that their public object
/// (`Account`, `Session`, …) owns, so that moving an object never leaves a copy behind.
#[derive(Clone)]
pub(crate) struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    pub(crate) const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; N] {
        &self.0
    }

    pub(crate) const fn as_mut_bytes(&mut self) -> &mut [u8; N] {
        &mut self.0
    }

    /// The concatenation of a tuple of references to arrays. The compiler checks that these are `N`
    /// bytes together: a key with bytes missing at its end does not compile (S-47).
    pub(crate) fn concat<P: Parts>(parts: P) -> Self {
        const { assert!(P::LENGTH == N) };
        let mut whole = Self::default();
        for (to, from) in whole.0.iter_mut().zip(parts.bytes()) {
            *to = *from;
        }
        whole
    }

    /// The `M` bytes from `START` on.
    pub(crate) fn part<const START: usize, const M: usize>(&self) -> Secret<M> {
        const { assert!(START.saturating_add(M) <= N) };
        let mut part = Secret::default();
        for (to, from) in part.0.iter_mut().zip(self.0.iter().skip(START)) {
            *to = *from;
        }
        part
    }

    /// Equality whose running time does not depend on the bytes (S-26).
    pub(crate) fn ct_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// Returns `accepted()` if both have the same bytes, else `refusal`. The comparison is in
    /// constant time, and the branch is that of [`if_equal`](super::verdict::if_equal).
    pub(crate) fn if_equal<T, E>(
        &self,
        other: &Self,
        refusal: E,
        accepted: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        super::verdict::if_equal(self.0.ct_eq(&other.0), refusal, accepted)
    }
}

impl<const N: usize> Default for Secret<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// What [`Secret::concat`] takes: two to four arrays of bytes.
pub(crate) trait Parts {
    /// How many bytes they have together.
    const LENGTH: usize;

    fn bytes(&self) -> impl Iterator<Item = &u8>;
}

macro_rules! parts {
    ($($part:ident: $length:ident),+) => {
        impl<$(const $length: usize),+> Parts for ($(&[u8; $length],)+) {
            const LENGTH: usize = 0 $(+ $length)+;

            fn bytes(&self) -> impl Iterator<Item = &u8> {
                let ($($part,)+) = self;
                [$($part.as_slice()),+].into_iter().flatten()
            }
        }
    };
}

parts!(a: A, b: B);
parts!(a: A, b: B, c: C);
parts!(a: A, b: B, c: C, d: D);

/// An optional part of an object's state, in its own heap block.
///
/// Why not inline: an empty `Option` has as many bytes as a full one, and they keep whatever was
/// there before, on the stack or in the object, where no destructor reaches it.
pub(crate) type Apart<T> = Option<Box<T>>;

/// An optional number in an object's state, which is no secret and needs no block of its own.
///
/// Why not `Option<u64>`: for the same reason, an absent number would be eight bytes of whatever
/// was there before. Here it is a zero.
#[derive(Clone, Copy)]
pub(crate) struct OptionalNumber {
    present: bool,
    number: u64,
}

impl OptionalNumber {
    pub(crate) const NONE: Self = Self { present: false, number: 0 };

    pub(crate) const fn some(number: u64) -> Self {
        Self { present: true, number }
    }

    pub(crate) fn get(self) -> Option<u64> {
        self.present.then_some(self.number)
    }
}

impl From<Option<u64>> for OptionalNumber {
    fn from(number: Option<u64>) -> Self {
        number.map_or(Self::NONE, Self::some)
    }
}

/// A growable list of secret-bearing items that leaves nothing behind in its heap block.
///
/// `Vec` moves bytes when it grows, and `remove` and `pop` leave the moved-out bytes in the spare
/// capacity, where no destructor reaches them. This list overwrites every slot it vacates with
/// `T::default()` first (the default of a secret is zeros).
#[derive(Clone)]
pub(crate) struct SecretList<T>(Vec<T>);

impl<T: Default> SecretList<T> {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Makes room for `additional` more items, moving the present ones out of a block that is too
    /// small so that it holds only defaults when it is freed.
    pub(crate) fn reserve(&mut self, additional: usize) {
        let needed = self.0.len().saturating_add(additional);
        if needed > self.0.capacity() {
            let mut grown = Vec::with_capacity(needed.max(self.0.len().saturating_mul(2)));
            grown.extend(self.0.iter_mut().map(core::mem::take));
            self.0 = grown;
        }
    }

    pub(crate) fn push(&mut self, item: T) {
        self.reserve(1);
        self.0.push(item);
    }

    /// Moves all items of `other` to the end of this list.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.reserve(other.0.len());
        self.0.extend(other.0.iter_mut().map(core::mem::take));
    }

    /// Keeps the items for which `keep` returns true, in their order. `keep` also gets each item's
    /// place.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(usize, &T) -> bool) {
        let mut kept = 0_usize;
        for place in 0..self.0.len() {
            if self.0.get(place).is_some_and(|item| keep(place, item)) {
                // Equal places are an error, and need no exchange.
                if let Ok([to, from]) = self.0.get_disjoint_mut([kept, place]) {
                    core::mem::swap(to, from);
                }
                kept = kept.saturating_add(1);
            }
        }
        self.0.iter_mut().skip(kept).for_each(|vacated| *vacated = T::default());
        self.0.truncate(kept);
    }

    /// Takes out the item at `index` and closes the gap; `None` when there is no such item. It
    /// reads no item, and moves those after `index` as one block.
    pub(crate) fn remove(&mut self, index: usize) -> Option<T> {
        if index >= self.0.len() {
            return None;
        }
        let removed = self.0.remove(index);
        // The last item left its bytes in its old slot; this overwrites them, without growing the
        // block.
        self.0.push(T::default());
        self.0.truncate(self.0.len().saturating_sub(1));
        Some(removed)
    }

    /// Drops the first `count` items, or all if there are fewer.
    pub(crate) fn remove_first(&mut self, count: usize) {
        self.retain(|place, _| place >= count);
    }

    pub(crate) fn reversed(mut self) -> Self {
        self.0.reverse();
        self
    }

    /// In ascending order. Sorts in place, so that no copy is left on the heap. What the sort
    /// leaves on the stack is overwritten when the operation ends.
    pub(crate) fn sorted_by_key<K: Ord>(mut self, key: impl FnMut(&T) -> K) -> Self {
        self.0.sort_unstable_by_key(key);
        self
    }

    pub(crate) fn iter_mut(&mut self) -> core::slice::IterMut<'_, T> {
        self.0.iter_mut()
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.0.get_mut(index)
    }
}

impl<T> Deref for SecretList<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

/// Secret text, such as a session key in base64: wiped on drop, and not shown by `Debug`.
///
/// It dereferences to `str`; the caller must protect any copy.
#[derive(Clone)]
pub struct SecretString(String);

impl SecretString {
    pub(crate) const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, without a copy. The caller must wipe it.
    #[must_use]
    pub fn into_string(mut self) -> String {
        mem::take(&mut self.0)
    }

    /// The text of these bytes; `None` if they are not UTF-8, in which case they are wiped.
    #[cfg(feature = "key-export")]
    pub(crate) fn from_utf8(bytes: Vec<u8>) -> Option<Self> {
        let text = String::from_utf8(bytes).map_err(|error| error.into_bytes().zeroize());
        text.ok().map(Self)
    }
}

/// Takes over the text, without a copy.
impl From<String> for SecretString {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Letter by letter, in a time that shows how many are equal.
impl<T: AsRef<str> + ?Sized> PartialEq<T> for SecretString {
    fn eq(&self, other: &T) -> bool {
        *self.0 == *other.as_ref()
    }
}

impl Eq for SecretString {}

impl Deref for SecretString {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for SecretString {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl AsRef<[u8]> for SecretString {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretString").finish_non_exhaustive()
    }
}

impl Drop for SecretString {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Secret bytes, such as the plaintext of a message: wiped on drop, and not shown by `Debug`.
///
/// It dereferences to `[u8]`; the caller must protect any copy.
#[derive(Clone)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    pub(crate) const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, without a copy. The caller must wipe them.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<u8> {
        mem::take(&mut self.0)
    }
}

/// Takes over the bytes, without a copy.
impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for SecretBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for SecretBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Compares byte by byte, in a time that reveals how many bytes are equal.
impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for SecretBytes {
    fn eq(&self, other: &T) -> bool {
        *self.0 == *other.as_ref()
    }
}

impl Eq for SecretBytes {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretBytes").finish_non_exhaustive()
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(items: &[u8]) -> SecretList<Secret<1>> {
        let mut list = SecretList::new();
        for &item in items {
            list.push(Secret::new([item]));
        }
        list
    }

    fn values(list: &SecretList<Secret<1>>) -> Vec<u8> {
        list.iter().map(|item| item.as_bytes()[0]).collect()
    }

    #[test]
    fn remove_keeps_the_order_of_the_rest() {
        for index in 0..4 {
            let mut list = list(&[1, 2, 3, 4]);
            let removed = list.remove(index).map(|item| item.as_bytes()[0]);
            assert_eq!(removed, Some(index as u8 + 1));
            let mut rest = Vec::from([1, 2, 3, 4]);
            rest.remove(index);
            assert_eq!(values(&list), rest);
        }
        assert!(list(&[1]).remove(1).is_none());
        assert!(list(&[]).remove(0).is_none());
    }

    #[test]
    fn remove_first_drops_the_oldest() {
        let mut items = list(&[1, 2, 3, 4]);
        items.remove_first(3);
        assert_eq!(values(&items), [4]);
        items.remove_first(9);
        assert!(items.is_empty());
    }

    #[test]
    fn append_moves_all_and_growth_keeps_all() {
        let mut items = list(&[1, 2]);
        items.append(list(&[3, 4, 5]));
        assert_eq!(values(&items), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn secrets_are_made_of_and_turned_into_their_text() {
        let text = SecretString::from(String::from("text"));
        assert!(text == *"text" && text == text.clone() && text != *"texts");
        assert_eq!(text.into_string(), "text");
        let bytes = SecretBytes::from(Vec::from(b"bytes"));
        assert!(bytes == *b"bytes" && bytes != *b"byte");
        assert_eq!(AsRef::<[u8]>::as_ref(&bytes), b"bytes");
        assert_eq!(bytes.into_vec(), b"bytes");
    }

    /// S-25: nothing is left where an absent number stands.
    #[test]
    fn an_absent_number_is_zero() {
        for number in [0, 1, u64::MAX] {
            assert_eq!(OptionalNumber::from(Some(number)).get(), Some(number));
        }
        let absent = OptionalNumber::from(None);
        assert_eq!((absent.get(), absent.number), (None, 0));
    }

    #[test]
    fn nothing_moves_while_there_is_room() {
        let mut items = list(&[]);
        items.reserve(3);
        let block = items.0.as_ptr();
        for item in 1..=3 {
            items.push(Secret::new([item]));
            assert_eq!(items.0.as_ptr(), block);
        }
    }
}
