//! Drives the real libolm and ours through the same random calls and compares everything that they
//! do: results, buffers and what lies beside them, errors, and the states of the objects.
//!
//! Before that, every text with every ending is given to both (`endings.rs`).
//!
//! `OLM_REAL` and `OLM_OURS` name the two libraries, `CALLS` how many calls to make. `run` sets
//! them. `SEED` and `STEPS` make one episode again, and with `TRACE=1` every call of it is printed
//! before it is made. With `BOTH_REAL` two builds of libolm can be compared: what only ours
//! survives is left out.

mod accounts;
mod allowed;
mod anything;
mod base64;
mod call;
mod endings;
mod episode;
mod excluded;
mod ffi;
mod groups;
mod keys;
mod material;
mod megolm;
mod mutate;
mod notes;
mod object;
mod oddities;
mod pickle;
mod pickling;
mod pk;
mod report;
mod rng;
mod seen;
mod sessions;
mod shelf;
mod tally;
mod wire;
mod workers;
mod world;

use std::{env, process::ExitCode};

use calling::functions;

use crate::{object::Libraries, tally::Tally};

fn main() -> ExitCode {
    let result = match env::args().nth(1).as_deref() {
        None if number("SEED").is_some() => one_episode(),
        None => workers::all(),
        Some("rules") => {
            allowed::print();
            Ok(())
        }
        Some("endings") => workers::endings(),
        Some("worker") => workers::one(),
        Some(other) => Err(format!("no such command: {other}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            eprintln!("{report}");
            ExitCode::FAILURE
        }
    }
}

fn one_episode() -> Result<(), String> {
    let mut tally = Tally::default();
    let seed_and_steps = (number("SEED").unwrap_or(0), number("STEPS").unwrap_or(episode::STEPS));
    let trace = env::var_os("TRACE").is_some();
    episode::run(&libraries()?, &mut tally, seed_and_steps, trace)?;
    println!("{} calls, no unexplained difference", tally.calls());
    Ok(())
}

fn libraries() -> Result<Libraries, String> {
    let path = |name| env::var(name).map_err(|_| format!("{name} is not set"));
    Libraries::open(&path("OLM_REAL")?, &path("OLM_OURS")?)
}

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}
