"""Four programs on python-olm talk in one encrypted room of two homeservers: pantalaimon, maubot, a
client on mautrix and one on matrix-nio. They do so three times, restarted from their stores in
between: on python-olm, on our package, and on python-olm again.

Run by `../run conversation`, in the virtual environment of the homeserver, with interop/matrix
among the modules. Arguments: the folders of the two packages; the environments of pantalaimon and
of the others; an empty folder.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import loaded
import patience
from person import PASSWORD, Person, eventually
from servers import check, federation, free_ports

HERE = pathlib.Path(__file__).parent
ENCRYPTION = {"type": "m.room.encryption", "state_key": "",
              "content": {"algorithm": "m.megolm.v1.aes-sha2"}}


class Package:
    """A build of python-olm in a folder of its own, which comes before the environment's."""

    def __init__(self, folder):
        self.environment = {**os.environ, "PYTHONPATH": f"{folder}:{os.environ['PYTHONPATH']}"}
        [self.library] = [file for file in folder.rglob("*.so") if "libolm" in file.name]


class Program:
    """A process that runs until it is stopped. Its store is in a folder."""

    process = token = None

    def __init__(self, homeserver, directory, name):
        self.homeserver, self.folder = homeserver, directory / name
        self.folder.mkdir()
        self.user_id = homeserver.register(name, PASSWORD)

    def login(self, **identity):
        """Makes a device."""
        answer = self.homeserver.request("POST", "/_matrix/client/v3/login", {
            "type": "m.login.password", "password": PASSWORD,
            "identifier": {"type": "m.id.user", "user": self.user_id}})
        self.device_id, self.token = answer["device_id"], answer["access_token"]

    def run(self, package, *command):
        self.process = subprocess.Popen(
            list(map(str, command)), env=package.environment, cwd=self.folder, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=(self.folder / "log").open("a"))
        self.lines = []
        threading.Thread(target=self._collect, args=[self.process.stdout], daemon=True).start()
        eventually(lambda: loaded.check(package.library, self.process.pid))

    def _collect(self, output):
        for line in output:
            self.lines.append(line)

    def stop(self):
        if self.process:
            self.process.stdin.close()
            self.process.terminate()
            self.process.wait(patience.limit())
            self.process = None


class Pantalaimon(Program):
    """A proxy that encrypts and decrypts for a client without encryption, which is this class."""

    def __init__(self, python, *place):
        super().__init__(*place)
        self.python, [port] = python, free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        (self.folder / "pantalaimon.conf").write_text(
            "[local]\n"
            f"Homeserver = {self.homeserver.url}\nListenPort = {port}\n"
            "IgnoreVerification = True\nUseKeyring = no\n")

    def start(self, package):
        self.run(package, self.python, "-m", "pantalaimon.main", "--config", "pantalaimon.conf",
                 "--data-path", self.folder, "--log-level", "info")
        eventually(lambda: self.request("GET", "/_matrix/client/versions"))

    def request(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method)
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data, timeout=patience.limit()) as answer:
                return json.load(answer)
        except urllib.error.URLError as error:
            raise AssertionError(f"pantalaimon: {path}: {error}") from None

    def login(self):
        answer = self.request("POST", "/_matrix/client/v3/login", {
            "type": "m.login.password", "password": PASSWORD,
            "identifier": {"type": "m.id.user", "user": self.user_id}})
        self.token = answer["access_token"]

    def create(self, invited):
        room = self.request("POST", "/_matrix/client/v3/createRoom", {
            "preset": "private_chat", "invite": invited, "initial_state": [ENCRYPTION]})
        return room["room_id"]

    def say(self, room, text):
        path = f"/_matrix/client/v3/rooms/{room}/send/m.room.message/{time.monotonic_ns()}"
        eventually(lambda: self.request("PUT", path, {"msgtype": "m.text", "body": text}))

    def shown(self, room):
        path = f"/_matrix/client/v3/rooms/{urllib.parse.quote(room)}/messages?dir=b&limit=100"
        bodies = [event["content"].get("body") for event in self.request("GET", path)["chunk"]]
        return "\n".join(filter(None, bodies))


class Mautrix(Program):
    def __init__(self, python, *place):
        super().__init__(*place)
        self.python = python
        self.login()

    def start(self, package):
        self.run(package, self.python, HERE / "mautrix_client.py", "store.db", self.homeserver.url,
                 self.user_id, self.device_id, self.token)

    def say(self, room, text):
        self.process.stdin.write(f"{room} {text}\n")
        self.process.stdin.flush()

    def shown(self, room):
        return "".join(self.lines)


class Maubot(Program):
    def __init__(self, python, *place):
        super().__init__(*place)
        self.python = python
        self.login()
        # JSON is YAML.
        (self.folder / "config.yaml").write_text(json.dumps({
            "user": {
                "credentials": {"id": self.user_id, "homeserver": self.homeserver.url,
                                "access_token": self.token, "device_id": self.device_id},
                "autojoin": True, "ignore_initial_sync": False, "ignore_first_sync": False,
                "displayname": "disable", "avatar_url": "disable"},
            "database": f"sqlite:{self.folder}/bot.db"}))

    def start(self, package):
        self.run(package, self.python, "-m", "maubot.standalone", "--config", "config.yaml",
                 "--meta", HERE / "bot/maubot.yaml")


class Nio:
    """Each command is a process of its own, which checks which library it has loaded."""

    def __init__(self, python, package, *place):
        self.python, self.texts = python, ""
        self.person = Person(self.command(package), *place)
        self.user_id = self.person.user_id

    def command(self, package):
        return ["env", f"PYTHONPATH={package.environment['PYTHONPATH']}", self.python,
                HERE / "nio_client.py", "--library", package.library]

    def start(self, package):
        self.person.client = self.command(package)

    def say(self, room, text):
        self.person.run("send", room, text)

    def shown(self, room):
        self.texts += self.person.run("tail", room, "--once")
        return self.texts


def ask(speaker, people, room, turn):
    """The bot answers, so it has read the question; everybody reads both. A program can send to a
    device only when it has heard of it, and maubot does not read a message that arrives before its
    key, so the question may be repeated."""
    name = type(speaker).__name__
    for number in range(1, 10):
        question = f"{name} asks in turn {turn}, number {number}"
        answer = f"the bot has read: {question}"
        speaker.say(room, question)
        until = time.monotonic() + patience.limit() / 4
        while time.monotonic() < until:
            if all(answer in person.shown(room) and question in person.shown(room)
                   for person in people):
                check(f"  {name} is answered, and all read it")
                return [question, answer]
            time.sleep(1)
    shown = {type(person).__name__: person.shown(room) for person in people}
    raise AssertionError(f"{name} asks, and not everybody reads it: {shown}")


def has_keys(program, witness):
    answer = witness.request("POST", "/_matrix/client/v3/keys/query",
                             {"device_keys": {program.user_id: []}})
    assert answer["device_keys"].get(program.user_id), answer


def is_in(room, program, witness):
    members = witness.request("GET", f"/_matrix/client/v3/rooms/{room}/joined_members")
    assert program.user_id in members["joined"], members


def converse(packages, pantalaimon, mautrix, maubot, nio):
    people, room, sent = [pantalaimon, mautrix, nio], None, []
    for turn, package in enumerate(packages, 1):
        check(f"turn {turn}, on {package.library}")
        for program in (pantalaimon, mautrix, maubot, nio):
            program.start(package)
        if room is None:
            pantalaimon.login()
            guests = (mautrix, maubot, nio)
            # What is sent before a device has published its keys is not encrypted for it.
            for program in guests:
                eventually(lambda: has_keys(program, pantalaimon))
            room = pantalaimon.create([program.user_id for program in guests])
            eventually(lambda: nio.person.run("join", room))
            for program in guests:
                eventually(lambda: is_in(room, program, pantalaimon))
        for speaker in people:
            sent += ask(speaker, people, room, turn)
        for program in (pantalaimon, mautrix, maubot):
            program.stop()
    return room, sent


def scenario(packages, environments, directory, one, two):
    proxied, others = (environment / "bin/python" for environment in environments)
    pantalaimon = Pantalaimon(proxied, one, directory, "pantalaimon")
    mautrix = Mautrix(others, two, directory, "mautrix")
    maubot = Maubot(others, one, directory, "maubot")
    nio = Nio(others, packages[0], two, directory, "nio")
    programs = (pantalaimon, mautrix, maubot)
    try:
        room, sent = converse(packages, *programs, nio)
    finally:
        for program in programs:
            program.stop()
    for server, token in ((one, pantalaimon.token), (two, mautrix.token)):
        events = server.timeline(room, token)
        kinds = [event["type"] for event in events]
        assert kinds.count("m.room.encrypted") >= len(sent), kinds
        assert "m.room.message" not in kinds, kinds
        assert not any(text in json.dumps(events) for text in sent)
    check("no server has a plaintext")


def main():
    # Ends as if by an interrupt, so that nothing is left running.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folders = [pathlib.Path(argument) for argument in sys.argv[1:]]
    original, ours = map(Package, folders[:2])
    with federation(folders[4]) as (one, two):
        scenario([original, ours, original], folders[2:4], folders[4], one, two)


if __name__ == "__main__":
    main()
