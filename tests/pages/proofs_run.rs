//! `cargo test`, as CONTRIBUTING.md gives it, compiles every test that SECURITY.md names: none is
//! left out by a feature that is off, or because no test binary has the file as a module. A step of
//! `.ci/run` runs the proofs that it does not run.

use std::{collections::BTreeSet, fs};

use moceril_testing::sources::{names, root};

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The features of a manifest's line `name = { ..., features = [...] }`, or of its table.
fn quoted(text: &str) -> BTreeSet<String> {
    text.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The names of the table of features.
fn features(manifest: &str) -> BTreeSet<String> {
    let table = manifest.split("\n[features]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let name = |line: &str| Some(line.split_once(" = ")?.0.to_owned());
    table.lines().filter(|line| !line.starts_with('#')).filter_map(name).collect()
}

/// What keeps a file of `tests/` from being compiled by `cargo test`.
fn left_out(path: &str, manifest: &str, main: Option<&str>, code: &str) -> Option<String> {
    let inside = path.strip_prefix("tests/")?;
    let binary = match inside.split_once('/') {
        Some((folder, file)) => {
            let module = format!("mod {};", file.strip_suffix(".rs")?);
            let lines: Vec<_> = main?.lines().collect();
            let Some(place) = lines.iter().position(|line| *line == module) else {
                return Some(format!("{path} is no module"));
            };
            if place > 0 && lines[place - 1].starts_with("#[cfg") {
                return Some(format!("{path} needs a feature"));
            }
            format!("{folder}/main.rs")
        }
        None => inside.to_owned(),
    };
    if !manifest.contains(&format!("\npath = \"{binary}\"\n")) {
        return Some(format!("{binary} is no test binary"));
    }
    // A file that is for one kind of system may be left out on others.
    let needs_a_feature = code.lines().any(|line| line.starts_with("#![cfg(feature"));
    needs_a_feature.then(|| format!("{path} needs a feature"))
}

#[test]
fn every_test_that_security_md_names_is_compiled() {
    let (page, manifest, root_manifest) =
        (read("SECURITY.md"), read("tests/Cargo.toml"), read("Cargo.toml"));
    assert!(root_manifest.contains("\ndefault-members = [\".\", \"benches\", \"tests\"]\n"));
    assert!(!manifest.contains("required-features") && !manifest.contains("test = false"));
    let on = manifest.lines().find(|line| line.starts_with("moceril = ")).unwrap();
    let on = quoted(on.split_once("features").unwrap().1);
    // `wasm_js` changes nothing on the platform of the tests.
    let always = ["default", "std", "wasm_js"].map(str::to_owned).into();
    assert_eq!(&features(&root_manifest) - &on, always, "features that are off in the tests");

    let named: BTreeSet<_> = page.split('`').skip(1).step_by(2).collect();
    let named: Vec<_> = named.into_iter().filter(|name| name.starts_with("tests/")).collect();
    assert!(named.len() > 50, "the files are found");
    for path in named {
        let main = path.split('/').nth(1).filter(|folder| !folder.ends_with(".rs"));
        // Not a file but a folder, of which the text speaks.
        if path.ends_with(".rs") {
            let main = main.map(|folder| read(&format!("tests/{folder}/main.rs")));
            assert_eq!(left_out(path, &manifest, main.as_deref(), &read(path)), None);
        }
    }
    assert!(
        names(&read("CONTRIBUTING.md"), "cargo")
            && read("CONTRIBUTING.md").contains("`cargo test`")
    );
}

/// Whether `.ci/run` calls a script in the folder of a proof, or tests its package.
fn is_in_a_step(path: &str, ci: &str) -> bool {
    let parts: Vec<_> = path.split('/').collect();
    let package = format!("-p {} ", parts[0]);
    let folder = format!("{}/{}/", parts[0], parts[1]);
    let mut commands = ci.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    commands.any(|line| line.contains(&package) || line.contains(&folder))
}

/// The names of the modules that a step of `.ci/run` chooses: a name that no module has would
/// choose nothing, and the step would succeed.
#[test]
fn every_module_that_a_step_chooses_is_there() {
    let (ci, main) = (read(".ci/run"), read("tests/promises/main.rs"));
    let chosen = ci.split("local modules=(").nth(1).and_then(|rest| rest.split(')').next());
    let chosen: Vec<_> = chosen.unwrap().split_whitespace().collect();
    assert!(chosen.len() > 5);
    for module in chosen {
        assert!(main.contains(&format!("\nmod {module};\n")), "no module {module}");
    }
}

#[test]
fn every_other_proof_that_security_md_names_is_in_a_step() {
    let (page, ci) = (read("SECURITY.md"), read(".ci/run"));
    let folders = ["assurance/", "bindings/", "compat/", "interop/"];
    let mut count = 0;
    for path in page.split('`').skip(1).step_by(2) {
        if folders.iter().any(|folder| path.starts_with(folder)) {
            assert!(is_in_a_step(path, &ci), "{path} is in no step of .ci/run");
            count += 1;
        }
    }
    assert!(count > 20, "the paths are found");
    let ci = "compat/c/tests/run\ncargo test -p interop --release\n";
    assert!(is_in_a_step("compat/c/tests/a.c", ci) && is_in_a_step("interop/tests/sas.rs", ci));
    assert!(!is_in_a_step("compat/c-two/tests/a.c", ci));
    assert!(!is_in_a_step("compat/c/tests/a.c", "    # compat/c/tests/run is slow\n"));
}

#[test]
fn a_test_that_is_left_out_is_noticed() {
    let manifest = "\npath = \"a/main.rs\"\n\npath = \"b.rs\"\n";
    let check = |path: &str, main: &str, code: &str| left_out(path, manifest, Some(main), code);
    let test = "#[test]\nfn f() {}\n";
    assert_eq!(check("tests/a/one.rs", "mod one;\nmod two;", test), None);
    assert_eq!(check("tests/b.rs", "", test), None);
    for (path, main, code) in [
        ("tests/a/one.rs", "mod two;", test),
        ("tests/a/one.rs", "#[cfg(feature = \"x\")]\nmod one;", test),
        ("tests/a/one.rs", "mod one;", "#![cfg(feature = \"x\")]\n#[test]\nfn f() {}\n"),
        ("tests/c.rs", "", test),
    ] {
        assert!(check(path, main, code).is_some(), "{path} {main} {code}");
    }
}
