//! `index.jsonl` matches the files of the folder, and the page contains the example program.

use std::{fmt::Write, fs};

use sha2::{Digest, Sha256};

use moceril_testing::vector_file::{areas, files, root};

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The line of a file, as `interop/record/index.py` writes it.
fn line(path: &str, file: &str) -> String {
    let value = |key| file.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
    let (area, name) = path.split_once('/').unwrap();
    let (kind, source) = (value("kind").unwrap(), value("source").unwrap());
    let name = name.trim_end_matches(".txt").replace('-', " ");
    let mut layers: Vec<_> = file.lines().filter_map(refused).collect();
    layers.sort_unstable();
    layers.dedup();
    let mut line = format!(r#"{{"path": "{path}", "area": "{area}", "kind": "{kind}", "#);
    write!(line, r#""expect": "{}", "#, value("expect").unwrap()).unwrap();
    if !layers.is_empty() {
        write!(line, r#""refuses": {layers:?}, "#).unwrap();
    }
    let sha256: String = Sha256::digest(file).iter().map(|byte| format!("{byte:02x}")).collect();
    write!(line, r#""note": "{name}: {source}", "sha256": "{sha256}"}}"#).unwrap();
    assert!(line.is_ascii() && !line.contains('\\'), "{path}: not without escapes in JSON");
    line
}

/// The layer that a `refuse` step names.
fn refused(line: &str) -> Option<&str> {
    let mut items = line.strip_prefix("step: ")?.split(' ');
    items.by_ref().take(2).find(|item| *item == "refuse")?;
    items.next()
}

#[test]
fn the_index_lists_every_file_as_it_is() {
    let paths = areas().into_iter().flat_map(|area| files(&area)).map(|file| file.name);
    let expected: Vec<_> = paths.map(|path| line(&path, &text(&path))).collect();
    let index = text("index.jsonl");
    for (found, expected) in index.lines().zip(&expected) {
        assert_eq!(found, expected, "interop/record/index.py writes it anew");
    }
    assert!(index == expected.join("\n") + "\n", "interop/record/index.py writes it anew");
}

#[test]
fn the_page_shows_the_example() {
    let example = format!("```python\n{}```\n", text("example.py"));
    assert!(text("README.md").contains(&example));
}
