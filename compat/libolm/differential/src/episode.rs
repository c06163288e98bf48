//! One run from nothing: a seed determines every call.

use crate::{
    functions::Kind,
    object::{Id, Libraries},
    tally::Tally,
    world::{Step, Stop, World},
};

/// Calls of one episode, unless told otherwise.
pub const STEPS: u64 = 5_000;

/// How many objects of each kind are alive at once.
const POPULATION: [(Kind, usize); 9] = [
    (Kind::Account, 4),
    (Kind::Session, 6),
    (Kind::Outbound, 3),
    (Kind::Inbound, 5),
    (Kind::Utility, 1),
    (Kind::PkEncryption, 2),
    (Kind::PkDecryption, 3),
    (Kind::PkSigning, 2),
    (Kind::Sas, 2),
];

/// Runs an episode; the error is the report of a difference.
pub fn run(
    libraries: &Libraries,
    tally: &mut Tally,
    seed_and_steps: (u64, u64),
    trace: bool,
) -> Result<(), String> {
    let mut world = World::new(libraries, tally, seed_and_steps, trace);
    let stop = match world.begin() {
        Ok(()) => loop {
            if let Err(stop) = world.go_on() {
                break stop;
            }
        },
        Err(stop) => stop,
    };
    match stop {
        Stop::Finished => Ok(()),
        Stop::Difference(report) => Err(report),
    }
}

impl World<'_> {
    fn begin(&mut self) -> Step {
        for (kind, number) in POPULATION {
            for _ in 0..number {
                self.new_object(kind)?;
            }
        }
        // Something happens to objects that are still blank.
        for _ in 0..self.rng.below(60) {
            self.on_anything()?;
        }
        for id in (0..self.objects.len()).map(Id) {
            self.revive(id)?;
        }
        Ok(())
    }

    fn go_on(&mut self) -> Step {
        match self.rng.below(100) {
            0..=6 => self.on_account(),
            7..=46 => self.on_session(),
            47..=53 => self.on_outbound_group_session(),
            54..=67 => self.on_inbound_group_session(),
            68..=75 => self.on_pk(),
            76..=79 => self.on_utility(),
            80..=83 => self.on_sas(),
            84..=90 => self.on_pickles(),
            91 => self.on_hostile(),
            _ => self.on_anything(),
        }
    }
}
