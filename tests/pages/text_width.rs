//! No line of text is wider than a line of code may be. `cargo fmt` does not check comments.

use std::{fs, path::Path};

use moceril_testing::sources::{root, tracked};

const WIDTH: usize = 100;

/// How a line of text begins in a file of this name; `None` if the file has no text.
fn markers(path: &str) -> Option<&'static [&'static str]> {
    let name = Path::new(path).file_name().unwrap().to_str().unwrap();
    Some(match name.rsplit_once('.').map_or(name, |(_, extension)| extension) {
        "md" => &[""],
        "rs" => &["//"],
        "c" | "cpp" | "h" | "cjs" | "mjs" | "ts" => &["//", "/*", "*"],
        "py" | "sh" | "supp" | "toml" | "yml" => &["#"],
        // A list of ours, or a script.
        "txt" if !is_data(path) => &["#"],
        _ if !name.contains('.') && !is_data(path) => &["#"],
        _ => return None,
    })
}

/// Test vectors, what the command reads and prints, and licences.
fn is_data(path: &str) -> bool {
    path.starts_with("test-vectors/")
        || path.contains("/tests/files/")
        || path.contains("/transcripts/")
        || path.contains("LICENSE")
}

/// The lines that are too wide. Tables, headings of pages, blocks of code, and links cannot be
/// broken.
fn too_wide(path: &str, content: &str) -> Vec<String> {
    let markers = markers(path).unwrap_or_default();
    let mut code = false;
    let mut wide = Vec::new();
    for (number, line) in (1..).zip(content.lines()) {
        let text = line.trim_start();
        if !markers.iter().any(|marker| text.starts_with(marker)) {
            continue;
        }
        let text = text.trim_start_matches(['/', '!', '#', '*', ' ']);
        if text.starts_with("```") {
            code = !code;
        }
        let heading = path.ends_with(".md") && line.starts_with('#');
        let link = text.contains("://") || text.contains("](");
        let exempt = code || heading || link || text.starts_with('|');
        if !exempt && line.chars().count() > WIDTH {
            wide.push(format!("{path}:{number}"));
        }
    }
    assert!(!code, "{path}: a block of code does not end");
    wide
}

#[test]
fn no_line_of_text_is_too_wide() {
    let paths = tracked();
    let paths = paths.iter().filter(|path| markers(path).is_some());
    let wide: Vec<_> = paths
        .flat_map(|path| too_wide(path, &fs::read_to_string(root().join(path)).unwrap()))
        .collect();
    assert_eq!(wide, [""; 0]);
}

#[test]
fn a_wide_line_is_noticed() {
    let (fits, wide) = ("x ".repeat(47), "x ".repeat(50));
    for (path, content, expected) in [
        ("README.md", format!("{fits}\n{wide}x\n"), vec!["README.md:2"]),
        ("a/b.rs", format!("    //! {wide}\nlet a = \"{wide}\";"), vec!["a/b.rs:1"]),
        ("a.rs", format!("/// ```\n/// {wide}\n/// ```\n/// {wide}"), vec!["a.rs:4"]),
        ("a.h", format!(" * {wide}\n/* {wide}\n{wide}"), vec!["a.h:1", "a.h:2"]),
        ("fuzz/run", format!("# {wide}\necho {wide}"), vec!["fuzz/run:1"]),
        ("README.md", format!("| {wide} |\n# {wide}\n[{wide}](a)\nhttps://{wide}"), vec![]),
        ("a.txt", format!("{wide}\n# {wide}"), vec!["a.txt:2"]),
        ("interop/matrix/a", format!("# {wide}"), vec!["interop/matrix/a:1"]),
        ("test-vectors/a.txt", format!("# {wide}"), vec![]),
    ] {
        assert_eq!(too_wide(path, &content), expected, "{path}: {content}");
    }
}
