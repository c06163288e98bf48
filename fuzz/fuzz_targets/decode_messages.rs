//! S-02, S-07: gives any bytes to every decoder of messages, and compares with the textbook
//! decoder.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moceril_fuzz::decoding;

fuzz_target!(|data: &[u8]| {
    decoding::message(data);
    decoding::pre_key_message(data);
    decoding::group_message(data);
});
