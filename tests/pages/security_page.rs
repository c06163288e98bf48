//! SECURITY.md is true: each guarantee names files that exist and cite its number, no number is
//! missing, the limits are the code's, and every dependency is listed and wipes what it can.

use std::{collections::BTreeSet, fs};

use moceril::{
    PassphraseCost, key_export,
    megolm::ReplayGuard,
    olm::{Account, Limits},
    room_keys::ExportParser,
};
use moceril_testing::sources::{root, sources_of};

/// Dependencies that offer no feature `zeroize`: they hold no secret after a call, or wipe in any
/// case.
const WITHOUT_ZEROIZE: [&str; 10] = [
    "base64ct",
    "getrandom",
    "hkdf",
    "hpke",
    "pbkdf2",
    "rand",
    "serde",
    "serde_json",
    "subtle",
    "zeroize",
];

fn page() -> String {
    fs::read_to_string(root().join("SECURITY.md")).unwrap()
}

/// What stands under a heading of the page.
fn section(page: &str, heading: &str) -> String {
    let after = page.split(&format!("\n## {heading}\n")).nth(1).unwrap();
    after.split("\n## ").next().unwrap().to_owned()
}

/// The rows of the table of guarantees: number, promise, proof.
fn rows(page: &str) -> Vec<(String, String)> {
    let rows = page.lines().filter(|line| line.starts_with("| S-"));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [id, promise, proof] = cells[..] else { panic!("three cells: {row}") };
        assert!(promise.len() > 20, "{id} promises nothing");
        (id.to_owned(), proof.to_owned())
    })
    .collect()
}

/// The files that a cell names.
fn files(proof: &str) -> Vec<String> {
    proof.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_number_is_a_guarantee_once() {
    let page = page();
    let listed: Vec<_> = rows(&page).into_iter().map(|(id, _)| id).collect();
    let all: Vec<_> = (1..=52).map(|number| format!("S-{number:02}")).collect();
    assert_eq!(listed, all);
}

#[test]
fn every_guarantee_is_cited_where_it_is_proved() {
    for (id, proof) in rows(&page()) {
        let files = files(&proof);
        assert!(!files.is_empty(), "{id}: {proof}");
        let as_name = id.to_lowercase().replace('-', "_");
        for file in files {
            let text = fs::read_to_string(root().join(&file));
            let text = text.unwrap_or_else(|_| panic!("{id}: there is no {file}"));
            assert!(text.contains(&id) || text.contains(&as_name), "{file} does not cite {id}");
        }
    }
}

/// The file names of tests say which guarantee they are about, and the files cite it.
#[test]
fn every_test_file_cites_the_guarantee_that_it_is_named_after() {
    let mut named = BTreeSet::new();
    for source in sources_of("tests") {
        let file = source.path.rsplit('/').next().unwrap();
        let number = file.strip_prefix('s').and_then(|rest| rest.split('_').next());
        let Some(number) = number.filter(|number| number.parse::<u8>().is_ok()) else {
            assert!(
                !source.path.starts_with("promises/") || file == "main.rs",
                "{file}: no number"
            );
            continue;
        };
        let text = fs::read_to_string(root().join("tests").join(&source.path)).unwrap();
        let cited = [format!("S-{number}"), format!("s_{number}_")];
        assert!(cited.iter().any(|cited| text.contains(cited)), "{file} does not cite S-{number}");
        named.insert(number.to_owned());
    }
    assert!(named.len() > 25, "the files are read");
}

/// The beginning of a row of limits: what is limited, and to how much.
fn limit(name: &str, value: &str) -> String {
    format!("\n| {name} | {value} |")
}

/// With commas between the thousands.
fn grouped(number: impl Into<u64>) -> String {
    let mut text = number.into().to_string();
    for place in
        (1..text.len()).rev().filter(|place| (text.len() - place) % 3 == 0).collect::<Vec<_>>()
    {
        text.insert(place, ',');
    }
    text
}

#[test]
fn the_limits_are_those_of_the_code() {
    let section = section(&page(), "Limits, with reasons");
    let by_choice = |default: u32, most: u32| {
        format!("{}, up to {} by choice", grouped(default), grouped(most))
    };
    let key_export_rounds = grouped(key_export::MAX_ROUNDS);
    let PassphraseCost { memory_kib, passes, lanes } = PassphraseCost::RECOMMENDED_LIMIT;
    let argon2id = format!("{} MiB, {passes} passes, {lanes} lanes", memory_kib >> 10);
    let expected = [
        limit(
            "skipped keys per chain",
            &by_choice(Limits::DEFAULT_SKIPPED_KEYS, Limits::MAX_SKIPPED_KEYS),
        ),
        limit(
            "messages ahead of a chain",
            &by_choice(Limits::DEFAULT_MESSAGE_GAP, Limits::MAX_MESSAGE_GAP),
        ),
        limit(
            "chains of the peer",
            &by_choice(Limits::DEFAULT_RECEIVER_CHAINS, Limits::MAX_RECEIVER_CHAINS),
        ),
        limit("dropped chains remembered", &grouped(Limits::REMEMBERED_CHAINS as u64)),
        limit("one-time keys of an account", &grouped(Account::MAX_STORED_ONE_TIME_KEYS as u64)),
        limit(
            "sessions that a fallback key remembers",
            &format!(
                "{}, {} of one sender; up to {} by choice",
                grouped(Account::DEFAULT_FALLBACK_MEMORY as u64),
                Account::FALLBACK_SHARE,
                grouped(Account::MAX_FALLBACK_MEMORY as u64)
            ),
        ),
        limit(
            "replay guard",
            &format!("{} messages, by choice", grouped(ReplayGuard::DEFAULT_CAPACITY)),
        ),
        limit(
            "rounds of a key export file",
            &format!("{key_export_rounds}, by the caller's choice"),
        ),
        limit(
            "iterations of a secret storage's passphrase",
            &format!(
                "{}, by the caller's choice",
                grouped(moceril::secret_storage::MAX_ITERATIONS)
            ),
        ),
        limit("Argon2id of a pickle", &format!("{argon2id}, by the caller's choice")),
        // It has no constant: `s11_counters.rs` reaches the last index.
        limit("message indices of a chain or group session", "2^32"),
        limit(
            "rounds of a new key export file",
            &format!("at least {}, fewer only by name", grouped(key_export::MIN_ROUNDS)),
        ),
        limit(
            "an entry of a key export file that is read in pieces",
            &format!("{} MiB", ExportParser::MAX_ENTRY_LENGTH >> 20),
        ),
        limit(
            "Argon2id of a new key",
            &format!(
                "at least {} MiB, {} passes, {} lane, less only by name",
                PassphraseCost::MINIMUM.memory_kib >> 10,
                PassphraseCost::MINIMUM.passes,
                PassphraseCost::MINIMUM.lanes
            ),
        ),
    ];
    for row in &expected {
        assert!(section.contains(row), "not a row of SECURITY.md: {row}");
    }
    // Without the two lines of the head.
    assert_eq!(section.lines().filter(|line| line.starts_with('|')).count() - 2, expected.len());
}

/// S-25: also that `zeroize` is on in every dependency that has it.
#[test]
fn the_dependencies_are_all_justified_and_wipe() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let dependencies = manifest.split("\n[dependencies]\n").nth(1).unwrap();
    let dependencies = dependencies.split("\n[").next().unwrap();
    let (mut always, mut optional) = (BTreeSet::new(), BTreeSet::new());
    for line in dependencies.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, settings) = line.split_once(" = ").unwrap();
        let set = if settings.contains("optional = true") { &mut optional } else { &mut always };
        set.insert(name.to_owned());
        let wipes = settings.contains("\"zeroize\"");
        assert_eq!(wipes, !WITHOUT_ZEROIZE.contains(&name), "{name}: {settings}");
    }
    let section = section(&page(), "Dependencies");
    let (first, second) = section.split_once("Only behind a feature:").unwrap();
    let named = |table: &str| -> BTreeSet<String> {
        let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
        rows.flat_map(|row| files(&format!("`{}", row.split(" | ").next().unwrap()))).collect()
    };
    assert_eq!(named(first), always);
    assert_eq!(named(second), optional);
}
