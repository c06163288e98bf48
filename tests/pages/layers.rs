//! Checks the layers of the library: what a folder may import, where cryptography crates are named,
//! and how long a file may be.

use std::{collections::BTreeSet, fs};

use moceril_testing::sources::{
    identifier, names, parts, root, sources, sources_of, tracked, without_comments,
};

/// The modules from which a file of each module may import, besides its own folder: only lower
/// layers. The documentation of `lib.rs` describes these layers.
const MODULES: [(&str, &[&str]); 13] = [
    ("error", &[]),
    // Layer 0.
    ("primitives", &["error"]),
    // Layer 1.
    ("keys", &["error", "primitives"]),
    ("wire", &["error", "primitives", "keys"]),
    // Layer 2.
    ("ratchet", &["error", "primitives", "keys"]),
    // Layer 3: what clients use. Olm and Megolm do not import each other.
    ("olm", &["error", "primitives", "keys", "wire", "ratchet"]),
    ("megolm", &["error", "primitives", "keys", "wire", "ratchet"]),
    // Layer 4.
    ("matrix", &["error", "primitives", "keys", "wire", "olm", "megolm"]),
    ("pickle", &["error", "primitives", "keys", "wire", "ratchet", "olm", "megolm", "matrix"]),
    // Of types of all these layers: one error for all, and the standard traits.
    ("any_error", &["error", "wire", "olm", "megolm", "matrix", "pickle"]),
    ("forms", &["error", "keys", "wire", "matrix", "pickle"]),
    // Documentation only.
    ("guide", &[]),
    // Re-exports only.
    ("hazmat", &["error", "primitives", "keys", "wire", "ratchet", "olm", "megolm"]),
];
/// Crates that only `primitives` may name.
const CRYPTO_CRATES: [&str; 14] = [
    "aes",
    "cbc",
    "ctr",
    "hmac",
    "hkdf",
    "pbkdf2",
    "sha2",
    "curve25519_dalek",
    "x25519_dalek",
    "ed25519_dalek",
    "chacha20poly1305",
    "poly1305",
    "subtle",
    "base64ct",
];

const MAX_LINES: usize = 500;

/// The module of a file: `olm` for `olm/account.rs`, `keys` for `keys.rs`.
fn module(path: &str) -> &str {
    path.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The modules at the top of the library that the code names.
fn imports(path: &str, code: &str) -> BTreeSet<String> {
    let mut imports = BTreeSet::new();
    for (place, found) in code.match_indices("crate::") {
        // A longer name that ends in the same letters does not count.
        if !code[..place].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            imports.extend(first_names(&code[place + found.len()..]));
        }
    }
    // The number of `super` that lead from the module of this file to the root.
    let to_the_root = path.split('/').filter(|part| *part != "mod.rs").count();
    for (place, _) in code.match_indices("super::") {
        if code[..place].ends_with("super::") {
            continue;
        }
        let mut rest = &code[place..];
        let mut steps = 0;
        while let Some(above) = rest.strip_prefix("super::") {
            (rest, steps) = (above, steps + 1);
        }
        if steps >= to_the_root {
            let is_module = |name: &String| MODULES.iter().any(|(module, _)| module == name);
            imports.extend(first_names(rest).into_iter().filter(is_module));
        }
    }
    imports
}

/// The first name of a path, or of each path of a group in braces.
fn first_names(path: &str) -> Vec<String> {
    match path.strip_prefix('{') {
        Some(group) => parts(group).into_iter().map(|path| identifier(path).to_owned()).collect(),
        None => vec![identifier(path).to_owned()],
    }
}

/// The names in the file that it may not use.
fn forbidden(path: &str, code: &str) -> Vec<String> {
    let module = module(path);
    // Re-exports of everything.
    if module == "lib" {
        return Vec::new();
    }
    let Some((_, allowed)) = MODULES.iter().find(|(known, _)| *known == module) else {
        return vec![format!("{path}: a module without a layer")];
    };
    let imports = imports(path, code).into_iter();
    let mut forbidden: Vec<_> = imports
        .filter(|import| import != module && !allowed.contains(&import.as_str()))
        .map(|import| format!("{path}: imports {import}"))
        .collect();
    let crates = CRYPTO_CRATES.iter().filter(|_| module != "primitives");
    let serde = ["serde", "serde_json"].iter();
    let serde = serde
        .filter(|_| !(["forms", "matrix", "pickle"].contains(&module) || path == "wire/json.rs"));
    // Some modules of `primitives` have the name of the crate that they wrap.
    let code = without_primitives(code);
    forbidden.extend(
        crates
            .chain(serde)
            .filter(|name| names_crate(&code, name))
            .map(|name| format!("{path}: names {name}")),
    );
    forbidden
}

/// The code without the modules that it imports from `primitives`, and without their names in
/// paths.
fn without_primitives(code: &str) -> String {
    let mut rest = code.to_owned();
    for (place, found) in code.match_indices("primitives::") {
        for imported in first_names(&code[place + found.len()..]) {
            rest = rest.replace(&format!("{imported}::"), "");
        }
    }
    rest
}

/// Whether a path begins with the name, or an import imports it.
fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(place, _)| {
        let before = &code[..place];
        let inner =
            before.ends_with(|letter: char| letter.is_alphanumeric() || "_:.".contains(letter));
        let rest = &code[place + name.len()..];
        let imported = before.ends_with("use ") && rest.starts_with([';', ' ']);
        // `hkdf::<64>` is a function of the library, not the crate.
        let path = rest.starts_with("::") && !rest.starts_with("::<");
        !inner && (path || imported)
    })
}

/// A layer imports nothing from higher layers, so an auditor of one layer need not read those above
/// it.
#[test]
fn nothing_imports_a_higher_layer() {
    let sources = sources();
    for needed in [
        "primitives/cbc_hmac/mod.rs",
        "ratchet/double.rs",
        "olm/account.rs",
        "pickle/native/mod.rs",
    ] {
        assert!(sources.iter().any(|source| source.path == needed), "{needed} is read");
    }
    let forbidden: Vec<_> =
        sources.iter().flat_map(|source| forbidden(&source.path, &source.code)).collect();
    assert_eq!(forbidden, [""; 0]);
}

/// The check above detects what it should detect.
#[test]
fn an_import_of_a_higher_layer_is_noticed() {
    for (path, code, expected) in [
        ("ratchet/double.rs", "use crate::olm::Account;", "ratchet/double.rs: imports olm"),
        (
            "ratchet/double.rs",
            "use crate::{keys::A,\n    wire::{B, C},\n};",
            "ratchet/double.rs: imports wire",
        ),
        ("ratchet/mod.rs", "use super::megolm::inbound::A;", "ratchet/mod.rs: imports megolm"),
        ("olm/session.rs", "fn f(a: crate::megolm::A) {}", "olm/session.rs: imports megolm"),
        ("olm/session.rs", "use super::super::megolm::A;", "olm/session.rs: imports megolm"),
        (
            "pickle/vodozemac/mod.rs",
            "use super::super::hazmat::A;",
            "pickle/vodozemac/mod.rs: imports hazmat",
        ),
        ("keys.rs", "use super::wire;", "keys.rs: imports wire"),
        ("wire/mod.rs", "use crate::pickle;", "wire/mod.rs: imports pickle"),
        ("error.rs", "use crate::keys::KeyId;", "error.rs: imports keys"),
        ("matrix/sas/mod.rs", "use crate::{pickle::A};", "matrix/sas/mod.rs: imports pickle"),
        ("olm/session.rs", "use crate::PickleKey;", "olm/session.rs: imports PickleKey"),
        ("olm/session.rs", "use sha2::Sha256;", "olm/session.rs: names sha2"),
        ("keys.rs", "let a = x25519_dalek::A;", "keys.rs: names x25519_dalek"),
        ("megolm/batch.rs", "use hmac;", "megolm/batch.rs: names hmac"),
        ("olm/session.rs", "use serde::Serialize;", "olm/session.rs: names serde"),
        ("wire/olm.rs", "use serde::Serialize;", "wire/olm.rs: names serde"),
        ("nowhere.rs", "", "nowhere.rs: a module without a layer"),
    ] {
        assert_eq!(forbidden(path, code), [expected], "{code}");
    }
    for (path, code) in [
        (
            "ratchet/double.rs",
            "use crate::{error::A, keys::B, primitives::{C, olm::D}, ratchet::E};",
        ),
        ("ratchet/double.rs", "use super::{chain::A, megolm::B}; pub(crate) fn f() {}"),
        ("olm/session.rs", "#[cfg(test)] mod tests { use super::*; use super::super::account; }"),
        ("primitives/kdf.rs", "use sha2::Sha256;"),
        ("ratchet/handshake.rs", "let key = hkdf::<64>(salt);"),
        ("wire/olm.rs", "use crate::primitives::{ed25519::A, base64};"),
        (
            "pickle/native/mod.rs",
            "use crate::primitives::{chacha20poly1305::{self, A}}; chacha20poly1305::f();",
        ),
        (
            "ratchet/double.rs",
            &without_comments("a(); // use crate::olm::Account;\n/// crate::olm"),
        ),
    ] {
        assert_eq!(forbidden(path, code), [""; 0], "{code}");
    }
}

/// What a file of the naive oracle names outside its folder: the library, or the package around it.
fn borrowed(path: &str, code: &str) -> Vec<&'static str> {
    let outside = if path == "mod.rs" { "super::" } else { "super::super::" };
    ["moceril", "crate::", outside].into_iter().filter(|name| code.contains(name)).collect()
}

/// The naive oracle shares no code with the library, so that both cannot be wrong in the same way.
#[test]
fn the_naive_oracle_imports_nothing_of_the_library() {
    let oracle = sources_of("testing/src/naive");
    assert!(oracle.iter().any(|source| source.path == "megolm.rs"), "the oracle is read");
    for source in oracle {
        assert_eq!(borrowed(&source.path, &source.code), [""; 0], "{}", source.path);
    }
    assert_eq!(borrowed("olm.rs", "use moceril::olm::Account;"), ["moceril"]);
    assert_eq!(borrowed("olm.rs", "use crate::rng::SeededRng;"), ["crate::"]);
    assert_eq!(borrowed("olm.rs", "use super::super::rng;"), ["super::super::"]);
    assert_eq!(borrowed("mod.rs", "use super::rng;"), ["super::"]);
    assert_eq!(borrowed("olm.rs", "use super::codec;"), [""; 0]);
}

/// Each file has one job, so none is longer than what an auditor can read in one session.
#[test]
fn no_file_is_too_long() {
    let paths: Vec<_> = tracked().into_iter().filter(|path| path.ends_with(".rs")).collect();
    assert!(paths.iter().any(|path| path.starts_with("fuzz/")), "all packages are looked at");
    for path in paths {
        // Git still lists a file that was deleted and not committed.
        let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES, "{path} has {lines} lines");
    }
}

/// The map of the layers in `lib.rs` has every module, except those that only tests compile.
#[test]
fn the_map_names_every_module() {
    let map = include_str!("../../src/lib.rs").split("#![no_std]").next().unwrap();
    for source in sources() {
        let path = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
        let name = path.rsplit('/').next().unwrap();
        let exempt = path == "lib" || path.starts_with("primitives/tests") || name == "work";
        assert!(exempt || names(map, name), "{path} is not in the map");
    }
}
