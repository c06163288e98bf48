//! Reads a state and prints the next one.

use std::{
    error::Error,
    io::{Read, stdin},
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut state = String::new();
    stdin().read_to_string(&mut state)?;
    print!("{}", platform_ends::next(&state)?);
    Ok(())
}
