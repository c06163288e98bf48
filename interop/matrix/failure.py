"""What a failure says: the step, the person, the place, and what the servers said last."""

import ast
import pathlib
import traceback

import patience

HERE = pathlib.Path(__file__).parent
# They do what a step asks for: the step itself is in another file.
HELPERS = {"failure.py", "network.py", "patience.py", "person.py", "servers.py"}
LINES, WIDTH = 12, 200


def report(error, directory):
    """The text about an exception that has ended the scenario; what matters most is at its end."""
    lines = []
    for file in sorted(directory.glob("*/log")) + sorted(directory.glob("*/output")):
        lines += [f"the end of {file}:", *_end(file), ""]
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)
              if pathlib.Path(frame.filename).parent == HERE
              and pathlib.Path(frame.filename).name not in HELPERS]
    lines.append(f"failed step: {_step(frames)}")
    lines += [f"  at {pathlib.Path(frame.filename).name}:{frame.lineno}: {frame.line}"
              for frame in frames]
    lines += [f"last person and command: {patience.last_command()}",
              f"error: {type(error).__name__}: {error}"]
    return "\n".join(lines)


def _step(frames):
    """The step that was on its way: the next `check` in the innermost function that has one."""
    for frame in reversed(frames):
        tree = ast.parse(pathlib.Path(frame.filename).read_text())
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
                     and node.lineno <= frame.lineno <= node.end_lineno]
        checks = [node for function in functions[-1:] for node in ast.walk(function)
                  if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check"
                  and node.lineno >= frame.lineno]
        if checks:
            return ast.unparse(min(checks, key=lambda node: node.lineno).args[0])
    return "before the first"


def _end(file):
    lines = file.read_text(errors="replace").splitlines()
    return [f"  {line[:WIDTH]}" for line in lines[-LINES:]] or ["  (empty)"]
