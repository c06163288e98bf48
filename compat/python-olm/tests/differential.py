"""Makes the same random calls to two installations of the package, and compares what they give:

differential.py PYTHON_OF_THE_ORIGINAL PYTHON_OF_OURS SEED CALLS

In each episode the first difference ends the comparison. It must be one of these:
* an argument was damaged (or a pickle was of another kind), and ours refuses it, or refuses it for
  another reason, as the README of compat/libolm says;
* an argument was of a wrong type, and ours says so with a TypeError where the original failed
  otherwise.
"""

import collections
import itertools
import pathlib
import re
import subprocess
import sys
import tempfile

pythons, (seed, calls) = sys.argv[1:3], sys.argv[3:]
outputs = [tempfile.TemporaryFile("w+") for _ in pythons]
script = pathlib.Path(__file__).with_name("calls.py")
processes = [
    subprocess.Popen([python, "-B", script, seed, calls], stdout=output)
    for python, output in zip(pythons, outputs)
]
assert [process.wait() for process in processes] == [0, 0]
for output in outputs:
    output.seek(0)


def is_allowed(original, ours):
    if re.match(r"\w+ \(damaged\) ! (Olm|Pk)", ours):
        return True
    return "! TypeError" in ours and " ! " in original


counts = collections.Counter()
failures = []
is_compared = True
for original, ours in itertools.zip_longest(*outputs, fillvalue=""):
    if original.startswith("episode") and ours.startswith("episode"):
        is_compared = True
    elif is_compared and original == ours:
        counts["succeeded" if " = " in ours else "failed"] += 1
    elif is_compared:
        is_compared = False
        counts["allowed differences"] += 1
        if not is_allowed(original, ours):
            failures.append(original + ours)
print(
    "Compared:", *(f"{count} {what}," for what, count in counts.items()), f"{len(failures)} differ."
)
print("".join(failures))
if failures or counts["succeeded"] < int(calls) / 2:
    sys.exit(1)
