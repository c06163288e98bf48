//! The public functions of the library, from its source files.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::{identifier, parts, public_types, sources};

/// A public function, or an implementation of a trait.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Function {
    /// The file below `src`.
    pub path: String,
    /// With its type: `Account::new`; or the trait and the type: `PartialEq for SasBytes`.
    pub name: String,
}

/// All public functions, with what is declared before their bodies.
pub fn public_functions() -> BTreeMap<Function, String> {
    let mut found = BTreeMap::new();
    for source in sources() {
        let function = |name| Function { path: source.path.clone(), name };
        found
            .extend(functions(&source.code).into_iter().map(|(name, head)| (function(name), head)));
    }
    assert!(found.len() > 250, "the search finds the functions");
    found
}

/// The implementations for public types of the traits by which a caller reaches the bytes of an
/// object.
pub fn public_traits() -> BTreeSet<Function> {
    let public = public_types();
    let mut found = BTreeSet::new();
    for source in sources() {
        let traits = traits(&source.code, &public).into_iter();
        found.extend(traits.map(|name| Function { path: source.path.clone(), name }));
    }
    assert!(found.len() > 30, "the search finds the traits");
    found
}

/// The text from the beginning up to the bracket that closes the first one opened. Brackets between
/// quotation marks do not count.
fn group(text: &str) -> &str {
    let (mut depth, bytes) = (0_usize, text.as_bytes());
    for (place, letter) in text.char_indices() {
        let quoted = place > 0 && bytes[place - 1] == b'\'' && bytes.get(place + 1) == Some(&b'\'');
        match letter {
            _ if quoted => {}
            '{' | '(' => depth += 1,
            '}' | ')' if depth == 1 => return &text[..=place],
            '}' | ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text
}

/// The blocks of the code that begin so, at the beginning of a line, and where. A block ends with
/// what closes its first `bracket`; the head before may have others.
fn blocks<'a>(code: &'a str, begin: &str, bracket: char) -> Vec<(usize, &'a str)> {
    let places = code.match_indices(begin).filter(|(place, _)| {
        code[..*place].rsplit('\n').next().is_some_and(|before| before.trim().is_empty())
    });
    places
        .map(|(place, _)| {
            let head = code[place..].find(bracket).unwrap();
            (place, &code[place..place + head + group(&code[place + head..]).len()])
        })
        .collect()
}

/// The type of an `impl` block: what comes last before its brace, without parameters. With the
/// trait, if there is one: `Clone for Account`.
fn implemented(block: &str) -> String {
    let head = block.split('{').next().unwrap().trim_start_matches("impl").trim();
    let head = match head.strip_prefix('<') {
        Some(rest) => {
            let mut depth = 1;
            let end = rest.find(|letter| {
                depth += match letter {
                    '<' => 1,
                    '>' => -1,
                    _ => 0,
                };
                depth == 0
            });
            rest[end.unwrap_or_else(|| panic!("no end of parameters: {head}")) + 1..].trim()
        }
        None => head,
    };
    let name = |path: &str| {
        let last = path.split('<').next().unwrap().trim().rsplit("::").next().unwrap();
        last.to_owned()
    };
    match head.split_once(" for ") {
        Some((of, to)) => format!("{} for {}", name(of), name(to)),
        None => name(head),
    }
}

/// What a variable of a macro stands for, in each use of the macro.
fn arguments(code: &str, definition: &str, variable: &str) -> Vec<String> {
    let name = identifier(definition.trim_start_matches("macro_rules!").trim());
    let pattern = &definition[definition[..].find('(').unwrap() + 1..];
    let place = parts(pattern).iter().position(|part| part.starts_with(&format!("{variable}:")));
    let begin = format!("{name}!(");
    let calls = code.match_indices(&begin).map(|(call, found)| {
        parts(&code[call + found.len()..]).into_iter().map(str::to_owned).collect::<Vec<_>>()
    });
    match place {
        Some(place) => calls.map(|call| call[place].clone()).collect(),
        // A repetition, perhaps of types with a function, and after what is there once.
        None => {
            let of =
                |argument: String| identifier(argument.rsplit(": ").next().unwrap()).to_owned();
            calls.flatten().map(of).collect()
        }
    }
}

/// The public functions that a piece of code declares: place, name, and the text up to the body.
fn declared(code: &str) -> Vec<(usize, &str, &str)> {
    let mut found = Vec::new();
    for begin in ["pub fn ", "pub const fn "] {
        found.extend(code.match_indices(begin).map(|(place, _)| {
            let declaration = &code[place + begin.len()..];
            let head = declaration.split('{').next().unwrap();
            (place, identifier(declaration), head)
        }));
    }
    found
}

/// The types that a block implements something for: several if a macro writes it.
fn types(code: &str, place: usize, of: String) -> Vec<String> {
    let macros = blocks(code, "macro_rules!", '{');
    let around = macros.iter().find(|(start, text)| (*start..start + text.len()).contains(&place));
    match around.filter(|_| of.starts_with('$')) {
        Some((_, definition)) => arguments(code, definition, &of),
        None => vec![of],
    }
}

/// All public functions of the code of one file, with the type that they belong to, and what is
/// declared before the body.
fn functions(code: &str) -> BTreeMap<String, String> {
    let implementations = blocks(code, "impl", '{');
    let mut found = BTreeMap::new();
    for (place, block) in &implementations {
        for of in types(code, *place, implemented(block)) {
            let declared = declared(block).into_iter();
            found.extend(declared.map(|(_, name, head)| (format!("{of}::{name}"), head.into())));
        }
    }
    let in_block = |place: usize| {
        implementations.iter().any(|(start, block)| (*start..start + block.len()).contains(&place))
    };
    let free = declared(code).into_iter().filter(|(place, ..)| !in_block(*place));
    found.extend(free.map(|(_, name, head)| (name.to_owned(), head.to_owned())));
    found
}

/// The traits by which a caller reaches the bytes of an object, or makes one of bytes. `Debug` and
/// `Display` are S-29, and a clone is a copy of memory. `Eq`, `Ord` and `Hash` come with
/// `PartialEq`.
const READING: [&str; 8] =
    ["PartialEq", "Serialize", "Deserialize", "Deref", "AsRef", "FromStr", "TryFrom", "From"];

/// The implementations of these traits in the code of one file for public types, written and
/// derived: `Deref for Text`. A type that a macro names is taken to be public.
fn traits(code: &str, public: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (place, block) in blocks(code, "impl", '{') {
        if let Some((of, to)) = implemented(block).split_once(" for ")
            && READING.contains(&of)
            && (to.starts_with('$') || public.contains(to))
        {
            let types = types(code, place, to.to_owned()).into_iter();
            // An error is made of another one.
            let types = types.filter(|to| of != "From" || !to.ends_with("Error"));
            found.extend(types.map(|to| format!("{of} for {to}")));
        }
    }
    for (_, derive) in blocks(code, "#[derive", '(') {
        let start = derive.as_ptr() as usize - code.as_ptr() as usize;
        let mut lines = code[start + derive.len()..].lines().skip(1).map(str::trim);
        let item = lines.find(|line| !line.starts_with('#')).unwrap_or_default();
        let kinds = ["pub struct ", "pub enum "];
        if let Some(of) = kinds.iter().find_map(|kind| item.strip_prefix(kind)) {
            let derived = parts(&derive["#[derive(".len()..]).into_iter();
            let reading = derived.filter(|derived| READING.contains(derived));
            found.extend(reading.map(|derived| format!("{derived} for {}", identifier(of))));
        }
    }
    found
}
