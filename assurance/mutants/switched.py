#!/usr/bin/env python3
"""Tests the mutants that cargo-mutants lists, with one build for all of them.

    switched.py TREE FILE...      FILE is a path in TREE, a copy of the repository, which is changed

The body of each function becomes a `match` with an arm for each of its mutants, and the environment
variable MUTANT chooses the arm. So a mutant costs the time of its tests alone. Each test first runs
without a mutant, to learn which functions it calls; a mutant is tested by the tests that call its
function, the fastest first.

Prints a line for each mutant, with its name:

    caught      a test failed, or ran out of time or of memory
    missed      no test failed; or no test ran, since survivors.txt has it
    unviable    it does not compile
    left        to cargo-mutants: a constant needs the function, or it returns `impl`, or it is
                within another; or it is no function
"""

import itertools
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Not `pages`: these tests read the sources, which are no longer as they were.
NAMES = ["promises", "vectors", "conversations", "wiping", "s45_bounded_work", "s49_fork"]
TESTS = ["--lib", *(f"--test={name}" for name in NAMES)]
CARGO = ["--all-features", "--package=moceril", "--package=moceril-tests"]
WORKERS = os.cpu_count()
# Bytes of address space for a program.
MEMORY = 4 << 30
# A test that takes longer than this, in seconds, runs after the others.
SLOW = 0.5

# Writes the number of each function when it is called for the first time. It does not allocate
# then, since some tests count that.
SWITCH = """
pub(crate) mod switch {
    use std::{
        env,
        fs::{File, OpenOptions},
        io::Write,
        sync::{
            LazyLock,
            atomic::{AtomicBool, Ordering},
        },
    };
    static MUTANT: LazyLock<u32> =
        LazyLock::new(|| env::var("MUTANT").map_or(0, |number| number.parse().unwrap()));
    static CALLS: LazyLock<Option<File>> = LazyLock::new(|| {
        let path = env::var_os("CALLS")?;
        Some(OpenOptions::new().append(true).create(true).open(path).unwrap())
    });
    static CALLED: [AtomicBool; FUNCTIONS] = [const { AtomicBool::new(false) }; FUNCTIONS];
    #[inline(never)]
    pub(crate) fn mutant(function: usize) -> u32 {
        if let Some(mut calls) = CALLS.as_ref()
            && !CALLED[function].swap(true, Ordering::Relaxed)
        {
            let mut line = [b'\\n'; 6];
            let mut rest = function;
            for digit in line[..5].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
            calls.write_all(&line).unwrap();
        }
        *MUTANT
    }
}
"""


class Source:
    """A file of the tree. Spans have lines and columns, which count characters from 1."""

    def __init__(self, path):
        self.path = path
        self.text = path.read_text()
        lengths = map(len, self.text.split("\n"))
        self.starts = list(itertools.accumulate((length + 1 for length in lengths), initial=0))

    def range(self, span):
        ends = span["start"], span["end"]
        return [self.starts[end["line"] - 1] + end["column"] - 1 for end in ends]


class Function:
    def __init__(self, number, source, mutants):
        self.number, self.source, self.mutants = number, source, mutants
        # The body. Every function has a mutant that replaces it.
        body = next(mutant["span"] for mutant in mutants if mutant["genre"] == "FnValue")
        self.start, self.end = source.range(body)
        start, _ = source.range(mutants[0]["function"]["span"])
        self.signature = source.text[start : self.start]
        self.name = re.search(r"\bfn (\w+)", self.signature)[1]
        if re.search(r"-> impl\b", self.signature):
            self.leave()

    def leave(self):
        """To cargo-mutants."""
        for mutant in self.mutants:
            mutant.update(compiles=False, result="left")

    def body(self, mutant):
        if mutant["genre"] == "FnValue":
            return mutant["replacement"]
        start, end = self.source.range(mutant["span"])
        text = self.source.text
        return text[self.start : start] + mutant["replacement"] + text[end : self.end]

    def switched(self):
        """The signature and the body. A function with a switch is not constant."""
        original = self.source.text[self.start : self.end]
        bodies = {m["number"]: self.body(m) for m in self.mutants if m["compiles"]}
        if not bodies:
            return self.signature + original
        lines = [f"match crate::switch::mutant({self.number}) {{"]
        for number, body in (bodies | {"_": original}).items():
            lines += [f"/*arm*/ {number} => {{", body, "}"]
        return self.signature.replace("const fn", "fn") + "\n".join([*lines, "}"])


def listed(tree, files):
    command = ["cargo", "mutants", "--list", "--json", "--all-features"]
    command += [f"--file={file}" for file in files]
    return json.loads(subprocess.run(command, cwd=tree, check=True, stdout=subprocess.PIPE).stdout)


def functions(tree, mutants):
    """The functions of which mutants can be switched."""
    sources, groups = {}, defaultdict(list)
    for number, mutant in enumerate(mutants, 1):
        mutant.update(number=number, compiles=True, result="left")
        function = mutant["function"]
        if function is None:
            mutant["compiles"] = False
            continue
        sources.setdefault(mutant["file"], Source(tree / mutant["file"]))
        groups[mutant["file"], function["span"]["start"]["line"]].append(mutant)
    found = [
        Function(number, sources[path], group)
        for number, ((path, _), group) in enumerate(groups.items())
    ]
    found.sort(key=lambda function: function.start)
    outer = []
    for function in found:
        if any(other.source is function.source and function.end < other.end for other in outer):
            function.leave()
        else:
            outer.append(function)
    return outer, list(sources.values())


def write(tree, all_functions, sources):
    """Writes the changed files. Returns, for each, the mutant of each of its lines."""
    mutants = {}
    for source in sources:
        pieces, place = [], 0
        for function in all_functions:
            if function.source is source:
                start = function.start - len(function.signature)
                pieces += [source.text[place:start], function.switched()]
                place = function.end
        text = "".join(pieces) + source.text[place:]
        if source.path == tree / "src/lib.rs":
            count = 1 + max(function.number for function in all_functions)
            text += SWITCH.replace("FUNCTIONS", str(count))
        source.path.write_text(text)
        lines, current = [], 0
        for line in text.split("\n"):
            if arm := re.match(r"/\*arm\*/ (\d*)", line):
                current = int(arm[1] or 0)
            lines.append(current)
        mutants[str(source.path.relative_to(tree))] = lines
    return mutants


def spans(message):
    """The places that a message is about, not those that explain it: these can be in the arm of
    another mutant, which compiles."""
    for span in message["spans"]:
        while span and span["is_primary"]:
            yield span
            span = span["expansion"] and span["expansion"]["span"] | {"is_primary": True}


def messages(tree, *command):
    command = ["cargo", *command, *CARGO, "--message-format=json"]
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    output = subprocess.run(command, cwd=tree, text=True, stdout=pipe, stderr=null)
    return output.returncode, [json.loads(line) for line in output.stdout.splitlines()]


def build(tree, all_functions, sources, mutants):
    """Builds the tests with all mutants that compile. Returns the programs."""
    lines = write(tree, all_functions, sources)
    # Some errors, such as an overflow, are found only when code is generated; some, only in tests.
    for command in ["check", "--lib"], ["build", "--lib"], ["test", "--no-run", *TESTS]:
        while True:
            code, output = messages(tree, *command)
            if code == 0:
                break
            wrong, constant = errors(output, lines)
            if not wrong and not constant:
                texts = [m["message"]["rendered"] for m in output if "message" in m]
                sys.exit("".join([*texts, f"cargo {command[0]} fails, and not because of a mutant"]))
            say(f"{len(wrong)} do not compile, {len(constant)} functions are constant")
            for number in wrong:
                mutants[number - 1].update(compiles=False, result="unviable")
            for function in all_functions:
                if function.name in constant:
                    function.leave()
            lines = write(tree, all_functions, sources)
    artifacts = [message for message in output if message["reason"] == "compiler-artifact"]
    return [artifact["executable"] for artifact in artifacts if artifact["profile"]["test"]]


def errors(output, lines):
    """The mutants in whose lines the compiler found errors, and the functions that constants
    call."""
    wrong, constant = set(), set()
    for message in (m["message"] for m in output if m["reason"] == "compiler-message"):
        # A note says which function an error of a generic function is from.
        if message["level"] not in ("error", "note"):
            continue
        if message["code"] and message["code"]["code"] == "E0015":
            constant.add(re.search(r"`(?:.*::)?(\w+)(?:::<.*>)?`", message["message"])[1])
            continue
        for span in spans(message):
            if span["file_name"] in lines:
                wrong.add(lines[span["file_name"]][span["line_start"] - 1])
    return wrong - {0}, constant


class Test:
    def __init__(self, program, name):
        self.program, self.name = program, name
        self.calls, self.seconds, self.passes = set(), 0.0, False

    def learn(self, tree):
        with tempfile.TemporaryDirectory() as folder:
            calls = Path(folder, "calls")
            start = time.monotonic()
            self.passes = run(tree, self.program, [self.name], 600, CALLS=str(calls))
            self.seconds = time.monotonic() - start
            if calls.exists():
                self.calls = set(map(int, calls.read_text().split()))


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(tree, program, names, seconds, **variables):
    """Whether the tests of these names pass in time."""
    command = [program, "--exact", *names, "-Zunstable-options", "--fail-fast", "--test-threads=1"]
    null = subprocess.DEVNULL
    process = subprocess.Popen(
        command,
        cwd=tree / "tests",
        # `--fail-fast` is not stable yet.
        env=os.environ | variables | {"RUSTC_BOOTSTRAP": "1", "RUST_BACKTRACE": "0"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
        start_new_session=True,
        stdin=null,
        stdout=null,
        stderr=null,
    )
    try:
        return process.wait(seconds) == 0
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
        return False


def tests_of(programs):
    for program in filter(None, programs):
        command = [program, "--list", "--format=terse"]
        lines = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout
        names = [line.removesuffix(": test") for line in lines.splitlines()]
        yield from (Test(program, name) for name in names if ": " not in name)


def caught(tree, number, tests):
    """Whether one of the tests fails. They run by program, the slow ones last."""

    def place(test):
        return test.seconds > SLOW, test.program

    for (_, program), group in itertools.groupby(sorted(tests, key=place), place):
        group = sorted(group, key=lambda test: test.seconds)
        names = [test.name for test in group]
        seconds = 20 + 10 * sum(test.seconds for test in group)
        if not run(tree, program, names, seconds, MUTANT=str(number)):
            return True
    return False


def without_place(name):
    return re.sub(":[0-9]+:[0-9]+:", ":", name, count=1)


def survivors():
    """How many mutants of each name have a reason to survive."""
    lines = Path(__file__).with_name("survivors.txt").read_text().splitlines()
    found = (re.match(r"(\d+) (.*?)  #", line) for line in lines)
    return {match[2]: int(match[1]) for match in found if match}


def main():
    tree, *files = sys.argv[1:]
    tree = Path(tree).resolve()
    mutants = listed(tree, files)
    all_functions, sources = functions(tree, mutants)
    if not any(source.path == tree / "src/lib.rs" for source in sources):
        sources.append(Source(tree / "src/lib.rs"))
    tests = list(tests_of(build(tree, all_functions, sources, mutants)))
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda test: test.learn(tree), tests))
        for test in tests:
            if not test.passes:
                sys.exit(f"{test.name} fails without a mutant")
        say(f"{len(tests)} tests, {sum(test.seconds for test in tests):.0f} seconds")
        known = survivors()
        names = Counter(without_place(mutant["name"]) for mutant in mutants)

        def judge(function, mutant):
            callers = [test for test in tests if function.number in test.calls]
            # If some of one name are caught, only the tests tell which.
            name = without_place(mutant["name"])
            if names[name] == known.get(name):
                callers = []
            mutant["result"] = "caught" if caught(tree, mutant["number"], callers) else "missed"
            say(f"{mutant['result']} {mutant['name']}")

        work = [
            pool.submit(judge, function, mutant)
            for function in all_functions
            for mutant in function.mutants
            if mutant["compiles"]
        ]
        for result in work:
            result.result()
    for mutant in mutants:
        print(mutant["result"], mutant["name"])


if __name__ == "__main__":
    main()
