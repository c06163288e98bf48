//! The check code of a channel.

use moceril::ecies as core;

/// Two digits that a user carries from one device to the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckCode(core::CheckCode);

/// Whether the first digit may be zero.
pub enum DigitMode {
    /// From 0 to 99.
    AllowLeadingZero,
    /// From 10 to 99.
    NoLeadingZero,
}

impl CheckCode {
    /// The two bytes that the digits come from.
    pub const fn as_bytes(&self) -> &[u8; 2] {
        self.0.as_bytes()
    }

    /// The two digits as a number.
    pub const fn to_digit(&self, mode: DigitMode) -> u8 {
        self.0.to_digit(match mode {
            DigitMode::AllowLeadingZero => core::DigitMode::AllowLeadingZero,
            DigitMode::NoLeadingZero => core::DigitMode::NoLeadingZero,
        })
    }

    pub(crate) const fn from_inner(inner: core::CheckCode) -> Self {
        Self(inner)
    }
}
