//! What to measure, and where to write it.

use std::path::PathBuf;

pub const USAGE: &str = "\
usage: cargo bench --bench compare --features peers -- [--quick] [--out FOLDER] [--date DATE] [WORD ...]

--quick        few rounds and small workloads: shows that it works; ignore the numbers
--out FOLDER   writes comparison.md and the charts there; relative to benches/, where cargo starts it
--date DATE    the date to print instead of today's
WORD           only rows with one of these words in `section: row`; the sections are operations,
               workloads, memory and sizes

A whole run without --quick writes into benches/results; any other run writes only to the --out folder.";

#[derive(Default)]
pub struct Options {
    pub help: bool,
    pub quick: bool,
    pub folder: Option<PathBuf>,
    pub date: Option<String>,
    words: Vec<String>,
    /// The arguments as they were given.
    pub arguments: Vec<String>,
}

impl Options {
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        // Cargo adds this one by itself.
        let arguments: Vec<_> = arguments.filter(|argument| argument != "--bench").collect();
        let mut options = Self { arguments: arguments.clone(), ..Self::default() };
        let mut left = arguments.into_iter();
        while let Some(argument) = left.next() {
            let mut value = || left.next().ok_or(format!("{argument} needs a value"));
            match &*argument {
                "--help" => options.help = true,
                "--quick" => options.quick = true,
                "--out" => options.folder = Some(value()?.into()),
                "--date" => options.date = Some(value()?),
                flag if flag.starts_with('-') => return Err(format!("unknown option {flag}")),
                word => options.words.push(word.into()),
            }
        }
        Ok(options)
    }

    pub fn is_whole(&self) -> bool {
        !self.quick && self.words.is_empty()
    }

    pub fn chooses(&self, section: &str, row: &str) -> bool {
        let name = format!("{section}: {row}");
        self.words.is_empty() || self.words.iter().any(|word| name.contains(&**word))
    }
}
