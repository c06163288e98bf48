//! Checks that each file and function that `docs/auditing.md` and `docs/matrix.md` name exists.

use std::{fs, path::Path};

use moceril_testing::sources::{root, sources};

/// The files between backticks, with what follows `::`. Those without a folder are the example's.
fn named(page: &str) -> Vec<String> {
    let quoted = page.split('`').skip(1).step_by(2).filter(|text| text.contains(".rs"));
    let folder = |name: &str| if name.contains('/') { "" } else { "examples/matrix_chat/src/" };
    quoted.map(|name| format!("{}{name}", folder(name))).collect()
}

fn problems(page: &str) -> Vec<String> {
    let missing = |name: &String| {
        let (path, function) = name.split_once("::").unwrap_or((name, ""));
        let Ok(code) = fs::read_to_string(root().join(path)) else { return true };
        let starts = [format!("fn {function}("), format!("fn {function}<")];
        !function.is_empty() && !starts.iter().any(|start| code.contains(start))
    };
    named(page).into_iter().filter(missing).collect()
}

#[test]
fn every_file_and_function_is_there() {
    for page in [include_str!("../../docs/auditing.md"), include_str!("../../docs/matrix.md")] {
        assert!(named(page).len() > 100, "the page names {}", named(page).len());
        assert_eq!(problems(page), [""; 0]);
    }
}

#[test]
fn a_wrong_name_is_noticed() {
    let page = "`src/keys/id.rs` `src/keys/id.rs::number` `src/no.rs` `src/keys/id.rs::no` `no.rs`";
    assert_eq!(
        problems(page),
        ["src/no.rs", "src/keys/id.rs::no", "examples/matrix_chat/src/no.rs"]
    );
}

/// Every file of the ratchets and what they stand on is in the order of reading.
#[test]
fn nothing_of_the_core_is_left_out() {
    let page = include_str!("../../docs/auditing.md");
    let exempt = |path: &str| {
        let optional = [
            "ctr_hmac",
            "argon2",
            "hpke",
            "rng",
            "base58",
            "base64",
            "json",
            "hazmat",
            "unauthenticated",
        ];
        let for_tests = ["vectors", "wycheproof", "work"];
        let name = Path::new(path).file_stem().unwrap().to_str().unwrap();
        [&optional[..], &for_tests].concat().contains(&name) || name == "mod"
    };
    let core = ["primitives/", "wire/", "ratchet/", "olm/", "megolm/"];
    for path in sources().into_iter().map(|source| source.path) {
        let listed = page.contains(&format!("`src/{path}`"));
        let needed = core.iter().any(|folder| path.starts_with(folder)) && !exempt(&path);
        assert!(listed || !needed, "{path} is not on the page");
    }
}
