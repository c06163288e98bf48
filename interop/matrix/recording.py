"""Two people verify each other and chat, in two terminals that are recorded. Run by `run record`.

Arguments: our client, an empty directory, the picture to write.
"""

import os
import pathlib
import pty
import select
import sys
import time

import patience
import picture
from person import PASSWORD, Person, eventually
from servers import federation

# Seconds that a reader needs: before something is typed, and between two keys.
THINKING, KEY = 0.9, 0.03


class Terminal:
    """What a person sees, and when: pairs of seconds since the beginning, and text."""

    def __init__(self, client, person, began):
        self.client, self.began, self.seen = client, began, []
        self.environment = {"PATH": "", "TERM": "xterm-256color",
                            "XDG_DATA_HOME": str(person.store.parent)}

    def show(self, text):
        self.seen.append((time.monotonic() - self.began, text))

    def type(self, text):
        time.sleep(THINKING)
        for key in text:
            self.show(key)
            time.sleep(KEY)

    def start(self, *command):
        """Types a command at the prompt and starts it. The file is our end of its terminal."""
        self.show("\x1b[2m$\x1b[0m ")
        shown = [f'"{word}"' if " " in word else word for word in command]
        self.type(" ".join(["matrix_chat", *shown]))
        self.show("\r\n")
        self.process, self.file = pty.fork()
        if self.process == 0:
            os.execve(self.client, ["matrix_chat", *command], self.environment)

    def until(self, *texts):
        """Shows what comes, until one of these texts does, or the end."""
        output, end = "", time.monotonic() + patience.limit()
        while not any(text in output for text in texts):
            ready, _, _ = select.select([self.file], [], [], end - time.monotonic())
            if not ready:
                raise AssertionError(f"waits for {texts}, sees {output!r}")
            try:
                new = os.read(self.file, 4096).decode()
            except OSError:  # The other end is closed.
                new = ""
            if not new:
                break
            output += new
            self.show(new)
        return output

    def answer(self, text):
        time.sleep(THINKING)
        os.write(self.file, f"{text}\n".encode())

    def finish(self):
        output = self.until()
        os.close(self.file)
        _, status = os.waitpid(self.process, 0)
        assert os.waitstatus_to_exitcode(status) == 0, output
        return output

    def run(self, *command):
        self.start(*command)
        return self.finish()


def prepared(client, directory, homeserver, name):
    user_id = homeserver.register(name, PASSWORD)
    (directory / name).mkdir()
    return Person([client], homeserver, directory / name, "matrix_chat", user_id)


def record(client, directory):
    with federation(directory) as (one, two):
        alice, bob = (prepared(client, directory, server, name)
                      for server, name in ((one, "alice"), (two, "bob")))
        room = alice.run("create", "cave", "--invite", bob.user_id).strip()
        eventually(lambda: bob.run("join", room))
        eventually(lambda: alice.has_member(room, bob))
        # Both know the room's name and each other's devices.
        for person, other in ((alice, bob), (bob, alice)):
            eventually(lambda: person.knows_device(other))
            person.run("rooms")

        began = time.monotonic()
        left, right = (Terminal(client, person, began) for person in (alice, bob))
        right.start("verify", "--wait")
        right.until("Waiting")
        left.start("verify", bob.user_id, bob.device_id)
        questions = [terminal.until("[yes/no]") for terminal in (left, right)]
        emoji = [[line for line in question.splitlines() if line.startswith("  ")]
                 for question in questions]
        assert emoji[0] and emoji[0] == emoji[1], emoji
        time.sleep(2)
        left.answer("yes")
        right.answer("yes")
        for terminal, person in ((left, alice), (right, bob)):
            terminal.until("(empty: not now)")
            terminal.answer(person.recovery)
        left.finish()
        right.finish()
        for writer, reader, text in ((left, right, "The water is warm"),
                                     (right, left, "And it is dark"),
                                     (left, right, "Let us stay")):
            writer.run("send", "cave", text)
            time.sleep(THINKING)
            shown = reader.run("tail", "cave", "--once")
            assert f"[verified]\x1b[0m {text}" in shown, shown
        return ((alice.user_id, left.seen), (bob.user_id, right.seen))


if __name__ == "__main__":
    picture.write(pathlib.Path(sys.argv[3]), record(sys.argv[1], pathlib.Path(sys.argv[2])))
