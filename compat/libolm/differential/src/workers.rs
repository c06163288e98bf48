//! The calls are shared among processes: a library that crashes takes only its own process with it,
//! and we know which episode that was.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use crate::{endings, episode, functions::Functions, libraries, number, tally::Tally};

const CALLS: u64 = 1_000_000;
const WORKERS: u64 = 2;
/// Fewer calls than these cannot be expected to show every error of every function.
const CALLS_FOR_COVERAGE: u64 = 500_000;

/// Starts the workers, and adds up what they did.
pub fn all() -> Result<(), String> {
    let (calls, workers) = (number("CALLS").unwrap_or(CALLS), number("WORKERS").unwrap_or(WORKERS));
    let first = number("FIRST_SEED").unwrap_or(1);
    let mut children = vec![start("endings", "")?];
    for place in 0..workers {
        let task = format!("{} {workers} {}", first + place, calls / workers);
        children.push(start("worker", &task)?);
    }
    let mut tally = Tally::default();
    let mut failures = Vec::new();
    for child in children {
        if let Err(failure) = finish(child, &mut tally) {
            failures.push(failure);
        }
    }
    let missing = tally.report(&Functions::table());
    println!("\n{} calls", tally.calls());
    if tally.calls() >= CALLS_FOR_COVERAGE {
        failures.extend(missing);
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

fn start(command: &str, task: &str) -> Result<Child, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    Command::new(program)
        .arg(command)
        .env("WORKER", task)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())
}

fn finish(mut child: Child, tally: &mut Tally) -> Result<(), String> {
    let mut again = String::new();
    for line in BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok) {
        match line.strip_prefix("again ") {
            Some(how) => again = how.into(),
            None => drop(tally.read(&line)),
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    match status.code() {
        Some(0) => Ok(()),
        Some(_) => Err("a worker found a difference: see above".into()),
        None => Err(format!("CRASH ({status}); again with: {again}")),
    }
}

/// Every text with every ending.
pub fn endings() -> Result<(), String> {
    println!("again the argument `endings`");
    let mut tally = Tally::default();
    endings::run(&libraries()?, &mut tally)?;
    tally.write();
    Ok(())
}

/// A worker: runs episodes, whose seeds are `stride` apart, until enough calls are made.
pub fn one() -> Result<(), String> {
    let task = env::var("WORKER").map_err(|error| error.to_string())?;
    let numbers: Vec<u64> = task.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [mut seed, stride, calls] = *numbers else { return Err(format!("no task: {task}")) };
    let libraries = libraries()?;
    let mut tally = Tally::default();
    let mut made = 0;
    let mut failures = Vec::new();
    while made < calls {
        println!("again SEED={seed} TRACE=1");
        if let Err(report) = episode::run(&libraries, &mut tally, (seed, episode::STEPS), false) {
            failures.push(report);
        }
        if failures.len() == number("FAILURES").map_or(5, |most| most as usize) {
            break;
        }
        made += episode::STEPS;
        seed += stride;
    }
    tally.write();
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}
