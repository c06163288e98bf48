//! S-47: an impossible state fails closed. No check is compiled out of a release build, and no
//! substitute is used for a missing buffer.

use moceril_testing::sources::{PRODUCTS, Source, names, sources, sources_of};

/// The sources of the library and of all that is built for users.
fn all_sources() -> Vec<Source> {
    let mut all = sources();
    for folder in PRODUCTS {
        let sources = sources_of(&format!("{folder}/src")).into_iter();
        all.extend(sources.map(|source| {
            let path = format!("{folder}/{}", source.path);
            Source { path, ..source }
        }));
    }
    all
}

/// What lets an impossible state pass in a release build.
fn open_failures(code: &str) -> Vec<&'static str> {
    // A function of the command's parser, for tests.
    let code = &code.replace(".debug_assert()", "");
    let checks = ["debug_assert", "debug_assert_eq", "debug_assert_ne", "debug_assertions"];
    let mut found: Vec<_> = checks.into_iter().filter(|check| names(code, check)).collect();
    // A part of a buffer that is not there would be encrypted, written or filled as an empty one.
    // It may be wiped as one.
    let dense: String = code.split_whitespace().collect();
    let parts = dense.split("get_mut(").skip(1).filter_map(|rest| rest.split_once(')'));
    let mut parts = parts.filter(|(place, _)| place.contains(".."));
    if parts.any(|(_, rest)| {
        let rest = rest.strip_prefix(".unwrap_or_default()");
        rest.is_some_and(|rest| !rest.starts_with(".zeroize()"))
    }) {
        found.push("an empty part of a buffer");
    }
    found
}

/// S-47: no length and no inner result is checked in debug builds only, and no buffer is replaced
/// by an empty one.
#[test]
fn s_47_no_check_is_left_out_of_a_release_build() {
    let sources = all_sources();
    let libraries = PRODUCTS.map(|folder| match folder {
        "cli" => "cli/main.rs".to_owned(),
        _ => format!("{folder}/lib.rs"),
    });
    for needed in libraries.iter().map(String::as_str).chain(["primitives/cbc_hmac/mod.rs"]) {
        assert!(sources.iter().any(|source| source.path == needed), "{needed} is read");
    }
    for Source { path, code, .. } in sources {
        assert_eq!(open_failures(&code), [""; 0], "{path}");
    }
}

/// S-47: the gate sees what it should see.
#[test]
fn s_47_an_open_failure_is_noticed() {
    for code in [
        "debug_assert!(encrypted.is_some());",
        "debug_assert_eq!(a, b);",
        "core::debug_assert_ne!(a, b);",
        "#[cfg(debug_assertions)]\nassert!(a);",
        "if cfg!(debug_assertions) {}",
        "let state = pickle.get_mut(HEADER_LENGTH..).unwrap_or_default();",
        "let state = pickle\n    .get_mut(..end)\n    .unwrap_or_default();",
    ] {
        assert_eq!(open_failures(code).len(), 1, "{code}");
    }
    for code in [
        "assert!(a);",
        "Cli::command().debug_assert();",
        "const { assert!(N <= 64) };",
        "rest.get_mut(..left).unwrap_or_default().zeroize();",
        "let state = pickle.get_mut(HEADER_LENGTH..).ok_or(PickleError::InvalidState)?;",
        "list.get_mut(place).unwrap_or_default();",
    ] {
        assert_eq!(open_failures(code), [""; 0], "{code}");
    }
}
