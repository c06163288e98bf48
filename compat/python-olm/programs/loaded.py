"""Which build of python-olm a process has loaded."""

import pathlib


def libraries(process="self"):
    """The files with Olm that a process has mapped."""
    lines = pathlib.Path(f"/proc/{process}/maps").read_text().splitlines()
    files = {pathlib.Path(line.split(maxsplit=5)[5]) for line in lines if len(line.split()) > 5}
    return {file.resolve() for file in files if "libolm" in file.name and ".so" in file.name}


def check(expected, process="self"):
    found = libraries(process)
    assert found == {expected.resolve()}, f"loaded {found} instead of {expected}"
