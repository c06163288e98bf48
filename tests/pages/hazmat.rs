//! `moceril::hazmat` lists the methods that the feature `hazmat` adds to types of other modules.

use std::fs;

use moceril_testing::{
    public_functions::public_functions,
    sources::{names, root},
};

#[test]
fn every_method_of_the_feature_is_in_the_list() {
    let text = fs::read_to_string(root().join("src/hazmat.rs")).unwrap();
    let (list, types) = text.split_once("pub use").unwrap();
    let between = |letter: char| !letter.is_alphanumeric() && !matches!(letter, '_' | ':');
    let paths = || list.split(between);
    let mut methods = 0;
    for function in public_functions().into_keys() {
        let Some((of, method)) = function.name.split_once("::") else { continue };
        // The types that the feature adds have their own documentation.
        if !function.path.ends_with("/hazmat.rs") || names(types, of) {
            continue;
        }
        let name = format!("::{of}::{}", method.trim_end_matches("_with_rng"));
        assert!(paths().any(|path| path.ends_with(&name)), "{name}");
        methods += 1;
    }
    assert!(methods > 10, "{methods}");
}
