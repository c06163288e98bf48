"""A user with a client. The store outlives each command, so every command is a restart."""

import functools
import json
import sqlite3
import subprocess
import threading
import time

import patience
from network import Network

PASSWORD = "interop password"


class Person:
    """`client` is what comes before the store on the command line. A new device of a user is signed with
    the user's recovery key, if that is given."""

    def __init__(self, client, homeserver, directory, name, user_id=None, recovery=""):
        self.client, self.homeserver, self.store = client, homeserver, directory / name
        self.network = Network(homeserver.url)
        # Of the last command, and of all.
        self.warnings = self.log = ""
        self.user_id = user_id or homeserver.register(name, PASSWORD)
        output = self.run("login", self.user_id, "--homeserver", self.network.url,
                          answer=f"{PASSWORD}\n{recovery}")
        self.device_id = output.splitlines()[0].split()[-1]
        # The first device shows it, indented.
        shown = (line.strip() for line in output.splitlines() if line.startswith("  "))
        self.recovery = next(shown, recovery)

    def start(self, *command):
        patience.started(f"{self.user_id}: {' '.join(map(str, command))}")
        return subprocess.Popen(
            [*self.client, "--store", self.store, *command], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *command, answer=""):
        begun = time.monotonic()
        process = self.start(*command)
        output, self.warnings = self.end_of(process, answer + "\n")
        patience.took(time.monotonic() - begun)
        self.log += self.warnings
        if process.returncode != 0:
            words = " ".join(map(str, command))
            raise AssertionError(f"{self.user_id}: {words}: {self.warnings}")
        return output

    def end_of(self, process, answer=None):
        """What a command has written to its output and its errors when it ends."""
        try:
            return patience.end_of(process, self.network, answer)
        except AssertionError as error:
            raise AssertionError(f"{self.user_id} is {error}") from None

    def reads(self, room, *texts):
        """Waits until all these texts were shown, each once; returns what was shown."""
        shown, begun = "", time.monotonic()
        moved = begun
        while not all(text in shown for text in texts):
            limit = patience.limit()
            if time.monotonic() > min(moved + limit, begun + 5 * limit):
                raise AssertionError(f"{self.user_id} waits for {texts}, was shown:\n{shown}")
            new = self.run("tail", room, "--once")
            if new:
                shown, moved = shown + new, time.monotonic()
        for text in texts:
            assert shown.count(text) == 1, f"{text!r} was shown more than once:\n{shown}"
        return shown

    def sql(self, statement):
        """Looks into the store, or damages it, as a bug or a lost disk would."""
        with sqlite3.connect(self.store / "store.db") as store:
            rows = store.execute(statement).fetchall()
        store.close()
        return rows

    @functools.cache
    def token(self):
        """Of a device of its own, without keys: it sees what the server sees."""
        return self.homeserver.login(self.user_id, PASSWORD)

    def events(self, room):
        return self.homeserver.timeline(room, self.token())

    def sessions(self, room):
        """The ids of the Megolm sessions that this person has used in the room, the newest first."""
        return list(dict.fromkeys(
            event["content"]["session_id"] for event in self.events(room)
            if event["type"] == "m.room.encrypted" and event["sender"] == self.user_id))

    def has_member(self, room, other):
        path = f"/_matrix/client/v3/rooms/{room}/joined_members"
        members = self.homeserver.request("GET", path, token=self.token())
        assert other.user_id in members["joined"], json.dumps(members)

    def knows_device(self, other):
        devices = self.run("devices", other.user_id)
        assert other.device_id in devices, devices


def eventually(step):
    """Federation takes its time: repeats a step until it works."""
    begun = time.monotonic()
    while True:
        try:
            return step()
        except AssertionError:
            if time.monotonic() > begun + patience.limit():
                raise
            time.sleep(0.5)


def picture(symbols):
    """Some clients add the selector that asks for a coloured picture."""
    return symbols and symbols.replace("\ufe0f", "")


def verify(asking, answering, *options, sign=False):
    """Both compare emoji; the scenario compares what both were shown, as two people would. With `sign`,
    those who know their recovery key have their identity sign the other."""
    waiting = answering.start("verify", "--wait")
    asker = asking.start("verify", answering.user_id, answering.device_id, *options)
    shown = {}

    def read_emoji(process):
        # Two lines that begin with two spaces: symbols, descriptions.
        lines = (line.strip() for line in process.stdout if line.startswith("  "))
        shown[process.pid] = [next(lines, None), next(lines, None)]

    processes = [waiting, asker]
    readers = [threading.Thread(target=read_emoji, args=[process], daemon=True)
               for process in processes]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(patience.limit())
    emoji = [shown.get(process.pid) for process in processes]
    # Descriptions are in the words of each client.
    symbols = [lines and picture(lines[0]) for lines in emoji]
    same = symbols[0] is not None and symbols[0] == symbols[1]
    for person, process in zip((answering, asking), processes):
        try:
            process.stdin.write("yes\n" if same else "no\n")
            process.stdin.write(person.recovery + "\n" if sign else "\n")
            process.stdin.flush()
        except BrokenPipeError:
            pass
    ends = [person.end_of(process)
            for person, process in zip((answering, asking), processes)]
    assert same, f"the emoji differ: {emoji}, {ends}"
    for process, (_, errors) in zip(processes, ends):
        assert process.returncode == 0, errors
    return emoji[0][1]
