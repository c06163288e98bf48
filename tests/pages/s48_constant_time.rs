//! S-48, S-26: `assurance/constant-time/operations.txt` lists every public function, with the
//! operation that runs it on secrets under valgrind, or the reason why none does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use moceril_testing::{
    public_functions::{Function, public_functions, public_traits},
    sources::{names, root},
};

/// What the list says about a function.
#[derive(Debug, PartialEq)]
enum Entry {
    /// These operations of the harness call it.
    Operations(Vec<String>),
    /// It calls this function and touches no secret besides.
    Calls(String),
    /// It touches no secret, or it is excepted, for this reason.
    Reason(String),
}

const FOLDER: &str = "assurance/constant-time";

fn read(path: &str) -> String {
    fs::read_to_string(root().join(FOLDER).join(path)).unwrap()
}

/// A line of the list: the file, the function, two spaces, a word with a colon, and what it stands
/// for.
fn parse(line: &str) -> Option<(Function, Entry)> {
    let (function, entry) = line.split_once("  ")?;
    let (path, name) = function.split_once(' ')?;
    let (kind, text) = entry.trim().split_once(": ")?;
    let entry = match kind {
        "operation" => Entry::Operations(text.split(", ").map(str::to_owned).collect()),
        "calls" => Entry::Calls(text.to_owned()),
        "public" | "exception" if text.len() > 5 => Entry::Reason(text.to_owned()),
        _ => return None,
    };
    Some((Function { path: path.to_owned(), name: name.to_owned() }, entry))
}

fn list() -> Vec<(Function, Entry)> {
    let text = read("operations.txt");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| parse(line).unwrap_or_else(|| panic!("not a line of the list: {line}")))
        .collect()
}

/// What is wrong with the list, given the functions and the source of the harness.
fn mistakes(
    list: &[(Function, Entry)],
    functions: &BTreeSet<Function>,
    table: &str,
    harness: &str,
) -> Vec<String> {
    let mut mistakes = Vec::new();
    let mut listed = BTreeMap::new();
    for (function, entry) in list {
        if listed.insert(function, entry).is_some() {
            mistakes.push(format!("{} {} is there twice", function.path, function.name));
        }
    }
    for function in functions.iter().filter(|function| !listed.contains_key(function)) {
        mistakes.push(format!("{} {} is missing", function.path, function.name));
    }
    for (Function { path, name }, entry) in list {
        if !functions.iter().any(|function| function.path == *path && function.name == *name) {
            mistakes.push(format!("{path} {name} does not exist"));
        }
        match entry {
            Entry::Operations(operations) => {
                for operation in operations {
                    if !table.contains(&format!(", {operation})")) {
                        mistakes.push(format!("{path} {name}: no operation {operation}"));
                    }
                }
                let last = name.rsplit("::").next().unwrap_or_default();
                if !name.contains(" for ") && !names(harness, last) {
                    mistakes.push(format!("{path} {name}: no operation calls it"));
                }
            }
            Entry::Calls(other) => {
                let runs = |(function, entry): &(Function, Entry)| {
                    function.name == *other && matches!(entry, Entry::Operations(_))
                };
                if !list.iter().any(runs) {
                    mistakes.push(format!("{path} {name}: no operation runs {other}"));
                }
            }
            Entry::Reason(_) => {}
        }
    }
    mistakes
}

/// The functions of the library, its list, and the sources of the harness.
fn all() -> (Vec<(Function, Entry)>, BTreeSet<Function>, String, String) {
    let mut functions: BTreeSet<_> = public_functions().into_keys().collect();
    functions.extend(public_traits());
    let folder = root().join(FOLDER).join("src/operations");
    let files = fs::read_dir(folder).unwrap();
    let sources = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    let sources: Vec<_> = sources.filter(|source| !source.contains("type Operation =")).collect();
    (list(), functions, read("src/operations/mod.rs"), sources.concat())
}

#[test]
fn s_48_every_public_function_is_in_the_list() {
    let (list, functions, table, harness) = all();
    let mistakes = mistakes(&list, &functions, &table, &harness);
    assert!(mistakes.is_empty(), "operations.txt:\n{}", mistakes.join("\n"));
}

#[test]
fn s_48_the_list_is_sorted() {
    let list: Vec<_> = list().into_iter().map(|(function, _)| function).collect();
    assert!(list.is_sorted());
}

/// The check above sees what it should see.
#[test]
fn s_48_a_mistake_in_the_list_is_noticed() {
    let function = |name: &str| Function { path: String::from("a.rs"), name: String::from(name) };
    let functions = BTreeSet::from([function("A::f"), function("A::g")]);
    let (table, harness) = ("(\"f\", a::run)", "object.f();");
    let found = |lines: &[&str]| {
        let list: Vec<_> = lines.iter().map(|line| parse(line).unwrap()).collect();
        mistakes(&list, &functions, table, harness)
    };
    let (f, g) = ("a.rs A::f  operation: a::run", "a.rs A::g  calls: A::f");
    assert_eq!(found(&[f, g]), [""; 0]);
    assert_eq!(found(&[f, "a.rs A::g  public: it returns a number"]), [""; 0]);
    assert_eq!(found(&[f]), ["a.rs A::g is missing"]);
    assert_eq!(found(&[f, f, g]), ["a.rs A::f is there twice"]);
    assert_eq!(found(&[f, g, "a.rs A::h  calls: A::f"]), ["a.rs A::h does not exist"]);
    assert_eq!(found(&["a.rs A::f  operation: a::walk", g]), ["a.rs A::f: no operation a::walk"]);
    assert_eq!(found(&[f, "a.rs A::g  operation: a::run"]), ["a.rs A::g: no operation calls it"]);
    assert_eq!(found(&[f, "a.rs A::g  calls: A::h"]), ["a.rs A::g: no operation runs A::h"]);
    for line in
        ["a.rs A::f", "a.rs A::f  operation", "a.rs A::f  unknown: b", "a.rs A::f  public: no"]
    {
        assert_eq!(parse(line), None, "{line}");
    }
}
