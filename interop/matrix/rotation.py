"""When a new Megolm session must begin: after as many messages as the room says, and when somebody leaves."""

import urllib.parse

from person import Person, eventually
from servers import check


def newest_session(person, room):
    """Of this person's last message."""
    return next(event["content"]["session_id"] for event in person.events(room)
                if event["type"] == "m.room.encrypted" and event["sender"] == person.user_id)


def after_messages(alice, bob, room):
    path = f"/_matrix/client/v3/rooms/{urllib.parse.quote(room)}/state/m.room.encryption"
    alice.homeserver.request("PUT", path, token=alice.token(), body={
        "algorithm": "m.megolm.v1.aes-sha2", "rotation_period_msgs": 2})
    alice.sql("DELETE FROM outbound")
    sessions = []
    for count in range(5):
        alice.run("send", room, f"number {count}")
        sessions.append(newest_session(alice, room))
    first, second, third = dict.fromkeys(sessions)
    assert sessions == [first, first, second, second, third], sessions
    bob.reads(room, *[f"number {count}" for count in range(5)])
    check("a new session after as many messages as the room says")
    return 5


def when_somebody_leaves(alice, bob, room, client, directory):
    carol = Person(client, alice.homeserver, directory, "carol")
    alice.run("invite", room, carol.user_id)
    carol.run("join", room)
    eventually(lambda: alice.has_member(room, carol))
    alice.run("send", room, "with Carol")
    carol.reads(room, "with Carol")
    with_carol = newest_session(alice, room)
    path = f"/_matrix/client/v3/rooms/{urllib.parse.quote(room)}/leave"
    carol.homeserver.request("POST", path, token=carol.token(), body={})
    alice.run("send", room, "without Carol")
    assert newest_session(alice, room) != with_carol, "Carol has left and has the key"
    bob.reads(room, "with Carol", "without Carol")
    check("a new session when somebody leaves")
    return 2
