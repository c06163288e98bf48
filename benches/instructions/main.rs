//! Runs one operation of the library a given number of times; `run` counts its instructions under
//! callgrind.
//!
//! Counts are the same in every run, because all randomness comes from seeds. The count of ten runs
//! is the difference between twenty runs and ten, because everything else is the same in both: the
//! program always makes the inputs of twenty runs.

#![forbid(unsafe_code)]

mod operations;
mod seeded;

use operations::OPERATIONS;

/// For so many runs there are inputs.
const MOST_RUNS: usize = 20;

const USAGE: &str =
    "usage: instructions list | instructions features | instructions OPERATION RUNS";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["list"] => OPERATIONS.iter().for_each(|(name, _)| println!("{name}")),
        ["features"] => println!("{}", features()),
        [name, runs] => {
            let operation = OPERATIONS.iter().find(|(known, _)| *known == name);
            let runs = runs.parse().ok().filter(|runs| *runs <= MOST_RUNS);
            match (operation, runs) {
                (Some((_, run)), Some(runs)) => run(runs),
                _ => stop(),
            }
        }
        _ => stop(),
    }
}

fn stop() -> ! {
    eprintln!("{USAGE}, of which there are at most {MOST_RUNS}");
    std::process::exit(2)
}

/// What the primitives choose their code by. Valgrind shows them a processor of its own.
fn features() -> String {
    let mut features = vec![std::env::consts::ARCH];
    #[cfg(target_arch = "x86_64")]
    {
        let sets = [
            ("aes", is_x86_feature_detected!("aes")),
            ("sha", is_x86_feature_detected!("sha")),
            ("avx2", is_x86_feature_detected!("avx2")),
            ("avx512ifma", is_x86_feature_detected!("avx512ifma")),
        ];
        features.extend(sets.iter().filter(|(_, there)| *there).map(|(name, _)| name));
    }
    features.join(" ")
}
