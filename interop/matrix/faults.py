"""What goes wrong between two clients that talk to each other already: nothing may be lost, wedged, or
encrypted twice with one key."""

import signal

from person import Person, eventually
from servers import check

SEND = "/send/m.room.encrypted/"


def killed_before_sending(alice, bob, room):
    """The client dies when its message is saved and not yet sent."""
    _killed(alice, room, "killed before sending", arrives=False)
    bob.reads(room, "killed before sending", "after it")
    check("a client killed before sending sends the same bytes later")


def killed_after_sending(alice, bob, room):
    """The client dies when its message has arrived, before it learns that."""
    _killed(alice, room, "killed after sending", arrives=True)
    bob.reads(room, "killed after sending", "after it")
    check("a client killed after sending does not send twice")


def _killed(alice, room, text, arrives):
    before = len(alice.events(room))
    process = alice.start("send", room, text)

    def kill(path):
        if SEND in path:
            process.send_signal(signal.SIGKILL)
            process.wait()
        return SEND not in path

    if arrives:
        alice.network.on_answer = lambda path, answer: answer if kill(path) else None
    else:
        alice.network.on_request = lambda method, path: kill(path)
    alice.end_of(process)
    assert process.returncode == -signal.SIGKILL, process.returncode
    arrived = len(alice.events(room)) - before
    assert arrived == arrives, f"{arrived} messages arrived"
    alice.network.heal()
    alice.run("send", room, "after it")
    events = alice.events(room)
    assert len(events) == before + 2, f"{len(events) - before} messages arrived, not 2"
    ciphertexts = [event["content"]["ciphertext"] for event in events
                   if event["type"] == "m.room.encrypted"]
    assert len(set(ciphertexts)) == len(ciphertexts), "the same bytes are in two events"


def repeated(alice, bob, room):
    """Every to-device message comes three times: twice at once, and again with the next answer."""
    earlier = []

    def repeat(path, answer):
        if "/sync" in path:
            events = answer.get("to_device", {}).get("events", [])
            answer["to_device"] = {"events": earlier + events + events}
            earlier[:] = events
        return answer

    bob.network.on_answer = repeat
    before = len(bob.log)
    alice.sql("DELETE FROM outbound")
    alice.run("send", room, "with a key that comes three times")
    bob.reads(room, "with a key that comes three times")
    bob.run("rooms")
    assert len(bob.log) == before, bob.log[before:]
    bob.network.heal()
    check("to-device messages that come again change nothing")


def late(alice, bob, room):
    """A to-device message comes long after what it is needed for, and after a later one."""
    held = []

    def hold(path, answer):
        if "/sync" in path:
            held.extend(answer.get("to_device", {}).pop("events", []))
        return answer

    bob.network.on_answer = hold
    alice.sql("DELETE FROM outbound")
    alice.run("send", room, "before its key")
    eventually(lambda: waits_for_keys(bob, room, held))
    bob.network.heal()
    alice.sql("DELETE FROM outbound")
    alice.run("send", room, "with a later key")
    bob.reads(room, "with a later key")

    def deliver(path, answer):
        if "/sync" in path:
            events = answer.get("to_device", {}).get("events", [])
            answer["to_device"] = {"events": events + held}
            held.clear()
        return answer

    bob.network.on_answer = deliver
    bob.reads(room, "before its key")
    bob.network.heal()
    check("a message waits for its key, which may come late and out of order")


def waits_for_keys(bob, room, held):
    shown = bob.run("-v", "tail", room, "--once")
    assert "keys have not come" in shown and held, shown
    assert "the session is unknown" in bob.warnings, bob.warnings


def wedged(alice, bob, room):
    """Bob loses his Olm sessions, and with them a room key that is on its way."""
    bob.sql("DELETE FROM olm_sessions")
    alice.sql("DELETE FROM outbound")
    alice.run("send", room, "into the void")
    eventually(lambda: notices(bob))
    shown = bob.run("tail", room, "--once")
    assert "into the void" not in shown, shown
    # Alice's next command takes Bob's `m.dummy` and gives him the key again.
    eventually(lambda: gives_again(alice))
    alice.run("send", room, "and out of it")
    bob.reads(room, "and out of it")
    bob.run("send", room, "the way back")
    alice.reads(room, "the way back")
    check("a wedged session is replaced within one round trip")


def notices(bob):
    bob.run("rooms", "-v")
    assert "cannot be decrypted" in bob.warnings, bob.warnings
    assert "a message between devices is not read" in bob.warnings, bob.warnings


def gives_again(alice):
    alice.run("rooms")
    assert alice.sql("SELECT 1 FROM shared WHERE again"), "Alice has not heard of it"


def stale_device_list(alice, bob, room, client, directory):
    """While Alice's client waits for the devices of Bob, he gets another one, and another command of hers
    hears of that: the answer of before must not hide it."""
    devices = []

    def on_answer(path, answer):
        if "/keys/query" in path and not devices:
            devices.append(Person(client, bob.homeserver, directory, "bob4", bob.user_id))
            eventually(lambda: hears_of_devices(alice, bob))
        return answer

    alice.run("rooms")
    alice.sql("UPDATE users SET changes = changes + 1")
    alice.network.on_answer = on_answer
    alice.run("send", room, "to the devices of before")
    alice.network.heal()
    alice.run("send", room, "to the new device as well")
    devices[0].reads(room, "to the new device as well")
    bob.reads(room, "to the devices of before", "to the new device as well")
    check("a device that comes while we ask for devices is not overlooked")


def hears_of_devices(alice, bob):
    of_bob = f"SELECT changes FROM users WHERE user_id = '{bob.user_id}'"
    before = alice.sql(of_bob)
    alice.run("rooms")
    assert alice.sql(of_bob) > before, "the server has not told it yet"


def all_of_them(alice, bob, room, client, directory):
    """Returns how many messages were sent."""
    for fault in (killed_before_sending, killed_after_sending, repeated, late, wedged):
        fault(alice, bob, room)
    stale_device_list(alice, bob, room, client, directory)
    return 2 + 2 + 1 + 2 + 3 + 2
