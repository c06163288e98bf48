//! S-43, S-21, S-20, S-19: whatever is done to copies of one session, they and their replay guards
//! know what a naive oracle knows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use moceril_testing::merging::{Room, STARTS, run};

thread_local! {
    static ROOMS: [Room; 2] = STARTS.map(Room::new);
}

fuzz_target!(|data: &[u8]| ROOMS.with(|rooms| run(rooms, data)));
