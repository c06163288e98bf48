//! S-39, S-04, S-22: any conversation, over any network, goes as the textbook says.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| moceril_fuzz::conversation::run(data));
