#!/usr/bin/env python3
"""The panic paths in a compiled libolm.so that its C functions can reach, one line each:

    SINK < ORIGIN

SINK is a function that never returns, such as core::panicking::panic_bounds_check. ORIGIN is the function outside
the standard library from whose source the call comes, directly or through functions of the standard library.

    linked.py LIBRARY      built with debug information and symbol mangling v0
"""

import bisect
import re
import subprocess
import sys
from collections import defaultdict

FUNCTIONS = 150
TRAP = "a trap instruction"
STANDARD_LIBRARY = r"/library/(core|alloc|std|panic_unwind|stdarch)/|^/rust/deps/|^\?\?"


def tool(*command, text=None):
    return subprocess.run(command, input=text, check=True, text=True, capture_output=True).stdout


def number(digits):
    return int(digits, 16)


class Image:
    """Functions and data objects are nodes, named by their addresses; imported functions have their own names."""

    def __init__(self, library):
        self.library = library
        self.names, self.exports = {}, {}
        for line in tool("nm", library).splitlines():
            address, kind, name = re.match(r"(\w*)\s+(\w) (\S+)", line).groups()
            if address and kind in "tTWw":
                self.names.setdefault(number(address), name)
                if kind == "T" and re.match("_?olm_", name):
                    self.exports[name] = number(address)  # some are one function with two names
        self.pointers, self.imports = {}, {}
        for line in tool("objdump", "-R", library).splitlines():
            if match := re.match(r"(\w+) R_X86_64_RELATIVE\s+\*ABS\*\+0x(\w+)", line):
                self.pointers[number(match[1])] = number(match[2])
            elif match := re.match(r"(\w+) R_X86_64_(?:GLOB_DAT|JUMP_SLOT)\s+(\w+)", line):
                self.imports[number(match[1])] = match[2]
        self.sites = defaultdict(list)  # function -> [(address of the instruction, node)]
        self.tails = defaultdict(set)  # function -> nodes that it jumps to
        self.returns = set()
        self.read_code()
        self.read_data()

    def read_code(self):
        function = previous = None
        for line in tool("objdump", "-d", "--no-show-raw-insn", self.library).splitlines():
            if match := re.match(r"(\w+) <.*>:$", line):
                function, previous = number(match[1]), None
                continue
            match = re.match(r"\s+(\w+):\t(?:addr32 |notrack |bnd )?(\S+)\s*(.*)", line)
            if not match:
                continue
            at, operation, operands = number(match[1]), match[2], match[3]
            if operation == "ret":
                self.returns.add(function)
            elif operation == "ud2" and previous != "call":
                self.sites[function].append((at, TRAP))
            elif operation == "call" or operation.startswith("j"):
                if node := self.target(operands):
                    self.refer(function, at, node, tail=operation != "call")
                elif operation == "jmp":
                    self.returns.add(function)  # the table of a `match`, or an indirect tail call
            elif mentioned := re.search(r"# (\w+) <", operands):
                address = number(mentioned[1])
                self.refer(function, at, address if operation == "lea" else self.content(address) or address)
            previous = operation if operation != "nop" else previous

    def target(self, operands):
        """Where a call or jump goes, directly or through the global offset table."""
        if direct := re.match(r"(\w+) <", operands):
            return number(direct[1])
        if indirect := re.match(r"\*.*# (\w+) <", operands):
            return self.content(number(indirect[1]))
        return None

    def content(self, slot):
        return self.imports.get(slot) or self.pointers.get(slot)

    def refer(self, function, at, node, tail=False):
        outside = node not in self.names and not isinstance(node, str)
        if tail and outside:
            return  # a jump within the function
        self.sites[function].append((at, node))
        if tail:
            self.tails[function].add(node)

    def read_data(self):
        """The data between two addresses that are referred to is one object, which refers to everything
        that it points to.
        """
        mentioned = {node for sites in self.sites.values() for _, node in sites if not isinstance(node, str)}
        sections = re.findall(r"^ +\d+ \S+ +\w+ +(\w+)", tool("objdump", "-h", self.library), re.M)
        starts = sorted(mentioned | set(self.pointers.values()) | set(map(number, sections)))
        self.data = defaultdict(set)
        for place, target in self.pointers.items():
            at = bisect.bisect_right(starts, place) - 1
            if at >= 0 and starts[at] not in self.names:
                self.data[starts[at]].add(target)

    def sinks(self):
        """Functions that never return: no `ret`, and no jump to a function that does."""
        sinks = {node for node in self.names if node in self.sites and node not in self.returns} | {"abort", TRAP}
        while returning := {sink for sink in sinks if any(node not in sinks for node in self.tails[sink])}:
            sinks -= returning
        return sinks

    def reachable(self, sinks):
        """The functions that the exported functions reach without passing through a sink."""
        seen, waiting = set(), list(self.exports.values())
        while waiting:
            node = waiting.pop()
            if node in seen or node in sinks:
                continue
            seen.add(node)
            waiting += [target for _, target in self.sites[node]] if node in self.sites else self.data[node]
        return seen

    def frames(self, sites):
        """For each call site, the functions whose source it is in, innermost first, with their files."""
        listing = tool("addr2line", "-e", self.library, "-a", "-i", "-f", "-C", text="\n".join(map(hex, sites)))
        frames = {}
        for part in re.split(r"^0x", listing, flags=re.M)[1:]:
            address, *lines = part.splitlines()
            frames[number(address)] = list(zip(lines[::2], lines[1::2]))
        return frames


def plain(name):
    """Without the hashes of crates, generic arguments, and the numbers of closures, which change too easily."""
    name = re.sub(r"\[[0-9a-f]{8,}\]|::\{closure#\d+\}", "", name)
    erased, depth = "", 0
    for at, letter in enumerate(name):
        # In `<T as Trait>::f` and `<T>::f` the first bracket does not open generic arguments.
        opens = letter == "<" and (depth or re.search(r"[\w>:]$", name[:at]))
        depth += bool(opens)
        if not depth:
            erased += letter
        depth -= bool(depth and letter == ">" and name[at - 1] != "-" and not opens)
    return erased.replace("::::", "::").rstrip(":")


class Origins:
    """The origins of a call: the innermost inlined function outside the standard library, or else the
    origins of its callers.
    """

    def __init__(self, image, reachable):
        self.callers = defaultdict(list)
        for function in reachable:
            for at, node in image.sites[function] if function in image.sites else ():
                self.callers[node].append((at, function))
            for node in image.data[function]:
                self.callers[node].append((None, function))
        self.frames = image.frames([at for calls in self.callers.values() for at, _ in calls if at])

    def behind(self, node, seen):
        found = set()
        for at, function in self.callers[node]:
            frames = self.frames.get(at, [])
            outside = [name for name, file in frames if not re.search(STANDARD_LIBRARY, file)]
            if outside:
                found.add(plain(outside[0]))
            elif function not in seen:
                seen.add(function)
                found |= self.behind(function, seen)
        return found


def main():
    image = Image(sys.argv[1])
    if len(image.exports) != FUNCTIONS:
        sys.exit(f"{len(image.exports)} C functions instead of {FUNCTIONS}: not the library, or without symbols")
    sinks = image.sinks()
    origins = Origins(image, image.reachable(sinks))
    reached = sorted((node for node in origins.callers if node in sinks), key=str)
    demangled = tool("c++filt", text="\n".join(image.names.get(sink, sink) for sink in reached)).splitlines()
    for line in sorted(
        f"{plain(name)} < {origin}"
        for sink, name in zip(reached, demangled)
        for origin in origins.behind(sink, set())
    ):
        print(line)


if __name__ == "__main__":
    main()
