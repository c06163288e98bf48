//! Every planted fault of `assurance/plants` applies to the current code. Its script runs only a
//! sample with each commit, so it would notice too late that a plant no longer applies.

use std::fs;

use moceril_testing::sources::root;

#[test]
fn every_plant_applies() {
    let root = root();
    let mut count = 0;
    for entry in fs::read_dir(root.join("assurance/plants")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "patch") {
            count += 1;
            let patch = fs::read_to_string(&path).unwrap();
            let (file, hunks) = hunks(&patch);
            let source = fs::read_to_string(root.join(file)).unwrap();
            for hunk in hunks {
                let found = source.matches(&hunk).count();
                assert_eq!(found, 1, "{}: not found once in {file}:\n{hunk}", path.display());
            }
        }
    }
    assert!(count > 60, "{count} plants");
}

/// The file that a patch changes, and the lines that it finds there, one text for each place.
fn hunks(patch: &str) -> (&str, Vec<String>) {
    let (_, rest) = patch.split_once("--- a/").expect("a patch");
    let (file, rest) = rest.split_once('\n').expect("more lines");
    assert!(!rest.contains("\n--- a/"), "a plant is in one file");
    let places = rest.split("\n@@ ").skip(1).map(|hunk| {
        let lines = hunk.lines().skip(1).filter(|line| !line.starts_with('+'));
        lines.map(|line| format!("{}\n", line.get(1..).unwrap_or_default())).collect()
    });
    (file, places.collect())
}
