//! S-39, S-04, S-22: in any conversation over any network, the library does what the textbook
//! implementation does.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| moceril_testing::conversation::run(data));
