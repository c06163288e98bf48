"""How long the scenario waits: as long as something moves, and longer on a slower machine.

A client is stuck when it neither ends nor talks to its server for as long as `limit` says. The limit follows from how
long the slowest command took so far, so a busy machine makes it longer.
"""

import subprocess
import time

# Seconds. An idle machine starts a homeserver within ten, and runs a command within two.
AT_LEAST, AT_MOST = 120, 1_800
TIMES_THE_SLOWEST = 30

_slowest = 0.0
_last_command = "none yet"


def limit():
    """Seconds in which something must move."""
    return min(AT_MOST, max(AT_LEAST, TIMES_THE_SLOWEST * _slowest))


def took(seconds):
    """A command, or the start of a server, took so long."""
    global _slowest
    _slowest = max(_slowest, seconds)


def started(command):
    """Notes whose command was the last one, for the report of a failure."""
    global _last_command
    _last_command = command


def last_command():
    return _last_command


def end_of(process, network, answer=None):
    """What a client has written to its output and its errors when it ends. `network` is what it talks through."""
    begun = time.monotonic()
    while True:
        try:
            return process.communicate(answer, timeout=1)
        except subprocess.TimeoutExpired:
            answer = None  # It is sent only once.
        now = time.monotonic()
        quiet = now - max(begun, network.moved)
        if quiet > limit() or now - begun > 5 * limit():
            process.kill()
            output, errors = process.communicate()
            raise AssertionError(
                f"stuck: started {now - begun:.0f} s ago, no request for {quiet:.0f} s;"
                f" output: {output!r}; errors: {errors!r}")
