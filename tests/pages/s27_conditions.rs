//! S-27: no feature and no compiler flag weakens a check. Features only add items, and never remove
//! or change code.

use std::fs;

use moceril_testing::sources::{PRODUCTS, names, parts, root, sources, sources_of};

/// The names of the features that the Cargo.toml of a folder declares.
fn features(folder: &str) -> Vec<String> {
    let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let section = manifest.split("[features]").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap();
    let lines = section.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| Some(line.split_once(" = ")?.0.to_owned())).collect()
}

/// The conditions in the code under which something is compiled that may not be one.
fn bad_conditions(code: &str, features: &[String]) -> Vec<String> {
    let mut bad = Vec::new();
    for kind in ["cfg(", "cfg_attr(", "cfg!("] {
        for (place, _) in code.match_indices(kind) {
            let parts = parts(&code[place + kind.len()..]);
            let (condition, attributes) = parts.split_first().unwrap();
            // What is neither code nor a check: lints that tests may do without, documentation, and
            // the marks in it that docs.rs switches on.
            let harmless = ["deny(", "doc", "feature(doc_cfg)"];
            let harmless = |part: &&str| harmless.iter().any(|start| part.starts_with(start));
            let only_harmless = kind == "cfg_attr(" && attributes.iter().all(harmless);
            if !only_harmless && !only_adds(condition, features) {
                bad.push((*condition).to_owned());
            }
        }
    }
    bad
}

/// Whether the condition only adds something: in tests, or with features.
fn only_adds(condition: &str, features: &[String]) -> bool {
    let group = ["any(", "all("].iter().find_map(|kind| condition.strip_prefix(kind));
    if let Some(group) = group {
        return parts(group).into_iter().all(|condition| only_adds(condition, features));
    }
    let feature = condition.strip_prefix("feature = \"").and_then(|name| name.strip_suffix('"'));
    condition == "test" || feature.is_some_and(|name| features.iter().any(|known| known == name))
}

/// The one file that asks which implementation curve25519-dalek uses. Those who ask it choose
/// between two ways to the same result, and test both ways.
const CHOICE: (&str, [&str; 10]) = (
    "primitives/backend.rs",
    [
        "all(target_arch = \"x86_64\", feature = \"std\")",
        "not(all(target_arch = \"x86_64\", feature = \"std\"))",
        "all(target_arch = \"x86_64\", feature = \"std\")",
        "not(all(target_arch = \"x86_64\", feature = \"std\"))",
        "target_arch = \"x86_64\"",
        "curve25519_dalek_backend = \"fiat\"",
        "curve25519_dalek_backend = \"serial\"",
        "curve25519_dalek_bits = \"32\"",
        "target_arch = \"x86_64\"",
        "curve25519_dalek_backend = \"avx512\"",
    ],
);

/// The conditions of the products that are not features: a file without a name, which Linux alone
/// has, and its call; permissions in tests; and that the command needs a file where it cannot ask a
/// server.
const PLATFORMS: [(&str, &[&str]); 4] = [
    ("cli/main.rs", &["target_os = \"linux\""]),
    (
        "cli/output.rs",
        &["target_os = \"linux\"", "target_os = \"linux\"", "unix", "target_os = \"linux\""],
    ),
    ("cli/store/tests.rs", &["unix", "unix"]),
    ("cli/backup/mod.rs", &["not(feature = \"homeserver\")"]),
];

/// S-27: the same for what is built for users.
#[test]
fn s_27_nothing_is_compiled_out_of_the_products() {
    for folder in PRODUCTS {
        let features = features(folder);
        let sources = sources_of(&format!("{folder}/src"));
        assert!(!sources.is_empty(), "{folder}");
        for source in sources {
            let path = format!("{folder}/{}", source.path);
            let expected = PLATFORMS.iter().find(|(known, _)| *known == path);
            let expected = expected.map_or(&[][..], |(_, conditions)| conditions);
            assert_eq!(bad_conditions(&source.code, &features), expected, "{path}");
            assert!(!names(&source.code, "fuzzing"), "{path}");
        }
    }
}

/// S-27: code is compiled always, in tests, or with a feature that adds it. Nothing depends on a
/// fuzzer or on debug assertions, and nothing is compiled only without a feature.
#[test]
fn s_27_nothing_is_compiled_out() {
    let mut conditions = 0;
    let features = features("");
    for source in sources() {
        let expected = if source.path == CHOICE.0 { &CHOICE.1[..] } else { &[] };
        assert_eq!(bad_conditions(&source.code, &features), expected, "{}", source.path);
        conditions += source.code.matches("cfg").count();
        assert!(!names(&source.code, "fuzzing"), "{}", source.path);
        assert!(!names(&source.code, "unsafe"), "{}", source.path);
    }
    assert!(conditions > 10);
}

/// S-17: bare keys make a bundle only with the feature `hazmat`, which these tests switch on. An
/// example in the documentation shows that the call does not compile without it.
#[test]
fn s_17_bare_keys_need_the_feature_hazmat() {
    let bundle = sources().into_iter().find(|source| source.path == "olm/bundle.rs").unwrap();
    let (before, _) = bundle.code.split_once("pub fn from_unverified_keys(").unwrap();
    assert!(before.trim_end().ends_with("#[cfg(feature = \"hazmat\")]"));
}

/// S-27: the check above sees what it should see.
#[test]
fn s_27_a_bad_condition_is_noticed() {
    let features = features("");
    assert!(features.iter().any(|name| name == "hazmat"));
    let bad_conditions = |code: &str| bad_conditions(code, &features);
    for bad in [
        "fuzzing",
        "not(test)",
        "not(feature = \"std\")",
        "any(test, fuzzing)",
        "all(feature = \"std\", not(fuzzing))",
        "feature = \"no-such-feature\"",
        "debug_assertions",
        "target_arch = \"wasm32\"",
    ] {
        for code in [format!("#[cfg({bad})]"), format!("if cfg!({bad}) {{}}")] {
            assert_eq!(bad_conditions(&code), [bad], "{code}");
        }
    }
    let multiline = "#[cfg_attr(\n    fuzzing,\n    allow(a),\n)]";
    assert_eq!(bad_conditions(multiline), ["fuzzing"]);
    assert_eq!(bad_conditions("#![cfg_attr(docsrs, feature(other))]"), ["docsrs"]);
    for good in [
        "#[cfg_attr(not(feature = \"hazmat\"), doc = \"text\")]",
        "#[cfg(test)]",
        "#[cfg(any(test, feature = \"std\"))]",
        "#[cfg(feature = \"hazmat\")]",
        "#![cfg_attr(not(test), deny(clippy::panic))]",
        "#![cfg_attr(docsrs, feature(doc_cfg))]",
    ] {
        assert_eq!(bad_conditions(good), [""; 0], "{good}");
    }
}
