//! S-06, S-07: any message or key, sealed or not, is accepted or refused as in libolm.
#![no_main]

use interop::{Library, MessageVersion::V3};
use libfuzzer_sys::fuzz_target;
use moceril_fuzz::differential::{Header, Pair};

thread_local! {
    static PAIR: Pair = Pair::new(Library::Libolm, V3);
}

fuzz_target!(|data: &[u8]| {
    if let Some((header, rest)) = data.split_first() {
        PAIR.with(|pair| pair.offer(Header::from_byte(*header), rest));
    }
});
