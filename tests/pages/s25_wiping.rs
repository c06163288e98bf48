//! S-25: `tests/wiping` calls every function that touches a secret. Which ones do, says
//! `assurance/constant-time/operations.txt`.

use std::collections::BTreeSet;

use moceril_testing::sources::{root, sources_of};

/// The traits of the list that no test of wiping has to call by name, each with the reason.
const EXEMPT: &[(&str, &str)] = &[
    ("AsRef for SecretBytes", "a reference to bytes that stay where they are"),
    ("AsRef for SecretString", "a reference to text that stays where it is"),
    ("Deref for SecretBytes", "a reference to bytes that stay where they are"),
    ("Deref for SecretString", "a reference to text that stays where it is"),
    ("Deserialize for AccountPickle", "`AccountPickle::from_encrypted` calls it"),
    ("Deserialize for Ed25519KeyPair", "`AccountPickle::from_encrypted` calls it"),
    ("Deserialize for GroupSessionPickle", "`GroupSessionPickle::from_encrypted` calls it"),
    (
        "Deserialize for InboundGroupSessionPickle",
        "`InboundGroupSessionPickle::from_encrypted` calls it",
    ),
    ("Deserialize for SessionPickle", "`SessionPickle::from_encrypted` calls it"),
    ("PartialEq for DecryptedMessage", "it compares in place and allocates nothing"),
    ("PartialEq for DecryptedMessageParts", "it compares in place and allocates nothing"),
    ("PartialEq for SasBytes", "it compares in place and allocates nothing"),
    ("PartialEq for SecretBytes", "it compares in place and allocates nothing"),
    ("PartialEq for SecretString", "it compares in place and allocates nothing"),
    ("SecretString::into_string", "it gives the text to the caller, who must wipe it"),
    ("Serialize for AccountPickle", "`AccountPickle::encrypt` calls it"),
    ("Serialize for Ed25519KeyPair", "`AccountPickle::encrypt` calls it"),
    ("Serialize for GroupSessionPickle", "`GroupSessionPickle::encrypt` calls it"),
    ("Serialize for InboundGroupSessionPickle", "`InboundGroupSessionPickle::encrypt` calls it"),
    ("Serialize for SessionPickle", "`SessionPickle::encrypt` calls it"),
    ("Ed25519PublicKey::verify", "a signature is public, and so is its key"),
];

/// The file and the name of each function that the list runs on secrets, or says it cannot.
fn secret_functions(list: &str) -> Vec<(&str, &str)> {
    let kinds = ["operation: ", "exception: "];
    list.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once("  "))
        .filter(|(_, entry)| kinds.iter().any(|kind| entry.trim_start().starts_with(kind)))
        .map(|(function, _)| function.split_once(' ').unwrap())
        .collect()
}

/// How a test must name a function: a name that several have needs its type or its module, and a
/// type's name that two types have needs the module.
fn needle(functions: &[(&str, &str)], path: &str, name: &str) -> String {
    if name.contains(" for ") {
        return name.to_owned();
    }
    let last = |name: &str| name.rsplit("::").next().unwrap().to_owned();
    let count = |same: &dyn Fn(&str) -> bool| functions.iter().filter(|it| same(it.1)).count();
    if count(&|other| !other.contains(" for ") && last(other) == last(name)) == 1 {
        return last(name);
    }
    let mut modules: Vec<_> = path.strip_suffix(".rs").unwrap().split('/').collect();
    modules.retain(|module| *module != "mod");
    if name.contains("::") && count(&|other| other == name) > 1 {
        format!("{}::{name}", modules[0])
    } else if name.contains("::") {
        name.to_owned()
    } else {
        format!("{}::{name}", modules.last().unwrap())
    }
}

/// Whether the code has this name or path, and not only as a part of a longer name.
fn has(code: &str, path: &str) -> bool {
    let joined = |letter: char| letter.is_alphanumeric() || letter == '_';
    code.match_indices(path).any(|(place, _)| {
        let (before, after) = (&code[..place], &code[place + path.len()..]);
        !before.ends_with(joined) && !after.starts_with(joined)
    })
}

/// What the tests do not name, and is not exempt; and what is exempt for nothing.
fn missing(list: &str, exempt: &[(&str, &str)], tests: &str) -> Vec<String> {
    let functions = secret_functions(list);
    let exempted: BTreeSet<_> = exempt.iter().map(|(name, _)| *name).collect();
    let needed = functions.iter().filter(|(_, name)| !exempted.contains(name));
    let unnamed = needed
        .map(|(path, name)| needle(&functions, path, name))
        .filter(|needle| !has(tests, needle))
        .map(|needle| format!("no test of wiping calls {needle}"));
    let stale = exempted
        .iter()
        .filter(|name| !functions.iter().any(|(_, other)| other == *name))
        .map(|name| format!("{name} is exempt, and is not in the list"));
    unnamed.chain(stale).collect()
}

#[test]
fn s_25_every_function_on_secrets_is_searched() {
    let list = root().join("assurance/constant-time/operations.txt");
    let list = std::fs::read_to_string(list).unwrap();
    assert!(secret_functions(&list).len() > 180, "the list is read");
    let tests: String = sources_of("tests/wiping").into_iter().map(|source| source.code).collect();
    let missing = missing(&list, EXEMPT, &tests);
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// The check above sees what it should see.
#[test]
fn s_25_a_function_that_no_test_calls_is_noticed() {
    let list = "# a comment  operation: x\n\
                a/b.rs A::f  operation: a::run\n\
                a/b.rs A::g  operation: a::run\n\
                a/b.rs B::g  exception: JSON\n\
                a/b.rs C::h  operation: a::run\n\
                c/mod.rs C::h  operation: a::run\n\
                a/d/mod.rs g  operation: a::run\n\
                a/b.rs A::p  public: nothing secret\n\
                a/b.rs D for A  operation: a::run";
    let exempt = [("D for A", "a reason")];
    let all = "x.f(); A::g(x); B::g(x); a::C::h(x); c::C::h(x); d::g(x);";
    let found = |tests: &str| missing(list, &exempt, tests);
    assert_eq!(found(all), [""; 0]);
    for name in ["f", "A::g", "B::g", "a::C::h", "c::C::h", "d::g"] {
        let others = all.replace(&format!("{name}("), "other(");
        assert_eq!(found(&others), [format!("no test of wiping calls {name}")]);
    }
    assert!(has("x.f()", "f") && !has("x.of()", "f") && !has("x.f_g()", "f"));
    let stale = missing(list, &["D for A", "A::p"].map(|name| (name, "a reason")), all);
    assert_eq!(stale, ["A::p is exempt, and is not in the list"]);
    assert_eq!(missing(list, &[], all), ["no test of wiping calls D for A"]);
}
