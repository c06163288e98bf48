"""Two people on two homeservers talk through our client; the servers learn nothing.

Run by `run`, in the virtual environment that it makes. Arguments: our client, the directory that
`install_peers` has filled, an empty directory.
"""

import os
import pathlib
import sys

import attacks
import failure
import faults
import identities
import nio_scenarios
import rotation
import secrecy
import verifications
from person import Person, eventually, verify
from servers import check, federation


def scenario(client, directory, one, two):
    alice = Person(client, one, directory, "alice")
    bob = Person(client, two, directory, "bob")
    check("both logged in and published signed keys, each on their own server")

    room = alice.run("create", "cave", "--invite", bob.user_id).strip()
    eventually(lambda: bob.run("join", room))
    check("Bob joined Alice's room over federation")

    secrets = ["the water is warm", "and dark", "the third text", "the fourth text",
               "the fifth text"]
    # Alice's server tells her of Bob's arrival in its own time.
    eventually(lambda: alice.has_member(room, bob))
    alice.run("send", room, secrets[0])
    shown = bob.reads(room, secrets[0])
    assert "not verified" in shown, shown
    bob.run("send", room, secrets[1])
    alice.reads(room, secrets[1])
    check("messages both ways")

    check(f"verified with emoji: {verify(alice, bob)}")
    alice.run("send", room, secrets[2])
    shown = bob.reads(room, secrets[2])
    assert "[verified]" in shown, shown
    check("Alice's messages are shown as verified")

    first = alice.sessions(room)
    second_device = Person(client, two, directory, "bob2", bob.user_id)
    assert not [line for line in second_device.run("tail", room, "--once").splitlines()
                if any(secret in line for secret in secrets)]
    file = directory / "keys.txt"
    bob.run("export", file, answer="a passphrase\na passphrase")
    second_device.run("import", file, answer="a passphrase")
    shown = second_device.run("tail", room, "--all", "--once")
    assert secrets[0] in shown and "[key from a file]" in shown, shown
    check("a new device reads the past with the keys of a file, and says where they are from")

    recovery = bob.recovery
    bob.run("backup", "create", answer=recovery)
    third_device = Person(client, two, directory, "bob3", bob.user_id)
    third_device.run("backup", "restore", answer=recovery)
    shown = third_device.run("tail", room, "--all", "--once")
    assert secrets[0] in shown and "[key from the backup]" in shown, shown
    check("another one with the backup")
    second_backup(bob, third_device, recovery)

    # Alice's server hears of a new device in its own time.
    eventually(lambda: alice.knows_device(second_device))
    alice.run("send", room, secrets[3])
    bob.reads(room, secrets[3])
    second_device.reads(room, secrets[3])
    assert alice.sessions(room) == first, "a new session began for a new device"
    check("the new device gets the present session, at its present index")

    one.stop()
    try:
        alice.run("send", room, "never sent")
        raise AssertionError("a message was sent to a server that is not there")
    except AssertionError as error:
        assert "cannot reach" in str(error), error
    one.start()
    one.wait()
    alice.run("send", room, secrets[4], "--verified-only")
    bob.reads(room, secrets[4])
    assert len(alice.sessions(room)) == len(first) + 1, "no new session for fewer devices"
    shown = second_device.run("tail", room, "--all", "--once")
    assert secrets[3] in shown and secrets[4] not in shown, shown
    check("after a restart of the server, a message for verified devices alone: a new session")

    sent = len(secrets) + rotation.all_of_them(alice, bob, room, client, directory)
    sent += faults.all_of_them(alice, bob, room, client, directory)
    sent += attacks.all_of_them(alice, bob, room)
    verifications.all_of_them(alice, bob)
    secrecy.on_servers((alice, bob), room, secrets, sent)
    secrets += identities.all_of_them(client, directory, one, two)
    secrecy.in_files(directory, secrets)
    check("no server has a plaintext, nor has any file of theirs or ours")


def second_backup(bob, third_device, recovery):
    """The first is deleted. The key of the next one goes into the same secret storage."""
    path = "/_matrix/client/v3/room_keys/version"
    version = bob.homeserver.request("GET", path, token=bob.token())["version"]
    bob.homeserver.request("DELETE", f"{path}/{version}", token=bob.token())
    shown = bob.run("backup", "create", answer=recovery)
    assert "opens this backup, too" in shown and recovery not in shown, shown
    shown = third_device.run("backup", "restore", answer=recovery)
    assert shown.split()[0] != "0", shown
    check("the recovery key opens the next backup, too")


def main():
    client, peers, directory = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    os.environ["NO_COLOR"] = "1"
    with federation(directory) as (one, two):
        check(f"two homeservers: {one.server_name}, {two.server_name}")
        scenario([client], directory, one, two)
        nio_scenarios.all_of_them([client], peers, directory, one, two)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        sys.exit(failure.report(error, pathlib.Path(sys.argv[3])))
