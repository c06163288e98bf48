//! What was called how often, with which results.

use std::collections::BTreeMap;

use crate::functions::{Functions, Returns};

#[derive(Default)]
pub struct Tally {
    /// How often something happened: the parts of its name are `what`, `function` and, for errors,
    /// which.
    counts: BTreeMap<(String, String, String), u64>,
}

impl Tally {
    pub fn count(&mut self, what: &str, function: &str, detail: &str) {
        self.add(what, function, detail, 1);
    }

    fn add(&mut self, what: &str, function: &str, detail: &str, times: u64) {
        *self.counts.entry((what.into(), function.into(), detail.into())).or_default() += times;
    }

    fn get(&self, what: &str, function: &str, detail: &str) -> u64 {
        let key = (what.into(), function.into(), detail.into());
        self.counts.get(&key).copied().unwrap_or_default()
    }

    fn sum(&self, what: &str, function: &str) -> u64 {
        self.of(what).filter(|(name, ..)| *name == function).map(|(.., times)| times).sum()
    }

    fn of<'a>(&'a self, what: &'a str) -> impl Iterator<Item = (&'a str, &'a str, u64)> {
        let counts = self.counts.iter().filter(move |((of, ..), _)| of == what);
        counts.map(|((_, function, detail), times)| (&**function, &**detail, *times))
    }

    pub fn calls(&self) -> u64 {
        self.of("call").map(|(.., times)| times).sum()
    }

    /// One line for each count, for another process to read.
    pub fn write(&self) {
        for ((what, function, detail), times) in &self.counts {
            println!("count {times} {what} {function} {detail}");
        }
    }

    pub fn read(&mut self, line: &str) -> Option<()> {
        let mut words = line.strip_prefix("count ")?.splitn(4, ' ');
        let times = words.next()?.parse().ok()?;
        self.add(words.next()?, words.next()?, words.next()?, times);
        Some(())
    }

    /// Prints the tables, and returns what should have happened and did not.
    pub fn report(&self, functions: &Functions) -> Vec<String> {
        println!("{:>9} {:>9} {:>9} {:>8}  function: errors", "calls", "done", "failed", "differ");
        let mut missing = Vec::new();
        for function in functions.iter() {
            let name = &*function.name;
            let calls = self.sum("call", name);
            let errors: Vec<_> = self.of("error").filter(|(of, ..)| *of == name).collect();
            let failed: u64 = self.sum("error", name);
            let differ = self.sum("allowed", name);
            let done = calls - failed;
            let list = errors.iter().map(|(_, error, times)| format!("{error} {times}"));
            let list = list.collect::<Vec<_>>().join(", ");
            println!("{calls:>9} {done:>9} {failed:>9} {differ:>8}  {name}: {list}");
            if done == 0 {
                missing.push(format!("{name} never succeeded"));
            }
            if function.returns == Returns::Result && failed == 0 {
                missing.push(format!("{name} never failed"));
            }
            let unseen = function.errors.iter().filter(|error| self.get("error", name, error) == 0);
            missing.extend(unseen.map(|error| format!("{name} never reported {error}")));
        }
        for what in ["allowed", "excluded", "situation"] {
            println!("\n{what}:");
            let mut sums = BTreeMap::<_, u64>::new();
            for (_, detail, times) in self.of(what) {
                *sums.entry(detail).or_default() += times;
            }
            for (detail, times) in sums {
                println!("{times:>9}  {detail}");
            }
        }
        missing
    }
}
