"""Lines of cargo-public-api, so that two crates that mean the same say the same.

A method belongs to its type, whichever `impl` block it stands in; `Self` is that type; a bound may
stand in angle brackets or behind `where`; whether private fields have names is nobody's business; and
of the two paths of the check code one is as good as the other.
"""

import re
import sys


def normal(line: str) -> str:
    line = re.sub(r"^(pub struct .*)\(_\)$", r"\1", line)
    line = re.sub(r"\becies::(CheckCode|DigitMode)\b", r"hpke::\1", line)
    line = re.sub(r"\b__([A-Z])\b", r"\1", line)
    function = re.match(r"(?:pub (?:const )?fn )((?:\w+::)*\w+)::\w+[<(]", line)
    if function:
        owner = re.escape(function.group(1))
        head, rest = line[: function.end()], line[function.end() :]
        line = head + re.sub(rf"(?<![\w:]){owner}(?![\w:])", "Self", rest)
        bound = re.search(r"<(\w+): ([\w:]+(?:<'\w+>)?)>\(", line)
        if bound:
            name, trait = bound.groups()
            line = line.replace(bound.group(0), f"<{name}>(") + f" where {name}: {trait}"
    return line


lines = {normal(line.rstrip("\n")) for line in sys.stdin}
# An `impl` block without a trait says nothing that its methods do not say.
print(*sorted(line for line in lines if not re.match(r"impl(<[^>]*>)? \S+$", line)), sep="\n")
