//! S-52: `docs/models.md` says the same about each model in `assurance/models` as the model, query
//! by query. `assurance/models/run` checks that Verifpal agrees.

use std::fs;

use moceril_testing::sources::{root, tracked};

const FOLDER: &str = "assurance/models/";

/// What a line of the queries says: `confidentiality? m // holds`.
fn result(query: &str) -> Option<String> {
    let (query, result) = query.trim().split_once(" // ")?;
    let attack = match result.trim() {
        "holds" => None,
        attack => Some(attack.strip_prefix("attack: ")?),
    };
    let (kind, of) = query.trim().split_once("? ")?;
    let (holds, fails) = match kind {
        "confidentiality" => (format!("`{of}` is secret"), format!("**`{of}` is read**")),
        "authentication" => {
            let (sender, rest) = of.split_once(" -> ")?;
            let (_, message) = rest.split_once(": ")?;
            (
                format!("`{message}` is from {sender}, once"),
                format!("**`{message}` need not be from {sender}**"),
            )
        }
        _ => return None,
    };
    Some(attack.map_or(holds, |attack| format!("{fails}: {attack}")))
}

/// The row of the page for a model: its name, what its header claims, the results.
fn row(name: &str, model: &str) -> Option<String> {
    let header = model.lines().take_while(|line| *line != "//");
    let claim: Vec<_> = header.map(|line| line.strip_prefix("// ")).collect::<Option<_>>()?;
    let (_, queries) = model.split_once("\nqueries[\n")?;
    let queries = queries.strip_suffix("\n]\n")?;
    let results: Vec<_> = queries.lines().map(result).collect::<Option<_>>()?;
    let (claim, results) = (claim.join(" "), results.join("; "));
    Some(format!("| [{name}](../{FOLDER}{name}.vp) | {claim} | {results} |"))
}

#[test]
fn s_52_the_page_has_the_results_of_the_models() {
    let page = fs::read_to_string(root().join("docs/models.md")).unwrap();
    let models: Vec<_> = tracked().into_iter().filter(|path| path.ends_with(".vp")).collect();
    assert!(models.len() > 20, "the models are found");
    for path in &models {
        let name = path.strip_prefix(FOLDER).and_then(|file| file.strip_suffix(".vp")).unwrap();
        let model = fs::read_to_string(root().join(path)).unwrap();
        let row = row(name, &model).unwrap_or_else(|| panic!("{path}: not of the form"));
        assert!(page.lines().any(|line| line == row), "not a row of docs/models.md:\n{row}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| [")).count();
    assert_eq!(rows, models.len(), "a row is of no model");
}

/// The check above sees what it should see.
#[test]
fn s_52_a_query_without_a_result_is_noticed() {
    let model =
        "// A claim,\n// with a reason.\n//\n\nqueries[\n    confidentiality? m // holds\n]\n";
    let expected = "| [a](../assurance/models/a.vp) | A claim, with a reason. | `m` is secret |";
    assert_eq!(row("a", model).as_deref(), Some(expected));
    let with = |query: &str| row("a", &model.replace("confidentiality? m // holds", query));
    assert!(with("authentication? A -> B: e // attack: replay").unwrap().contains("**: replay |"));
    for query in ["confidentiality? m", "confidentiality? m // maybe", "secrecy? m // holds"] {
        assert_eq!(with(query), None, "{query}");
    }
}
