//! S-39, S-04: in any group conversation, the library does what the textbook implementation does.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| moceril_testing::group_conversation::run(data));
