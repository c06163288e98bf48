//! S-39, S-04: any group conversation goes as the textbook says.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| moceril_fuzz::group_conversation::run(data));
