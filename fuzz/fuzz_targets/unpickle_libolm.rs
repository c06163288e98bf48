//! S-02, S-24: any content of an authentic libolm pickle. The first byte chooses the object.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moceril::{
    megolm::{GroupSession, InboundGroupSession},
    olm::{Account, Session},
};
use moceril_fuzz::unpickling::libolm;

fuzz_target!(|data: &[u8]| {
    if let Some((kind, content)) = data.split_first() {
        match kind % 4 {
            0 => libolm::<Account>(content),
            1 => libolm::<Session>(content),
            2 => libolm::<GroupSession>(content),
            _ => libolm::<InboundGroupSession>(content),
        }
    }
});
