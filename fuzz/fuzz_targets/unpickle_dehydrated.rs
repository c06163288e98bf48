//! S-02: any content of an authentic dehydrated device.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| moceril_fuzz::unpickling::dehydrated(data));
