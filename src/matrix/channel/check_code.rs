//! The two digits that a user carries from one device to the other (S-33).

use core::fmt;

/// A code that both ends of a channel compute, and that a user compares or types.
///
/// The code alone does not authenticate the channel. When the first answer decrypts, the device
/// that began the channel knows that no attacker is in the middle. Show the code only then, so that
/// the user cannot confirm the channel on the other device before that. About one guess of two
/// digits in a hundred is right, so allow few attempts.
///
/// The two bytes are uniform. The proposals compute the digits from them as remainders, so some
/// digits are slightly more frequent than others; see [`DigitMode`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CheckCode([u8; 2]);

/// How a [`CheckCode`] becomes digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigitMode {
    /// 0 to 99, shown with a leading zero (MSC4108, for ECIES channels).
    ///
    /// Each of the digits 0 to 5 has a probability of 26/256, and each of 6 to 9 one of 25/256.
    AllowLeadingZero,
    /// 10 to 99 (MSC4388, for HPKE channels).
    ///
    /// The first digit is each of 1 to 4 with a probability of 29/256, and each of 5 to 9 with
    /// 28/256. The second digit is distributed as in [`AllowLeadingZero`](Self::AllowLeadingZero).
    NoLeadingZero,
}

impl CheckCode {
    pub(crate) const fn new(bytes: [u8; 2]) -> Self {
        Self(bytes)
    }

    /// The two bytes from which the digits are computed.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 2] {
        &self.0
    }

    /// The code as a number of two digits. Show it with `{:02}`.
    #[must_use]
    pub const fn to_digit(&self, mode: DigitMode) -> u8 {
        let [first, second] = self.0;
        let first = match mode {
            DigitMode::AllowLeadingZero => first % 10,
            // The sum is at most 9, so it never saturates.
            DigitMode::NoLeadingZero => (first % 9).saturating_add(1),
        };
        // The result is at most 99, so it never saturates.
        first.saturating_mul(10).saturating_add(second % 10)
    }
}

/// S-29: a reader of logs must not learn the code that the user is asked for.
impl fmt::Debug for CheckCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckCode(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::{CheckCode, DigitMode};

    /// S-33: every code of two bytes has the digits that the proposals compute from it.
    #[test]
    fn digits_are_remainders() {
        for (first, second) in (0..=255).flat_map(|first| (0..=255).map(move |last| (first, last)))
        {
            let code = CheckCode::new([first, second]);
            assert_eq!(code.as_bytes(), &[first, second]);
            let (first, second) = (u32::from(first), u32::from(second));
            let digits = |mode| u32::from(code.to_digit(mode));
            assert_eq!(digits(DigitMode::AllowLeadingZero), first % 10 * 10 + second % 10);
            assert_eq!(digits(DigitMode::NoLeadingZero), (first % 9 + 1) * 10 + second % 10);
        }
    }
}
