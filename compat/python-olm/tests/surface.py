"""Prints the public names of the `olm` package that is installed: classes, their bases and members,
and parameters with their defaults. Two packages with the same interface print the same."""

import importlib
import inspect


def parameters(function):
    return ", ".join(
        f"{parameter.kind.name} {name} {parameter.default!r}"
        for name, parameter in inspect.signature(function).parameters.items()
    )


def is_public(name):
    return not name.startswith("_") or name in ["__init__", "__new__", "__repr__", "__str__"]


def members(kind):
    """Those of all bases, so that it does not matter which base has them."""
    for name, member in sorted(inspect.getmembers_static(kind)):
        if not is_public(name) or any(
            member is vars(base).get(name) for base in [object, Exception, BaseException]
        ):
            continue
        if isinstance(member, property):
            yield f"{name}: property"
        elif name == "__new__" and "_kwargs" in parameters(kind.__new__):
            continue  # accepts what __init__ accepts, as object.__new__ does
        elif callable(member) or isinstance(member, (classmethod, staticmethod)):
            yield f"{name}: {type(member).__name__} {parameters(getattr(kind, name))}"


for module in ["", ".account", ".group_session", ".pk", ".sas", ".session", ".utility"]:
    module = importlib.import_module("olm" + module)
    for name, thing in sorted(vars(module).items()):
        # What a module imports is not its interface, except for the package itself.
        is_here = getattr(thing, "__module__", "").startswith(module.__name__)
        if name.startswith("_") or not is_here or not callable(thing):
            continue
        print(module.__name__, name)
        if not inspect.isclass(thing):
            print("   ", parameters(thing))
            continue
        bases = [
            base.__name__ for base in thing.__mro__[1:] if not base.__module__.endswith("_native")
        ]
        print("    bases:", *bases)
        for member in members(thing):
            print("   ", member)
