"""Conversations with another client, matrix-nio: on libolm, on vodozemac, and on our libolm.so.3."""

import dataclasses
import pathlib
import subprocess

import secrecy
from faults import notices
from person import Person, eventually, verify
from servers import check


@dataclasses.dataclass
class Nio:
    """An installation of matrix-nio, and the library that it must load."""
    name: str
    short: str
    python: pathlib.Path
    library: pathlib.Path
    # Whether its commitments are in the encoding that ours expects.
    verifies: bool

    def command(self, expected=None):
        program = pathlib.Path(__file__).with_name("nio_peer.py")
        return ["env", f"LD_LIBRARY_PATH={self.library.parent}", self.python, program,
                "--library", expected or self.library]


def installed(directory):
    """The three that `install_peers` has put there."""
    libolm, vodozemac = directory / "nio-libolm", directory / "nio-vodozemac"
    python = libolm / "bin/python"
    [extension] = vodozemac.glob("lib/python*/site-packages/vodozemac/vodozemac.*.so")
    return (Nio("libolm", "libolm", python, directory / "libolm.so.3", True),
            Nio("vodozemac", "vodozemac", vodozemac / "bin/python", extension, False),
            Nio("our libolm.so.3", "moceril", python,
                directory / "moceril-libolm/libolm.so.3", True))


def wrong_library(libolm, ours, directory):
    """Who says that a library was loaded must be able to say that it was not."""
    for loaded, expected in ((libolm, ours), (ours, libolm)):
        command = [*loaded.command(expected.library), "--store", directory, "tail"]
        process = subprocess.run(command, text=True, capture_output=True)
        assert process.returncode and "instead of" in process.stderr, process.stderr
    check("a peer that loads another library than it should is noticed")


def meet(one, two):
    """A room of both, in which our client begins a new session after two messages."""
    encryption = {"algorithm": "m.megolm.v1.aes-sha2", "rotation_period_msgs": 2}
    room = one.homeserver.request("POST", "/_matrix/client/v3/createRoom", token=one.token(), body={
        "preset": "private_chat", "invite": [two.user_id],
        "initial_state": [{"type": "m.room.encryption", "state_key": "", "content": encryption}],
    })["room_id"]
    eventually(lambda: two.run("join", room))
    eventually(lambda: one.has_member(room, two))
    return room


def talk(one, two, room):
    """Both ways, in two Megolm sessions each or more, both restarted before each message. Returns the
    texts."""
    texts = []
    for speaker, listener in ((one, two), (two, one)):
        said = [f"{number} by {speaker.store.name}" for number in ("first", "second", "third")]
        for text in said:
            speaker.run("send", room, text)
        listener.reads(room, *said)
        texts += said
        count = len(speaker.sessions(room))
        assert count > 1, f"{count} Megolm session for three messages"
    return texts


def compare_emoji(alice, nia, room):
    """Each asks the other once. Returns the texts."""
    for asking, answering, options in ((alice, nia, ["--start"]), (nia, alice, [])):
        alice.sql("UPDATE devices SET verified = 0")
        verify(asking, answering, *options)
        assert alice.sql("SELECT user_id FROM devices WHERE verified") == [(nia.user_id,)]
    texts = [f"verified, by {person.store.name}" for person in (alice, nia)]
    for speaker, listener, text in ((alice, nia, texts[0]), (nia, alice, texts[1])):
        speaker.run("send", room, text)
        shown = listener.reads(room, text)
        assert "[verified]" in shown, shown
    return texts


def refuse_emoji(alice, nia):
    """The commitments are encoded differently: whoever started sees one that does not match, and cancels."""
    for asking, answering, options, reason in (
        (alice, nia, ["--start"], "changed its key after it saw ours"),
        (nia, alice, [], "the other device cancelled: Mismatched commitment"),
    ):
        waiting = answering.start("verify", "--wait")
        asker = asking.start("verify", answering.user_id, answering.device_id, *options)
        ends = {}
        for person, process in ((answering, waiting), (asking, asker)):
            _, ends[process] = person.end_of(process, "yes\n")
            assert process.returncode, "verified all the same"
        errors = ends[asker if asking is alice else waiting]
        assert reason in errors, errors
        assert not alice.sql("SELECT 1 FROM devices WHERE verified"), "verified all the same"


def hand_over_keys(giver, taker, room, texts):
    """A new device of the taker reads everything with the keys that the giver has exported."""
    file = giver.store / f"for {taker.store.name}"
    giver.run("export", file, answer="a passphrase\na passphrase")
    device = Person(taker.client, taker.homeserver, taker.store.parent,
                    f"{taker.store.name}-keys", taker.user_id)
    before = device.run("tail", room, "--all", "--once")
    assert not any(text in before for text in texts), before
    device.run("import", file, answer="a passphrase")
    shown = device.run("tail", room, "--all", "--once")
    missing = [text for text in texts if text not in shown]
    assert not missing, f"{missing} cannot be read with the keys"


def recover(alice, nia, room):
    """Alice loses her Olm sessions, and with them a room key that is on its way. Returns the texts."""
    texts = [f"by {nia.store.name}, {where} the void" for where in ("into", "out of")]
    alice.sql("DELETE FROM olm_sessions")
    nia.run("send", room, texts[0])
    eventually(lambda: notices(alice))
    nia.run("send", room, texts[1])
    shown = alice.reads(room, texts[1])
    assert texts[0] not in shown, shown
    return texts


def exchange_library(alice, nia, room, others):
    """The store of one library goes on with others, in turn. Returns the texts."""
    texts = []
    for turn, nio in enumerate(others):
        nia.client = nio.command()
        said = [f"{person.store.name}, turn {turn}" for person in (alice, nia)]
        alice.run("send", room, said[0])
        nia.reads(room, said[0])
        nia.run("send", room, said[1])
        alice.reads(room, said[1])
        texts += said
        check(f"  its store goes on with {nio.name}")
    return texts


def with_our_client(client, nio, others, directory, one, two):
    alice = Person(client, one, directory, f"alice-{nio.short}")
    nia = Person(nio.command(), two, directory, f"nia-{nio.short}")
    room = meet(alice, nia)
    texts = talk(alice, nia, room)
    check(f"with matrix-nio on {nio.name}: messages both ways, after restarts and new sessions")
    if nio.verifies:
        texts += compare_emoji(alice, nia, room)
        check("  verified with emoji, each asking once")
    else:
        refuse_emoji(alice, nia)
        check("  no verification, for the commitments do not match")
    hand_over_keys(alice, nia, room, texts)
    hand_over_keys(nia, alice, room, texts)
    check("  exported keys are read, both ways")
    texts += recover(alice, nia, room)
    check("  a wedged session is replaced within one round trip")
    texts += exchange_library(alice, nia, room, others)
    secrecy.on_servers((alice, nia), room, texts, len(texts))
    return texts


def between_them(nio, other, directory, one, two):
    nora = Person(nio.command(), one, directory, f"nora-{nio.short}")
    viktor = Person(other.command(), two, directory, f"viktor-{other.short}")
    room = meet(nora, viktor)
    texts = talk(nora, viktor, room)
    hand_over_keys(nora, viktor, room, texts)
    hand_over_keys(viktor, nora, room, texts)
    check(f"matrix-nio on {nio.name} with matrix-nio on {other.name}: messages and keys both ways")
    secrecy.on_servers((nora, viktor), room, texts, len(texts))
    return texts


def all_of_them(client, peers, directory, one, two):
    libolm, vodozemac, ours = installed(peers)
    wrong_library(libolm, ours, directory)
    texts = []
    for nio, others in ((libolm, (ours, libolm)), (vodozemac, ()), (ours, (vodozemac,))):
        texts += with_our_client(client, nio, others, directory, one, two)
    texts += between_them(ours, vodozemac, directory, one, two)
    secrecy.in_files(directory, texts)
    check("no server has a plaintext, nor has any file of theirs or ours")
