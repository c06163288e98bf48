//! S-48, S-26: `assurance/constant-time/operations.txt` lists every public function, with the
//! operation that runs it on secrets under valgrind, or the reason why none does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use moceril_testing::{
    public_functions::{Function, public_functions, public_traits},
    sources::{Source, identifier, names, root, sources_of},
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
    harness: &[Source],
) -> Vec<String> {
    let definitions: Vec<_> = harness.iter().flat_map(definitions).collect();
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
                let run = |operation: &String| calls(&reached(operation, &definitions), name);
                if !name.contains(" for ") && !operations.iter().any(run) {
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

/// A function, a method or a macro of the harness, or what a macro makes.
struct Definition<'a> {
    file: &'a str,
    name: &'a str,
    /// The type of a method; empty for everything else.
    of: &'a str,
    body: String,
    /// What its file imports from the other files.
    imports: &'a str,
}

fn definitions<'a>(source: &'a Source) -> Vec<Definition<'a>> {
    let file = source.path.trim_end_matches(".rs");
    let imports = source.code.split_once("use super::").map_or("", |(_, rest)| rest);
    let imports = imports.split(';').next().unwrap_or_default();
    let lines: Vec<_> = source.code.lines().collect();
    let mut implemented = "";
    let define = |(place, line): (usize, &'a str)| {
        if let Some(of) = line.strip_prefix("impl ") {
            implemented = identifier(of);
        }
        let text = line.trim_start();
        let indentation = &line[..line.len() - text.len()];
        let text = text.trim_start_matches("pub ");
        let named = ["fn ", "macro_rules! "].iter().find_map(|kind| text.strip_prefix(kind));
        let made = || line.split_once("!(").filter(|_| indentation.is_empty());
        let name = identifier(named.or_else(|| made().map(|(_, arguments)| arguments))?);
        if name.is_empty() {
            return None; // a variable of a macro
        }
        let end = format!("{indentation}}}");
        let rest = lines[place..].iter().take(if named.is_some() { lines.len() } else { 1 });
        let body = rest.take_while(|line| line.trim_end() != end).copied();
        let body = body.collect::<Vec<_>>().join("\n");
        let of = if named.is_some() && !indentation.is_empty() { implemented } else { "" };
        Some(Definition { file, name, of, body, imports })
    };
    lines.iter().copied().enumerate().filter_map(define).collect()
}

/// What an operation runs: its own function, and what is reached from there.
fn reached(operation: &str, definitions: &[Definition<'_>]) -> String {
    let own = |found: &&Definition<'_>| format!("{}::{}", found.file, found.name) == operation;
    let mut reached: Vec<&Definition<'_>> = definitions.iter().filter(own).collect();
    let mut place = 0;
    while let Some(from) = reached.get(place) {
        let runs = |to: &&Definition<'_>| match to.of {
            "" => {
                names(&from.body, to.name)
                    && (to.file == from.file
                        || names(from.imports, to.name)
                        || from.body.contains(&format!("{}::{}", to.file, to.name)))
            }
            of => [".", &format!("{of}::")]
                .iter()
                .any(|before| from.body.contains(&format!("{before}{}(", to.name))),
        };
        let known = |to: &&Definition<'_>| reached.iter().any(|known| std::ptr::eq(*known, *to));
        let new: Vec<_> = definitions.iter().filter(runs).filter(|to| !known(to)).collect();
        reached.extend(new);
        place += 1;
    }
    reached.iter().map(|found| found.body.as_str()).collect::<Vec<_>>().join("\n")
}

/// Whether the code calls the function: one of a type as a method, or with this type or a variable
/// of a macro before it. `new` of another type is another function.
fn calls(code: &str, name: &str) -> bool {
    let Some((of, last)) = name.split_once("::") else { return names(code, name) };
    code.match_indices(last).any(|(place, _)| {
        let before = code[..place].trim_end();
        let typed = before.strip_suffix("::").is_some_and(|before| {
            let start = before.rfind(|letter: char| !letter.is_alphanumeric() && letter != '_');
            let (head, found) = before.split_at(start.map_or(0, |start| start + 1));
            found == of || head.ends_with('$')
        });
        identifier(&code[place..]) == last && (typed || before.ends_with('.'))
    })
}

#[test]
fn s_48_every_public_function_is_in_the_list() {
    let mut functions: BTreeSet<_> = public_functions().into_keys().collect();
    functions.extend(public_traits());
    let mut harness = sources_of(&format!("{FOLDER}/src/operations"));
    harness.retain(|source| source.path != "mod.rs");
    let mistakes = mistakes(&list(), &functions, &read("src/operations/mod.rs"), &harness);
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
    let source = |path: &str, code: &str| Source { path: path.to_owned(), code: code.to_owned() };
    let of = |harness: &[Source], lines: &[&str]| {
        let list: Vec<_> = lines.iter().map(|line| parse(line).unwrap()).collect();
        mistakes(&list, &functions, "(\"f\", a::run)", harness)
    };
    let harness = [source("a.rs", "pub fn run() {\n    object.f();\n}")];
    let found = |lines: &[&str]| of(&harness, lines);
    let (f, g) = ("a.rs A::f  operation: a::run", "a.rs A::g  calls: A::f");
    assert_eq!(found(&[f, g]), [""; 0]);
    assert_eq!(found(&[f, "a.rs A::g  public: it returns a number"]), [""; 0]);
    assert_eq!(found(&[f]), ["a.rs A::g is missing"]);
    assert_eq!(found(&[f, f, g]), ["a.rs A::f is there twice"]);
    assert_eq!(found(&[f, g, "a.rs A::h  calls: A::f"]), ["a.rs A::h does not exist"]);
    assert_eq!(
        found(&["a.rs A::f  operation: a::walk", g]),
        ["a.rs A::f: no operation a::walk", "a.rs A::f: no operation calls it"]
    );
    assert_eq!(found(&[f, "a.rs A::g  operation: a::run"]), ["a.rs A::g: no operation calls it"]);
    assert_eq!(found(&[f, "a.rs A::g  calls: A::h"]), ["a.rs A::g: no operation runs A::h"]);
    // The call must be the operation's own, or be reached from it, and be of this type.
    let uncalled = ["a.rs A::f: no operation calls it"];
    for (run, others, mistakes) in [
        ("A::f()", "", &[][..]),
        ("A::f(); B::f()", "", &[]),
        ("$object::f()", "", &[]),
        ("B::f()", "", &uncalled),
        ("f()", "", &uncalled),
        ("A::ff()", "", &uncalled),
        ("", "fn other() {\n    A::f();\n}", &uncalled),
        ("other()", "fn other() {\n    A::f();\n}", &[]),
        ("b.other()", "impl B {\n    fn other() {\n        a.f();\n    }\n}", &[]),
        ("made()", "macro_rules! make {\n    A::f()\n}\nmake!(made, A);", &[]),
    ] {
        let code = format!("pub fn run() {{\n    {run};\n}}\n{others}\n");
        let public = "a.rs A::g  public: it returns a number";
        assert_eq!(of(&[source("a.rs", &code)], &[f, public]), mistakes, "{code}");
    }
    let other = source("b.rs", "pub fn other() {\n    A::f();\n}");
    for (run, mistakes) in [
        ("pub fn run() {\n    other();\n}", &uncalled[..]),
        ("pub fn run() {\n    b::other();\n}", &[]),
        ("use super::b::other;\npub fn run() {\n    other();\n}", &[]),
    ] {
        let harness = [source("a.rs", run), other.clone()];
        assert_eq!(of(&harness, &[f, "a.rs A::g  public: it returns a number"]), mistakes, "{run}");
    }
    for line in
        ["a.rs A::f", "a.rs A::f  operation", "a.rs A::f  unknown: b", "a.rs A::f  public: no"]
    {
        assert_eq!(parse(line), None, "{line}");
    }
}
