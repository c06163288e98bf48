"""Checks what the page has saved with the plain implementation of test-vectors/README.md.

Usage: transcripts.py <file>"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parents[3] / "interop/record"))
from check import check  # noqa: E402


def problem(folder, values):
    """What is wrong with a file of these values."""
    lines = [(key, value) for key, value in values.items() if key != "step"]
    lines += [("step", step) for step in values["step"]]
    path = Path(folder) / "file.txt"
    path.write_text("".join(f"{key}: {value}".rstrip() + "\n" for key, value in lines))
    return check(path)


saved = json.loads(Path(sys.argv[1]).read_text())
with TemporaryDirectory() as folder:
    for name, values in saved.items():
        assert problem(folder, values) is None, f"{name}: {problem(folder, values)}"
        for number, step in enumerate(values["step"]):
            words = step.split(" ")
            if "send" in words:
                words[-2 if words[0] == "send" else -3] = "00"  # another plaintext
                altered = values["step"][:number] + [" ".join(words)] + values["step"][number + 1 :]
                assert problem(folder, values | {"step": altered}), f"{name}: step {number}"
                break
        else:
            raise AssertionError(f"{name} has no message")
steps = sum(len(values["step"]) for values in saved.values())
print(f"{steps} steps in {len(saved)} transcripts hold in another implementation")
