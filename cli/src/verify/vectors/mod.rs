//! The test vectors of this repository, recomputed. Their form is described in
//! `test-vectors/README.md`.

mod kinds;
mod reader;

use std::{collections::BTreeMap, fs, path::Path};

use self::reader::Vector;
use crate::{
    failure::{Failure, Result},
    input::Input,
    report::Report,
};

/// How the text of a vector begins.
const BEGINNING: &str = "kind: ";
/// How many wrong vectors are named.
const NAMED: usize = 100;

/// Whether the input is a vector, or a folder of them.
pub fn are_in(input: &Input) -> bool {
    match input {
        Input::Stdin => false,
        Input::File(path) => {
            path.is_dir()
                || fs::read_to_string(path)
                    .is_ok_and(|text| text.lines().any(|line| line.starts_with(BEGINNING)))
        }
    }
}

/// What was found of the vectors of a kind.
#[derive(Default)]
struct Found {
    good: u64,
    not_recomputed: u64,
}

/// Recomputes a vector, or all vectors of a folder and of the folders in it.
pub fn run(input: &Input, json: bool) -> Result<()> {
    let Input::File(path) = input else { return Err(Failure::input("expected a file or folder")) };
    let mut files = Vec::new();
    collect(path, &mut files)?;
    if files.is_empty() {
        return Err(Failure::input("the folder has no test vectors, which are files *.txt")
            .at(path.display()));
    }
    let (mut found, mut wrong) = (BTreeMap::<String, Found>::new(), Vec::new());
    for file in &files {
        let text = Input::File(file.clone()).text()?;
        let checked = Vector::parse(&text).and_then(|vector| {
            let of_kind = found.entry(vector.kind.to_owned()).or_default();
            match kinds::check(&vector)? {
                true => of_kind.good += 1,
                false => of_kind.not_recomputed += 1,
            }
            Ok(())
        });
        if let Err(why) = checked {
            wrong.push(format!("{}: {why}", file.display()));
        }
    }
    let good: u64 = found.values().map(|found| found.good).sum();
    let others = found.iter().filter(|(_, found)| found.not_recomputed > 0);
    let others: Vec<_> =
        others.map(|(kind, found)| format!("{} of {kind}", found.not_recomputed)).collect();
    let count = wrong.len();
    let report = Report::new("test vectors").with("files", files.len()).with("good", good);
    let report = report.with("wrong", count).with("not recomputed", others);
    wrong.into_iter().take(NAMED).fold(report, Report::problem).print(json)?;
    if count > 0 {
        return Err(Failure::finding(format_args!("{count} of {} vectors are wrong", files.len())));
    }
    Ok(())
}

/// The files of vectors in a folder, in the order of their names.
fn collect(path: &Path, files: &mut Vec<std::path::PathBuf>) -> Result<()> {
    let failed = |error: std::io::Error| Failure::file(error).at(path.display());
    if !path.is_dir() {
        files.push(path.into());
        return Ok(());
    }
    let entries = fs::read_dir(path).map_err(failed)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
    paths.sort();
    for path in paths {
        if path.is_dir() || path.extension().is_some_and(|extension| extension == "txt") {
            collect(&path, files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn folder() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-vectors")
    }

    /// Every changed value must be noticed: a check that examines nothing would accept all vectors.
    /// Only the first file of each kind is changed.
    #[test]
    fn all_vectors_are_good_and_a_changed_one_is_not() {
        let (mut files, mut kinds, mut good) = (Vec::new(), BTreeSet::new(), 0);
        collect(&folder(), &mut files).unwrap();
        for file in &files {
            let text = fs::read_to_string(file).unwrap();
            let vector = Vector::parse(&text).unwrap();
            let checked = kinds::check(&vector);
            let is_good = checked.unwrap_or_else(|why| panic!("{}: {why}", file.display()));
            if !is_good {
                continue;
            }
            good += 1;
            if vector.expect.is_some() || !kinds.insert(vector.kind.to_owned()) {
                continue;
            }
            for (number, line) in text.lines().enumerate() {
                let Some(changed) = changed(line) else { continue };
                let text: Vec<_> = text.lines().collect();
                let text = [&text[..number], &[&changed], &text[number + 1..]].concat().join("\n");
                let checked = Vector::parse(&text).and_then(|vector| kinds::check(&vector));
                assert_ne!(checked, Ok(true), "{}: {changed}", file.display());
            }
        }
        assert!(good >= 1_350 && kinds.len() >= 20, "{good} {kinds:?}");
    }

    /// Values that are not looked at, because the command does not write pickles as the files have
    /// them; and what is no value.
    const NOT_CHANGED: [&str; 8] =
        ["command", "expect", "json", "kind", "nonce", "release", "source", "state"];

    /// The line with another value, if it has one whose every digit counts.
    fn changed(line: &str) -> Option<String> {
        let (key, value) = line.split_once(": ")?;
        if NOT_CHANGED.contains(&key) {
            return None;
        }
        let last = value.chars().last()?;
        // The last letter of base64 can have bits that do not count.
        let other = if last == '0' { '1' } else { '0' };
        let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
        let is_hex = value.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_number || is_hex).then(|| format!("{key}: {}{other}", &value[..value.len() - 1]))
    }
}
