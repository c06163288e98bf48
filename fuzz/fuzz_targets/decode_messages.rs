//! S-02, S-07: any bytes to every decoder of messages, which agrees with the textbook's.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moceril_fuzz::decoding;

fuzz_target!(|data: &[u8]| {
    decoding::message(data);
    decoding::pre_key_message(data);
    decoding::group_message(data);
});
