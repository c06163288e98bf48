//! Source files, for the tests that check how they are written.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A Rust file below a folder.
#[derive(Clone)]
pub struct Source {
    /// With slashes, as in `olm/account.rs`.
    pub path: String,
    /// The text without its comments.
    pub code: String,
}

/// The folder of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The files of the repository that Git tracks.
pub fn tracked() -> Vec<String> {
    let output = Command::new("git").arg("ls-files").current_dir(root()).output().unwrap();
    let paths: Vec<_> =
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert!(paths.len() > 1000, "git lists the files: {}", paths.len());
    paths
}

/// All files below `src`.
pub fn sources() -> Vec<Source> {
    sources_of("src")
}

/// The crates in Rust that are built for users, beside the library: the command, the packages for
/// other languages, and what takes another library's place.
pub const PRODUCTS: [&str; 7] = [
    "bindings/js",
    "cli",
    "compat/libolm",
    "compat/olm-js",
    "compat/python-olm",
    "compat/vodozemac",
    "compat/vodozemac-python",
];

/// All Rust files below a folder of the repository.
pub fn sources_of(folder: &str) -> Vec<Source> {
    let root = root().join(folder);
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let parts = path.strip_prefix(&root).unwrap().iter();
        let parts: Vec<_> = parts.map(|part| part.to_str().unwrap()).collect();
        Source { path: parts.join("/"), code: without_comments(&text) }
    };
    paths.iter().map(read).collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

/// Drops what follows `//`. A string that holds two slashes is cut short too, which does not matter
/// here.
pub fn without_comments(text: &str) -> String {
    let code = text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    code.collect::<Vec<_>>().join("\n")
}

/// The names of all public structs and enums.
pub fn public_types() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for source in sources() {
        for line in source.code.lines() {
            let item = ["pub struct ", "pub enum "].iter().find_map(|kind| line.strip_prefix(kind));
            if let Some(item) = item {
                names.insert(identifier(item).to_owned());
            }
        }
    }
    assert!(names.len() > 50, "the search finds the types");
    names
}

/// The identifier that the text begins with.
pub fn identifier(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    &text[..end.unwrap_or(text.len())]
}

/// Whether the code names the identifier, and not only a longer one.
pub fn names(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(place, _)| {
        let before = code[..place].chars().next_back();
        let joined = |letter: char| letter.is_alphanumeric() || letter == '_';
        identifier(&code[place..]) == name && !before.is_some_and(joined)
    })
}

/// What is between commas, up to the bracket that closes the group. Strings are not looked into.
pub fn parts(group: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut text) = (Vec::new(), 0, 0, false);
    for (place, letter) in group.char_indices() {
        match letter {
            '"' => text = !text,
            _ if text => {}
            '{' | '(' => depth += 1,
            '}' | ')' if depth > 0 => depth -= 1,
            '}' | ')' => {
                parts.push(group[start..place].trim());
                break;
            }
            ',' if depth == 0 => {
                parts.push(group[start..place].trim());
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}
