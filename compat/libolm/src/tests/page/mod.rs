//! The section "Where it differs" of `README.md` has a line for each difference that the
//! differential test accepts, and no other lines.

use std::collections::HashSet;

mod lists;

const PAGE: &str = include_str!("../../../README.md");
const ALLOWED: &str = include_str!("../../../differential/src/allowed.rs");
const EXCLUDED: &str = include_str!("../../../differential/src/excluded.rs");

/// The first cells of the tables' rows, and the bold texts that the entries of the list begin with.
fn lines() -> Vec<&'static str> {
    let (_, section) = PAGE.split_once("\n## Where it differs\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    // A cell that is empty belongs to the row above.
    let cells = cells.filter(|cell| !matches!(*cell, "" | "what is refused" | "what needs keys"));
    let bold = section.lines().filter_map(|line| line.strip_prefix("* **")?.split("**").next());
    cells.filter(|cell| !cell.starts_with('|')).chain(bold).collect()
}

/// What follows `before` in the lines that begin with it, up to `after`.
fn names(source: &'static str, before: &str, after: char) -> HashSet<&'static str> {
    let rest = source.lines().filter_map(|line| line.trim_start().strip_prefix(before));
    rest.filter_map(|rest| rest.split(after).next()).collect()
}

#[test]
fn every_accepted_difference_has_its_line() {
    let lines = lines();
    assert!(lines.len() > 30, "{lines:?}");
    let listed = |list: &[(&'static str, &[&str])]| {
        for (name, beginnings) in list {
            for beginning in *beginnings {
                let found = lines.iter().filter(|line| line.starts_with(beginning)).count();
                assert_eq!(found, 1, "{name}: lines that begin with {beginning:?}");
            }
        }
        list.iter().map(|(name, _)| *name).collect::<HashSet<_>>()
    };
    let rules = names(ALLOWED, "name: \"", '"');
    assert!(rules.len() > 25, "{rules:?}");
    assert_eq!(listed(lists::RULES), rules);
    let excluded = names(EXCLUDED, "const ", ':');
    assert!(excluded.len() > 4, "{excluded:?}");
    assert_eq!(listed(lists::EXCLUDED), excluded);
}

#[test]
fn every_line_is_an_accepted_difference() {
    let lists = lists::RULES.iter().chain(lists::EXCLUDED);
    let met = lists.flat_map(|(_, beginnings)| beginnings.iter().copied());
    let beginnings: HashSet<_> =
        met.chain(lists::NOT_MET.iter().map(|(beginning, _)| *beginning)).collect();
    for line in lines() {
        let of_line = beginnings.iter().filter(|beginning| line.starts_with(**beginning));
        assert_eq!(of_line.count(), 1, "beginnings of the line {line:?}");
    }
    assert!(lists::NOT_MET.iter().all(|(_, reason)| !reason.is_empty()));
}
