crate::session_config::session_config!("Megolm");
