//! The version of the messages of a Megolm session.

crate::session_config::session_config!("Megolm");
