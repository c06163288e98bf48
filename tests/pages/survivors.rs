//! Every mutant that `assurance/mutants/survivors.txt` excuses is in a function that exists and has
//! the operator that many times. A line that outlives its code would excuse the next mutant of the
//! same name for a wrong reason.

use std::fs;

use moceril_testing::sources::root;

#[test]
fn every_survivor_has_its_function() {
    let root = root();
    let list = fs::read_to_string(root.join("assurance/mutants/survivors.txt")).unwrap();
    let mut lines = 0;
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        lines += 1;
        let mutant = line.split("  #").next().unwrap();
        let (place, change) = mutant.split_once(": ").expect("COUNT FILE: CHANGE");
        let (count, file) = place.split_once(' ').expect("COUNT FILE");
        let source = fs::read_to_string(root.join(file)).unwrap();
        let name = function(change);
        let bodies = bodies(&source, name);
        assert!(!bodies.is_empty(), "{file} has no `fn {name}`: {line}");
        if let Some(operator) = operator(change) {
            let found = bodies.iter().map(|body| body.matches(&operator).count()).max();
            assert!(
                found >= count.parse().ok(),
                "{file}: `fn {name}` has{operator}less often: {line}"
            );
        }
    }
    assert!(lines > 5, "{lines} survivors");
}

/// The name of the function that the mutant is in: `replace | with ^ in Type::name`, or `replace
/// Type::name -> Returned with value`.
fn function(change: &str) -> &str {
    let path = match change.rsplit_once(" in ") {
        Some((_, path)) => path,
        None => {
            let whole = change.strip_prefix("replace ").expect("a mutant of a whole function");
            let (path, _) = whole.split_once(" with ").expect("what it is replaced with");
            path.split(" -> ").next().unwrap()
        }
    };
    path.rsplit("::").next().unwrap()
}

/// The operator that the mutant replaces, as it stands in the source.
fn operator(change: &str) -> Option<String> {
    let (operator, _) = change.strip_prefix("replace ")?.split_once(" with ")?;
    operator.chars().all(|letter| letter.is_ascii_punctuation()).then(|| format!(" {operator} "))
}

/// The texts of the functions of this name, up to the brace that stands below their beginning.
fn bodies<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
    let starts = ["(", "<"].map(|next| format!("fn {name}{next}"));
    let places = starts.iter().flat_map(|start| source.match_indices(start.as_str()));
    let body = |place: usize| {
        let line = source[..place].rfind('\n').map_or(0, |end| end + 1);
        let text = source[line..].trim_start_matches(' ');
        let end = format!("\n{}}}\n", &source[line..source.len() - text.len()]);
        source[place..].split(&end).next().unwrap()
    };
    places.map(|(place, _)| body(place)).collect()
}

/// The forms in which cargo-mutants names a mutant.
#[test]
fn mutants_are_named_after_their_functions() {
    for (change, name, found) in [
        ("replace < with <= in Receiver::plan", "plan", Some(" < ")),
        ("replace |= with ^= in decode", "decode", Some(" |= ")),
        ("delete match arm Error::Limit in ContextR::open", "open", None),
        ("replace wipe with ()", "wipe", None),
        ("replace <impl Write for Length>::write -> Result<usize> with Ok(1)", "write", None),
        ("replace <impl A<'a> for L>::a::<impl V<'a> for W>::b -> R with Ok(x)", "b", None),
    ] {
        assert_eq!(function(change), name);
        assert_eq!(operator(change).as_deref(), found, "{change}");
    }
    let source = "fn a() {\n    1 | 2\n}\nimpl A {\n    fn a<T>() {\n        3 | 4\n    }\n}\n";
    assert_eq!(bodies(source, "a"), ["fn a() {\n    1 | 2", "fn a<T>() {\n        3 | 4"]);
    assert_eq!(bodies(source, "b"), [""; 0]);
}
