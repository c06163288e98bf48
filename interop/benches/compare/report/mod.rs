//! The results as Markdown with charts.

mod chart;
pub mod machine;
mod markdown;

use std::{fs, io, path::Path};

use self::chart::{Bars, Chart};
use crate::{
    contender::Who,
    measure::Outcome,
    memory::{Live, Operation},
    operations::pickles::Size,
};

/// Everything that was measured. What was not asked for is empty.
pub struct Report {
    pub machine: Vec<(&'static str, String)>,
    pub operations: Vec<Outcome>,
    pub sizes: Vec<Size>,
    pub workloads: Vec<Outcome>,
    pub live: Vec<Live>,
    pub allocations: Vec<Operation>,
}

const INTRODUCTION: &str = "\
# moceril beside vodozemac and libolm

Written by `cargo bench -p interop`; [README.md](../README.md) says what each row means and how it is measured.
All ran interleaved in one process. Times do not travel to other machines; the ratios do.
";

const OPERATIONS: &str = "\
## Operations

Medians in microseconds. The ratios are medians of the rounds' ratios. *Reached* names the goals that are missed, of
three: vodozemac's time / ours as in the table, libolm's / ours at least 3, ours / floor at most 1.10.
";

const SPREAD: &str = "\
### Spread

In parentheses the quartiles: half of the rounds lie between them.
";

const WORKLOADS: &str = "\
## Workloads

Milliseconds for all of it, with quartiles.
";

const LIVE: &str = "\
## Memory

### Live objects

Bytes that an object asked for, itself included, and the number of heap blocks they are in.
";

const ALLOCATIONS: &str = "\
### Allocations of an operation

The most bytes of the heap that were in use at one time because of it, its result included, and how often a block was
allocated or moved. Rows with *each* are one run of all. libolm's wrapper takes its blocks past the allocator that
counts.
";

impl Report {
    pub fn to_markdown(&self) -> String {
        let machine = self.machine.iter().map(|(what, value)| vec![(*what).into(), value.clone()]);
        let mut text = INTRODUCTION.to_owned() + "\n" + &markdown::table(&["", ""], machine);
        let mut section = |is_there: bool, introduction: &str, content: &dyn Fn() -> String| {
            if is_there {
                text += &format!("\n{introduction}\n{}", content());
            }
        };
        section(!self.operations.is_empty(), OPERATIONS, &|| {
            markdown::operations(&self.operations) + "\n![The ratios as bars](operations.svg)\n"
        });
        section(!self.operations.is_empty(), SPREAD, &|| markdown::spread(&self.operations));
        section(!self.sizes.is_empty(), "## Sizes of pickles, in characters\n", &|| {
            markdown::sizes(&self.sizes)
        });
        section(!self.workloads.is_empty(), WORKLOADS, &|| {
            markdown::workloads(&self.workloads) + "\n![The ratios as bars](workloads.svg)\n"
        });
        section(!self.live.is_empty(), LIVE, &|| {
            markdown::live(&self.live) + "\n![The ratios as bars](memory.svg)\n"
        });
        section(!self.allocations.is_empty(), ALLOCATIONS, &|| {
            markdown::allocations(&self.allocations)
        });
        text
    }

    /// Writes `comparison.md` and the charts of what there is.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("comparison.md"), self.to_markdown())?;
        let times = |outcomes: &[Outcome]| outcomes.iter().map(bars_of_times).collect();
        let live = self.live.iter().map(bars_of_memory).collect();
        let charts = [
            ("operations.svg", "Time of an operation", times(&self.operations)),
            ("workloads.svg", "Time of a workload", times(&self.workloads)),
            ("memory.svg", "Memory of a live object", live),
        ];
        for (file, title, bars) in charts {
            let bars: Vec<Bars> = bars;
            if !bars.is_empty() {
                let chart = Chart { title, subtitle: &self.subtitle(), bars };
                fs::write(folder.join(file), chart.to_svg())?;
            }
        }
        Ok(())
    }

    fn subtitle(&self) -> String {
        let of =
            |name| self.machine.iter().find(|(what, _)| *what == name).map(|(_, value)| &**value);
        let (processor, date) = (of("processor").unwrap_or(""), of("date").unwrap_or(""));
        format!("the others, where moceril is 1 · {processor} · {date}")
    }
}

fn bars_of_times(outcome: &Outcome) -> Bars {
    let ratio = |who| outcome.ratio(who, Who::Ours).map(|ratio| ratio.median);
    Bars {
        label: outcome.name.clone(),
        vodozemac: ratio(Who::Vodozemac),
        libolm: ratio(Who::Libolm),
        target: outcome.target,
    }
}

fn bars_of_memory(live: &Live) -> Bars {
    let ratio = |bytes: i64| Some(bytes as f64 / live.ours.bytes as f64);
    Bars {
        label: live.object.clone(),
        vodozemac: ratio(live.vodozemac.bytes),
        libolm: ratio(live.libolm.bytes),
        target: None,
    }
}
