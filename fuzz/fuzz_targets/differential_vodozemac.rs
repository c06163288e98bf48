//! S-06, S-07: any message or key of either version, sealed or not, is accepted or refused as in
//! vodozemac.
#![no_main]

use interop::{
    Library,
    MessageVersion::{V3, V4},
};
use libfuzzer_sys::fuzz_target;
use moceril_fuzz::differential::{Header, Pair};

thread_local! {
    static PAIRS: [Pair; 2] = [V3, V4].map(|version| Pair::new(Library::Vodozemac, version));
}

fuzz_target!(|data: &[u8]| {
    if let Some((header, rest)) = data.split_first() {
        let header = Header::from_byte(*header);
        PAIRS.with(|pairs| pairs[usize::from(header.version_4)].offer(header, rest));
    }
});
