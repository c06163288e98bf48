//! Secure channels between two devices that see each other's QR code: ECIES (MSC4108) and HPKE
//! (MSC4388).

pub(crate) mod check_code;
pub mod ecies;
#[cfg(feature = "hpke")]
pub mod hpke;
