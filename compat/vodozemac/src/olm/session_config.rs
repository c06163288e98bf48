crate::session_config::session_config!("Olm");
