//! An account, an Olm session, a pickle and a group session without `std`, on a processor without
//! an operating system.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod board;
#[cfg(target_os = "none")]
mod conversation;

// So that the workspace also builds for the other platforms.
#[cfg(not(target_os = "none"))]
fn main() {}
