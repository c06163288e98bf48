//! S-02, S-24: any JSON, also encrypted as vodozemac's pickle. The first byte chooses the object.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moceril::{
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Session},
};
use moceril_fuzz::unpickling::vodozemac;

fuzz_target!(|data: &[u8]| {
    if let Some((kind, json)) = data.split_first()
        && let Ok(json) = str::from_utf8(json)
    {
        match kind % 4 {
            0 => vodozemac::<Account>(json),
            1 => vodozemac::<Session>(json),
            2 => vodozemac::<GroupSession>(json),
            _ => vodozemac::<InboundGroupSession>(json),
        }
    }
});
