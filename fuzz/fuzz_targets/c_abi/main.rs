//! S-40, S-04: makes any sequence of calls of the C interface, with objects and buffers that C
//! allows and some that it does not. AddressSanitizer must report nothing, and every call must do
//! what `world.rs` requires. The first byte chooses how much of the scenario runs before.
#![no_main]

mod memory;
mod symbols;
mod world;

use c_calls::{calls::Call, scenario::scenario};
use libfuzzer_sys::fuzz_target;
use world::{Table, World};

const MOST_CALLS: usize = 16;

thread_local! {
    static STAGE: Stage = Stage::new();
}

struct Stage {
    table: Table,
    /// After none, one, two, ... calls of the scenario.
    worlds: Vec<World>,
}

impl Stage {
    fn new() -> Self {
        let table = Table::new(symbols::SYMBOLS);
        let mut world = World::new(&table);
        let mut worlds = vec![world.clone()];
        for call in scenario(&table.functions) {
            let succeeded = world.call(&table, &call);
            assert!(succeeded, "{} {call:?}", table.functions[call.function].name);
            worlds.push(world.clone());
        }
        worlds.iter_mut().for_each(World::keep_shelf);
        Self { table, worlds }
    }
}

fuzz_target!(|data: &[u8]| {
    STAGE.with(|Stage { table, worlds }| {
        let Some((first, mut rest)) = data.split_first() else { return };
        let mut world = worlds[usize::from(*first) % worlds.len()].clone();
        for _ in 0..MOST_CALLS {
            let Some(call) = Call::decode(&table.functions, &mut rest) else { break };
            world.call(table, &call);
        }
    });
});
