//! Where the result of a comparison of secrets becomes a branch (S-26).

use subtle::Choice;

/// Returns `accepted()` if the compared bytes were equal, else `refusal`.
///
/// Whether a MAC was right is public: the caller acts on it. `assurance/constant-time` excepts the
/// branch of this function and none of its callers' branches, so that a comparison that stops at
/// the first different byte is reported there. For the same reason it must not be inlined.
#[inline(never)]
pub(crate) fn if_equal<T, E>(
    equal: Choice,
    refusal: E,
    accepted: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    if bool::from(equal) { accepted() } else { Err(refusal) }
}
