//! Doors that need an expert behind them, open only with the feature `hazmat`.
//!
//! The feature adds
//! [`PreKeyBundle::from_unverified_keys`](crate::olm::PreKeyBundle::from_unverified_keys): a session
//! with keys whose signature nobody checked (S-17).
