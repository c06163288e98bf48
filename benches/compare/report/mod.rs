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
# moceril compared with vodozemac and libolm

Written by `cargo bench --bench compare --features peers`; [README.md](../README.md) says what each
row means and how it is measured. All libraries ran interleaved in one process. The times are those
of this machine; the ratios are comparable.
";

const OPERATIONS: &str = "\
## Operations

Times are medians in microseconds. The ratios are medians of the rounds' ratios. Where a ratio of
another library's time and ours is above 1, moceril is faster. The lower bound is the time of the
primitives that an operation cannot avoid;
[README.md](../README.md#what-remains-above-the-lower-bound) says what takes the rest.
";

const SPREAD: &str = "\
### Spread

The quartiles are in parentheses: half of the rounds are between them.
";

const WORKLOADS: &str = "\
## Workloads

Milliseconds for the whole workload, with quartiles. Where a ratio is above 1, moceril is faster.
";

const LIVE: &str = "\
## Memory

### Live objects

Bytes that an object takes, including its heap blocks, and the number of these blocks. Where the
ratio is above 1, moceril takes less.
";

const ALLOCATIONS: &str = "\
### Allocations of an operation

The largest number of heap bytes that were in use at one time because of the operation, including
its result, and how often a block was allocated or moved. Rows with *each* are one run for all
items. libolm's wrapper does not use the allocator that counts, so it has no column.
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
        let (faster, smaller) = ("moceril is faster", "moceril takes less");
        let charts = [
            ("operations.svg", "Time of an operation", faster, times(&self.operations)),
            ("workloads.svg", "Time of a workload", faster, times(&self.workloads)),
            ("memory.svg", "Memory of a live object", smaller, live),
        ];
        for (file, title, meaning, bars) in charts {
            let bars: Vec<Bars> = bars;
            if !bars.is_empty() {
                let chart = Chart { title, subtitle: &self.subtitle(meaning), bars };
                fs::write(folder.join(file), chart.to_svg())?;
            }
        }
        Ok(())
    }

    /// `meaning` says what a longer bar means.
    fn subtitle(&self, meaning: &str) -> String {
        let of =
            |name| self.machine.iter().find(|(what, _)| *what == name).map(|(_, value)| &**value);
        let (processor, date) = (of("processor").unwrap_or(""), of("date").unwrap_or(""));
        format!("relative to moceril; above 1, {meaning} · {processor} · {date}")
    }
}

fn bars_of_times(outcome: &Outcome) -> Bars {
    let ratio = |who| outcome.ratio(who, Who::Ours).map(|ratio| ratio.median);
    Bars {
        label: outcome.name.clone(),
        vodozemac: ratio(Who::Vodozemac),
        libolm: ratio(Who::Libolm),
    }
}

fn bars_of_memory(live: &Live) -> Bars {
    let ratio = |bytes: i64| Some(bytes as f64 / live.ours.bytes as f64);
    Bars {
        label: live.object.clone(),
        vodozemac: ratio(live.vodozemac.bytes),
        libolm: ratio(live.libolm.bytes),
    }
}
