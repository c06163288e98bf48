"""Two clients on matrix-js-sdk talk in an encrypted room of two homeservers, one on the original
package and one on ours. In each turn they are started from their stores, and change packages. The
room keys are backed up, and a new device reads the room from the backup.

Run by `../../run conversation`, in the virtual environment of the homeserver, with interop/matrix
among the modules. Arguments: the folders of matrix-js-sdk, of the original and of our package; an
empty folder.
"""

import json
import pathlib
import signal
import subprocess
import sys
import time

import patience
from servers import check, federation

PASSWORD = "correct horse battery staple"


def eventually(condition):
    """Waits until it returns something, and returns that."""
    until = time.monotonic() + patience.limit()
    while not (result := condition()):
        if time.monotonic() > until:
            raise AssertionError("waited in vain")
        time.sleep(0.5)
    return result


class Client:
    process = None

    def __init__(self, sdk, homeserver, name, directory):
        self.sdk, self.homeserver, self.directory = sdk, homeserver, directory
        self.name, self.user_id = name, homeserver.register(name, PASSWORD)
        self.login()

    def login(self):
        """A new device, with an empty store."""
        answer = self.homeserver.request("POST", "/_matrix/client/v3/login", {
            "type": "m.login.password", "password": PASSWORD,
            "identifier": {"type": "m.id.user", "user": self.user_id}})
        self.device, self.token = answer["device_id"], answer["access_token"]

    def start(self, package, version):
        script = pathlib.Path(__file__).with_name("client.mjs")
        store = self.directory / f"{self.name}-{self.device}.json"
        self.process = subprocess.Popen(
            ["node", script, self.sdk, package, store, self.homeserver.url, self.user_id,
             self.device, self.token],
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=(self.directory / f"{self.name}.log").open("a"))
        assert self.ask("version") == version

    def ask(self, *command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("answer "):
                answer = json.loads(line.removeprefix("answer "))
                if "error" in answer:
                    raise AssertionError(f"{self.name}: {command[0]}: {answer['error']}")
                return answer["result"]
        raise AssertionError(f"{self.name} has ended; see {self.name}.log")

    def stop(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait(patience.limit())
            self.process = None


def say(speaker, listener, room, text, sent):
    speaker.ask("send", room, text)
    eventually(lambda: text in listener.ask("shown", room))
    sent.append(text)


def converse(alice, bob, original, ours):
    room, key, sent = None, None, []
    for turn, packages in enumerate([(ours, original), (original, ours), (ours, original)], 1):
        for client, package in zip((alice, bob), packages):
            client.start(*package)
        if room is None:
            room = alice.ask("create", [bob.user_id])
            eventually(lambda: bob.user_id in alice.ask("members", room))
        for number in range(3):
            say(alice, bob, room, f"Alice, turn {turn}, message {number}", sent)
            say(bob, alice, room, f"Bob, turn {turn}, message {number}", sent)
        for client in (alice, bob):
            eventually(lambda: set(sent) <= set(client.ask("shown", room)))
        if key is None:
            key = alice.ask("backup")
        eventually(lambda: alice.ask("waiting") == 0)
        check(f"turn {turn}: both read all {len(sent)} messages")
        alice.stop()
        bob.stop()
    return room, key, sent


def scenario(sdk, original, ours, directory, one, two):
    alice, bob = (Client(sdk, *place, directory) for place in ((one, "alice"), (two, "bob")))
    try:
        room, key, sent = converse(alice, bob, original, ours)
        for package, version in (ours, original):
            alice.login()
            alice.start(package, version)
            restored = alice.ask("restore", key)
            assert restored["imported"] == restored["total"] > 0, restored
            eventually(lambda: set(sent) <= set(alice.ask("shown", room)))
            check(f"a new device on {version} reads the room from the backup")
            alice.stop()
    finally:
        alice.stop()
        bob.stop()
    events = one.timeline(room, alice.token)
    assert [event["type"] for event in events].count("m.room.encrypted") == len(sent)
    assert not any(text in json.dumps(events) for text in sent)
    check("the server has no plaintext")


def main():
    # Ends as if by an interrupt, so that nothing is left running.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sdk, original, ours, directory = map(pathlib.Path, sys.argv[1:])
    with federation(directory) as (one, two):
        scenario(sdk, (original, "3.2.15"), (ours, "3.2.16"), directory, one, two)


if __name__ == "__main__":
    main()
