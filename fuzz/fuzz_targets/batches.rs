//! S-15: any messages decrypted together give what they give one by one, and the same session.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moceril_testing::{
    batches::{Room, run},
    fixtures::VERSIONS,
};

thread_local! {
    static ROOMS: [Room; 2] = VERSIONS.map(|version| Room::new(version, 40));
}

fuzz_target!(|data: &[u8]| ROOMS.with(|rooms| run(rooms, data)));
