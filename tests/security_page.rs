//! SECURITY.md is true: each guarantee names files that exist and cite its number, and no number is
//! forgotten.

use std::{collections::BTreeSet, fs, path::Path};

/// Numbers that are not yet a guarantee, with the reason.
const OPEN: [(&str, &str); 3] = [
    ("S-15", "there is no batch verification yet"),
    ("S-38", "mutation testing of the whole core comes with the assurance work"),
    ("S-40", "there is no C interface yet"),
];

/// Guarantees that hold by construction, or by a step of `.ci/run`.
const WITHOUT_A_TEST: [&str; 2] = ["S-26", "S-36"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of the table of guarantees: number, promise, proof.
fn rows(page: &str) -> Vec<(String, String)> {
    let rows = page.lines().filter(|line| line.starts_with("| S-"));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [id, _, proof] = cells[..] else { panic!("three cells: {row}") };
        (id.to_owned(), proof.to_owned())
    })
    .collect()
}

/// The files that a cell names.
fn files(proof: &str) -> Vec<String> {
    proof.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_number_is_a_guarantee_or_open() {
    let page = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let mut listed: Vec<_> = rows(&page).into_iter().map(|(id, _)| id).collect();
    listed.extend(OPEN.map(|(id, _)| id.to_owned()));
    let distinct: BTreeSet<_> = listed.iter().cloned().collect();
    assert_eq!(listed.len(), distinct.len(), "a number is listed twice");
    let all: BTreeSet<_> = (1..=40).map(|number| format!("S-{number:02}")).collect();
    assert_eq!(distinct, all);
}

#[test]
fn every_guarantee_is_cited_where_it_is_proved() {
    let page = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    for (id, proof) in rows(&page) {
        if WITHOUT_A_TEST.contains(&id.as_str()) {
            continue;
        }
        let files = files(&proof);
        assert!(!files.is_empty(), "{id}: {proof}");
        let as_name = id.to_lowercase().replace('-', "_");
        for file in files {
            let text = fs::read_to_string(root().join(&file));
            let text = text.unwrap_or_else(|_| panic!("{id}: there is no {file}"));
            assert!(text.contains(&id) || text.contains(&as_name), "{file} does not cite {id}");
        }
    }
}
