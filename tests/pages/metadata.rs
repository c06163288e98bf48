//! Every statement about the crate as a whole is made once, or is the same everywhere.

use std::fs;

use moceril_testing::sources::{root, tracked};

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The value of the first line that begins with this key.
fn field(page: &str, key: &str) -> String {
    let line = page.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim_matches(['=', ':', ' ', '"']).to_owned()
}

/// Whoever moves the repository changes one line.
#[test]
fn only_the_manifest_says_where_the_repository_is() {
    let repository = field(&read("Cargo.toml"), "repository");
    assert!(repository.starts_with("https://"), "{repository}");
    let naming: Vec<_> = tracked()
        .into_iter()
        // What is not UTF-8 is no text, and what is no file is a link to another file.
        .filter(|path| {
            fs::read_to_string(root().join(path)).is_ok_and(|text| text.contains(&repository))
        })
        .collect();
    assert_eq!(naming, ["Cargo.toml"]);
}

#[test]
fn a_citation_names_the_version_of_the_manifest() {
    let version = field(&read("Cargo.toml"), "version");
    assert_eq!(field(&read("CITATION.cff"), "version"), version);
    assert!(version.split('.').count() == 3, "{version}");
}
