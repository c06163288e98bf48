"""vodozemac's own unit and doc tests, as far as they use its public API, run on this crate.

    python3 proof/own_tests.py

The tests are taken from the registry's source, where cargo keeps it, and put into a crate of their own
in the target directory; nothing of it is ever committed. What does not compile there with the real
vodozemac uses private parts and is dropped. The rest must compile with this crate unchanged, and pass
wherever it passes with the real one, except for the tests of `EXPECTED`, which differ for a reason.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

from own_tests_source import doc_tests, unit_tests

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target")).resolve()
WORK = TARGET / "own-tests"
FEATURES = '["experimental-session-config", "insecure-pk-encryption", "low-level-api"]'

# Test, and why it differs: see "Differences" in README.md.
EXPECTED = {
    "unit_hpke_sender::snapshot_debug": "what Debug prints differs",
}

# Both libraries get the same random inputs, and so does the next run.
PROPTEST = {"PROPTEST_RNG_SEED": "1", "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "1"}

MANIFEST = """
[package]
name = "own-tests"
version = "0.0.0"
edition = "2024"
[workspace]
[lib]
path = "lib.rs"
[features]
default = ["experimental-session-config", "insecure-pk-encryption", "libolm-compat", "low-level-api"]
experimental-session-config = []
insecure-pk-encryption = []
libolm-compat = []
low-level-api = []
[dependencies]
vodozemac = {{ {source}, features = {features} }}
aes = "0.9"
anyhow = "1"
assert_matches2 = "0.1"
base64 = "0.23"
base64ct = "1"
ed25519-dalek = "3"
insta = {{ version = "1", default-features = false }}
matrix-pickle = "0.2"
olm-rs = "2.2"
proptest = {{ version = "1", default-features = false, features = ["std"] }}
prost = "0.14"
rand = "0.10"
serde = "1"
serde_json = "1"
x25519-dalek = "3"
zeroize = "1"
"""


def cargo(*arguments, library, **environment):
    """Runs cargo on the tests with one of the two libraries."""
    source = 'version = "=0.11.1"' if library == "real" else f'path = "{HERE}"'
    manifest = MANIFEST.format(source=source, features=FEATURES)
    if not (WORK / "Cargo.toml").exists() or manifest != (WORK / "Cargo.toml").read_text():
        (WORK / "Cargo.toml").write_text(manifest)
        # The versions and the profile of the repository, so that what is built for it is not built
        # again.
        shutil.copy(HERE / "Cargo.lock", WORK / "Cargo.lock")
    environment = os.environ | PROPTEST | {"CARGO_TARGET_DIR": str(TARGET)} | environment
    config = ["--config", str(ROOT / ".cargo" / "config.toml")]
    return subprocess.run(
        ["cargo", *config, *arguments], cwd=WORK, env=environment, text=True, capture_output=True
    )


def errors(library):
    """The lines of `lib.rs` that do not compile."""
    # Not `cargo check`: what the tests depend on would be compiled twice.
    result = cargo("test", "--lib", "--no-run", "--message-format=json", library=library)
    lines = {}
    for line in result.stdout.splitlines():
        message = json.loads(line).get("message")
        if isinstance(message, dict) and message["level"] == "error":
            spans = [span for span in message["spans"] if span["is_primary"]]
            for span in spans:
                while span.get("expansion") and not span["file_name"].endswith("lib.rs"):
                    span = span["expansion"]["span"]
                lines[span["line_start"]] = message["message"]
    if result.returncode and not lines:
        sys.exit(result.stderr)
    return lines


def write(items):
    """Writes the items as a library; returns the item of each line."""
    lines, owners = [], {}
    for module in dict.fromkeys(item.module for item in items):
        lines.append(f"#[cfg(test)] #[allow(warnings)] mod {module} {{")
        for item in items:
            if item.module == module and not item.dropped:
                for line in item.text.splitlines():
                    lines.append(line)
                    owners[len(lines)] = item
        lines.append("}")
    (WORK / "lib.rs").write_text("\n".join(lines) + "\n")
    return owners


def passing(library, **environment):
    # One thread, so that nothing is printed between the name of a test and its outcome.
    threads = ["--", "--test-threads=1"]
    result = cargo("test", "--lib", "--no-fail-fast", *threads, library=library, **environment)
    if "test result" not in result.stdout:
        sys.exit(result.stdout + result.stderr)
    (WORK / f"{library}.log").write_text(result.stdout)
    return set(re.findall(r"^test (\S+)(?: - should panic)? \.\.\. ok$", result.stdout, re.M))


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / "lib.rs").write_text("")
    metadata = json.loads(cargo("metadata", "--format-version=1", library="real").stdout)
    [package] = [p for p in metadata["packages"] if p["name"] == "vodozemac"]
    source = pathlib.Path(package["manifest_path"]).parent / "src"
    items = unit_tests(source) + doc_tests(source)

    while True:
        owners = write(items)
        bad = errors("real")
        if not bad:
            break
        for item in {owners[line] for line in bad}:
            item.dropped = True
    tests = [item for item in items if item.is_test]
    kept = [item for item in tests if not item.dropped]
    print(f"{len(kept)} of {len(tests)} tests use the public API only")

    if bad := errors("ours"):
        for line, message in sorted(bad.items()):
            print(f"{owners[line].name}: {message}")
        sys.exit("these do not compile with this crate")

    # The first run writes the snapshots that the others compare with.
    passing("real", INSTA_UPDATE="always")
    theirs = passing("real", INSTA_UPDATE="no")
    ours = passing("ours", INSTA_UPDATE="no")
    print(f"{len(theirs)} pass with vodozemac, {len(theirs & ours)} of these with this crate")
    unexpected = theirs - ours - set(EXPECTED)
    obsolete = set(EXPECTED) - (theirs - ours)
    for test, reason in EXPECTED.items():
        print(f"  expected: {test}: {reason}")
    for test in sorted(unexpected):
        print(f"  fails: {test}")
    for test in sorted(obsolete):
        print(f"  expected to fail, but passes: {test}")
    sys.exit(bool(unexpected or obsolete))


main()
