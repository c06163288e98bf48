//! S-02, S-23: any state within an authentic native pickle. The first byte chooses the object.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moceril::{
    megolm::{GroupSession, InboundGroupSession, ReplayGuard},
    olm::{Account, Session},
};
use moceril_fuzz::unpickling::native;

fuzz_target!(|data: &[u8]| {
    if let Some((kind, state)) = data.split_first() {
        match kind % 5 {
            0 => native::<Account>(state),
            1 => native::<Session>(state),
            2 => native::<GroupSession>(state),
            3 => native::<InboundGroupSession>(state),
            _ => native::<ReplayGuard>(state),
        }
    }
});
