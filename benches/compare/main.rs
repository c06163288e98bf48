//! Compares moceril, the real vodozemac, the real libolm and the lower bound, interleaved in one
//! process. See `benches/README.md`.

#![deny(unsafe_code)]

mod contender;
mod ends;
mod measure;
mod memory;
mod operations;
mod options;
mod report;
mod workloads;

use std::{path::Path, time::Duration};

use benches::{
    lower_bound,
    side_by_side::{self, Effort},
};
use measure::{Row, measure};
use options::Options;
use report::{Report, machine};
use workloads::{FULL, QUICK};

/// Each run is long and has many parts.
const WORKLOADS: Effort = Effort {
    passes: 1,
    rounds: 7,
    budget: Duration::from_secs(60),
    sample: Duration::ZERO,
    warm_up: Duration::ZERO,
};

fn main() {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("{problem}\n{}", options::USAGE);
            std::process::exit(2);
        }
    };
    if options.help {
        println!("{}", options::USAGE);
        return;
    }
    let report = run(&options);
    println!("{}", report.to_markdown());
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let folder = options.folder.clone().or(options.is_whole().then_some(results));
    if let Some(folder) = folder {
        report.write_to(&folder).expect("the results can be written");
        eprintln!("written to {}", folder.display());
    }
}

fn run(options: &Options) -> Report {
    // First, before this process itself is what the machine has to do.
    let machine = machine::description(options.date.clone(), &machine::command(&options.arguments));
    let (scale, each, all) = if options.quick {
        (QUICK, Effort::QUICK, Effort::QUICK)
    } else {
        (FULL, Effort::WHOLE, WORKLOADS)
    };
    let chosen = |section: &str, rows: Vec<Row>| -> Vec<Row> {
        rows.into_iter().filter(|row| options.chooses(section, &row.name)).collect()
    };
    let operations = chosen("operations", operations::rows());
    let workloads = chosen("workloads", workloads::rows(scale));
    let allocating = chosen("memory", operations::rows());
    let live = options.chooses("memory", "live objects");
    let sizes = options.chooses("sizes", "");
    Report {
        machine,
        live: if live { memory::live(scale.keys) } else { Vec::new() },
        allocations: memory::operations(&allocating),
        sizes: if sizes { operations::pickles::sizes() } else { Vec::new() },
        operations: measure(&operations, each),
        workloads: measure(&workloads, all),
    }
}
