//! `docs/audit-pack.md` is true: its tables have every file of the library once, with about as many
//! lines as there are, and its entry points exist.

use std::{collections::BTreeMap, fs};

use moceril_testing::sources::{root, sources};

fn page() -> String {
    fs::read_to_string(root().join("docs/audit-pack.md")).unwrap()
}

/// The lines of code of a file: without those of its tests, comments and blank lines.
fn lines(path: &str) -> usize {
    let code = fs::read_to_string(root().join(path)).unwrap();
    let code = code.split("\n#[cfg(test)]\nmod tests").next().unwrap();
    let code = code.split("\n#[cfg(all(test").next().unwrap();
    code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

/// The rows of the reading order: the place that is read, and the number of lines stated.
fn reading_order(page: &str) -> Vec<(String, usize)> {
    let section = page.split("\n## Reading order\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `src/"));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        (cells[0].trim_matches('`').to_owned(), cells[1].replace(',', "").parse().unwrap())
    })
    .collect()
}

#[test]
fn the_reading_order_has_every_file_with_its_lines() {
    let order = reading_order(&page());
    let mut found = BTreeMap::new();
    for source in sources() {
        let path = format!("src/{}", source.path);
        if [
            "primitives/tests/",
            "matrix/backup_file/tests.rs",
            "primitives/work.rs",
            "olm/work.rs",
            "pickle/work.rs",
        ]
        .iter()
        .any(|test| source.path.starts_with(test))
        {
            continue;
        }
        // The longest prefix: a folder, or a file of its own.
        let place = order.iter().filter(|(place, _)| path.starts_with(place.as_str()));
        let (place, _) = place.max_by_key(|(place, _)| place.len()).unwrap_or_else(|| {
            panic!("{path} is in no row");
        });
        *found.entry(place.clone()).or_insert(0) += lines(&path);
    }
    for (place, stated) in &order {
        let lines = found.get(place).copied().unwrap_or_else(|| panic!("{place} does not exist"));
        assert!(lines.abs_diff(*stated) <= stated / 5 + 10, "{place}: {lines} lines, not {stated}");
    }
}

/// The functions between backticks in the table of entry points, as `Type::function`.
#[test]
fn the_entry_points_exist() {
    let page = page();
    let section = page.split("\n## Entry points\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let named: Vec<_> = section.split('`').skip(1).step_by(2).collect();
    let functions: Vec<_> = named.iter().filter_map(|name| name.rsplit_once("::")).collect();
    assert!(functions.len() > 25, "the functions are found");
    let all: Vec<_> = sources().into_iter().map(|source| source.code).collect();
    for (owner, function) in functions {
        let starts = [format!("fn {function}("), format!("fn {function}<")];
        let there = |code: &String| starts.iter().any(|start| code.contains(start));
        assert!(all.iter().any(there), "{owner}::{function} does not exist");
    }
}
