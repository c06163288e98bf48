"""Finds the tests in a crate's source and says them in terms of its public API."""

import dataclasses
import re

# What a private module's items are re-exported from.
PUBLIC_MODULES = {"ecies", "hazmat", "hazmat::olm", "hpke", "megolm", "olm", "pk_encryption", "sas"}


@dataclasses.dataclass(eq=False)
class Item:
    """A function, an import or anything else in a module of tests."""

    module: str
    name: str
    text: str
    is_test: bool = False
    dropped: bool = False


TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|b?r(\#*)".*?"\1|b?"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])'|[{}()\[\];]|[^"'/{}()\[\];]+|.""",
    re.S,
)


def split_items(text):
    """The items of a module's body: each ends at a `;` or a closing brace outside of all brackets."""
    depth, start, items = 0, 0, []
    for token in TOKEN.finditer(text):
        value = token.group()
        if value in "{([":
            depth += 1
        elif value in "})]":
            depth -= 1
        ends = value == ";" or (value == "}" and not text[token.end() :].lstrip().startswith(";"))
        if depth == 0 and ends:
            items.append(text[start : token.end()])
            start = token.end()
    return [item.strip() for item in items if item.strip()]


def body(text, start):
    """What is between the brace at or after `start` and the one that closes it."""
    start = text.index("{", start)
    depth = 0
    for token in TOKEN.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(token.group(), 0)
        if depth == 0:
            return text[start + 1 : token.start()]
    raise ValueError("unbalanced braces")


def flatten(tree):
    """The paths of a `use` tree."""
    tree = tree.strip()
    group = tree.find("{")
    if group < 0:
        return [tree]
    prefix, inner = tree[:group], tree[group + 1 : tree.rindex("}")]
    depth, start, paths = 0, 0, []
    for index, character in enumerate(inner + ","):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            if part := inner[start:index].strip():
                paths += [prefix + path for path in flatten(part)]
            start = index + 1
    return [path.removesuffix("::self") for path in paths]


def public(path, module):
    """A path inside the crate as somebody outside has to write it."""
    path = re.sub(r"^super\b", "::".join(["crate", *module]), path)
    path = re.sub(r"^self\b", "::".join(["crate", *module, "test"]), path)
    if not path.startswith("crate"):
        return path
    *segments, name = path.split("::")[1:] or [""]
    prefix = "::".join(segments)
    prefix = re.sub(r"^cipher\b.*", "hazmat", prefix)
    while prefix and prefix not in PUBLIC_MODULES:
        prefix = prefix.rpartition("::")[0]
    return "::".join(part for part in ("vodozemac", prefix, name) if part)


def imports(item, module):
    tree = re.sub(r"^(?:#\[[^\]]*\]\s*|pub(?:\([^)]*\))?\s+)*use\s+", "", item).rstrip(";")
    for path in flatten(tree):
        yield f"use {public(path, module)};"


TEST_MODULE = re.compile(
    r"#\[cfg\([^\]]*\btest\b[^\]]*\]\s*(?:pub(?:\([^)]*\))?\s+)?mod (\w+)\s*\{"
)


def unit_tests(source):
    items = []
    for file in sorted(source.rglob("*.rs")):
        text = file.read_text()
        module = list(file.relative_to(source).with_suffix("").parts)
        module = [part for part in module if part not in ("lib", "mod")]
        for start in TEST_MODULE.finditer(text):
            items += module_items(text, start.end() - 1, module)
    return items


def module_items(text, start, module):
    name = "_".join(["unit", *module])
    seen, result = set(), []

    def add(item, **more):
        if item not in seen:
            seen.add(item)
            result.append(Item(name, **more, text=item))

    parts = split_items(body(text, start))
    # `super::*` means what the file imports, too.
    outer = [part for part in split_items(text[: text.rindex("#[cfg(", 0, start)]) if is_import(part)]
    if any("super::*" in part for part in parts):
        parts = outer + parts
    for part in parts:
        if is_import(part):
            for line in imports(part, module):
                add(line, name=line)
        else:
            function = re.search(r"\bfn (\w+)", part)
            part = re.sub(r"\b(?:crate|super)((?:::\w+)+)", lambda m: public(m.group(), module), part)
            is_test = re.search(r"^\s*#\[test\]", part, re.M) is not None
            label = function.group(1) if function else part.splitlines()[0]
            add(part, name=f"{name}::{label}", is_test=is_test)
    return result


def is_import(part):
    return re.match(r"(?:#\[[^\]]*\]\s*|pub(?:\([^)]*\))?\s+)*use\s", strip_comments(part)) is not None


def strip_comments(part):
    return re.sub(r"^(\s*//[^\n]*\n)+", "", part).lstrip()


def doc_tests(source):
    items = []
    for file in sorted(source.rglob("*.rs")):
        comments = re.findall(r"(?:^[ \t]*//[!/][^\n]*\n)+", file.read_text(), re.M)
        for comment in comments:
            lines = [re.sub(r"^\s*//[!/] ?", "", line) for line in comment.splitlines()]
            blocks = re.findall(r"^```(\w*)\n(.*?)^```", "\n".join(lines) + "\n", re.S | re.M)
            for language, code in blocks:
                if language not in ("", "rust"):
                    continue
                code = re.sub(r"^\s*# ?", "", code, flags=re.M)
                if "fn main" not in code:
                    code = f"fn main() {{\n{code}\n}}"
                name = f"doc_{len(items)}"
                test = f"#[test]\nfn example() {{{CALL}}}"
                items.append(Item(name, f"{name}::example", f"{code}\n{test}", is_test=True))
    return items


# `main` may return nothing or a result.
CALL = """
    trait Outcome { fn check(self); }
    impl Outcome for () { fn check(self) {} }
    impl<E: std::fmt::Debug> Outcome for Result<(), E> { fn check(self) { self.unwrap() } }
    main().check();
"""
