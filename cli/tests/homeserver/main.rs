//! `moceril backup` with a server.
#![cfg(feature = "homeserver")]

mod restore;
mod server;
mod upload;
