"""The public API of a crate, from the JSON that rustdoc writes: one line for each item, with
everything that a caller can rely on, so that two crates that mean the same say the same.

    python3 proof/api_items.py FILE

A type has the shortest of its public paths. Left out are blanket impls, which other crates make,
private fields, and documentation. A method belongs to its type, whichever `impl` block it stands
in; `Self` is that type; a bound may stand in angle brackets or behind `where`.
"""

import json
import re
import sys
from pathlib import Path

RUSTDOC = json.loads(Path(sys.argv[1]).read_text())
INDEX, PATHS = RUSTDOC["index"], RUSTDOC["paths"]

found = {}  # id -> public paths
lines = set()


def item_of(identity):
    return INDEX.get(str(identity))


def kind_of(item):
    [(kind, inner)] = item["inner"].items()
    return kind, inner


def collect(identity, path):
    """Notes every public path of the items of a module."""
    found.setdefault(identity, set()).add(path)
    kind, inner = kind_of(item_of(identity))
    if kind != "module":
        return
    for child in inner["items"]:
        item = item_of(child)
        if item["visibility"] != "public":
            continue
        kind, use = kind_of(item)
        if kind != "use":
            collect(child, (*path, item["name"]))
        elif item_of(use["id"]) is None:
            lines.add(f"use {'::'.join((*path, use['name']))} {name_of(use['id'], use['source'])}")
        elif use["is_glob"]:
            collect(use["id"], path)
        else:
            collect(use["id"], (*path, use["name"]))


def name_of(identity, written):
    """The path of a type or trait; `written` is how the source names it."""
    if identity in found:
        return "::".join(min(found[identity], key=lambda path: (len(path), path)))
    known = PATHS.get(str(identity))
    return "::".join(known["path"]) if known else written


def normal(value, own=None):
    """A part of an item, with paths in place of ids, and `Self` in place of the type `own`."""
    if isinstance(value, list):
        return [normal(part, own) for part in value]
    if isinstance(value, str):
        return re.sub(r"^__([A-Z])$", r"\1", value)
    if not isinstance(value, dict):
        return value
    if value.keys() >= {"id", "path"}:
        return {"path": name_of(value["id"], value["path"]), "args": normal(value["args"], own)}
    if value.keys() >= {"params", "where_predicates"}:
        return generics(value, own)
    part = {key: normal(part, own) for key, part in value.items()}
    return {"generic": "Self"} if own is not None and part == own else part


def generics(value, own):
    """Parameters, and their bounds as if all stood behind `where`."""
    names, bounds = [], normal(value["where_predicates"], own)
    for parameter in value["params"]:
        name, kind = normal(parameter["name"]), normal(parameter["kind"], own)
        if "type" in kind:
            if kind["type"]["bounds"]:
                bounds.append(
                    {
                        "bound_predicate": {
                            "type": {"generic": name},
                            "bounds": kind["type"]["bounds"],
                            "generic_params": [],
                        }
                    }
                )
            kind = {"type": kind["type"]["default"]}
        names.append([name, kind])
    return {"params": names, "where": sorted(bounds, key=text)}


def text(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def add(what, path, value):
    lines.add(f"{what} {path} {text(value)}")


def fields(path, identities, own):
    """Public fields; those of a variant are as public as it is."""
    for identity in identities:
        item = item_of(identity) if identity is not None else None
        if item and item["visibility"] in ("public", "default"):
            add("field", f"{path}::{item['name']}", normal(kind_of(item)[1], own))


def shape(kind):
    """Whether a program can build or take apart a struct or a variant, and with which brackets."""
    if isinstance(kind, str):
        return kind, []
    [(name, inner)] = kind.items()
    identities = inner if isinstance(inner, list) else inner["fields"]
    private = None in identities or (isinstance(inner, dict) and inner["has_stripped_fields"])
    if private and not any(item_of(identity) for identity in identities if identity is not None):
        name = "opaque"
    return [name, private], identities


def implementation(path, item):
    _, block = kind_of(item)
    if block["blanket_impl"] is not None:
        return
    own = normal(block["for"])
    trait = normal(block["trait"], own) if block["trait"] else None
    if trait is not None:
        kind = [block["is_negative"], block["is_unsafe"]]
        add("impl", path, [trait, normal(block["generics"], own), kind, own])
        path = f"<{path} as {text(trait)}>"
    for identity in block["items"]:
        # The trait names the arguments of its functions.
        member(path, item_of(identity), own, names=trait is None)


def member(path, item, own, names=True):
    """A function, constant or type of a trait or an `impl` block.

    The value of a constant is not compared, because it may be written in several ways.
    """
    kind, inner = kind_of(item)
    inner = {key: part for key, part in inner.items() if key != "value"}
    if kind == "function" and not names:
        inner["sig"] = inner["sig"] | {"inputs": [kind for _, kind in inner["sig"]["inputs"]]}
    add(kind, f"{path}::{item['name']}", normal(inner, own))


def attributes(item):
    return [attribute for attribute in item["attrs"] if "non_exhaustive" in str(attribute)]


def describe(path, item):
    kind, inner = kind_of(item)
    if kind == "module":
        add(kind, path, None)
    elif kind in ("struct", "union"):
        form, identities = shape(inner["kind"] if kind == "struct" else {"plain": inner})
        add(kind, path, [normal(inner["generics"]), form, attributes(item)])
        fields(path, identities, None)
    elif kind == "enum":
        hidden = inner["has_stripped_variants"]
        add(kind, path, [normal(inner["generics"]), hidden, attributes(item)])
        for identity in inner["variants"]:
            variant = item_of(identity)
            _, content = kind_of(variant)
            name = f"{path}::{variant['name']}"
            form, identities = shape(content["kind"])
            add("variant", name, [form, content["discriminant"], attributes(variant)])
            fields(name, identities, None)
    elif kind == "trait":
        rest = {key: part for key, part in inner.items() if key not in ("items", "implementations")}
        add(kind, path, normal(rest))
        for identity in inner["items"]:
            member(path, item_of(identity), None)
    elif kind == "constant":
        add(kind, path, normal(inner["type"]))
    else:
        add(kind, path, normal(inner))
    if kind in ("struct", "union", "enum"):
        for identity in inner["impls"]:
            implementation(path, item_of(identity))


def main():
    root = RUSTDOC["root"]
    collect(root, (item_of(root)["name"],))
    for identity, paths in found.items():
        for path in paths:
            describe("::".join(path), item_of(identity))
    print(*sorted(lines), sep="\n")


main()
