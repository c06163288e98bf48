//! The version of the messages of an Olm session.

crate::session_config::session_config!("Olm");
