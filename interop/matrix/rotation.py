"""When a new Megolm session must begin: after as many messages as the room says, and when somebody leaves."""

import urllib.parse

from person import Person, eventually
from servers import check


def after_messages(alice, bob, room):
    _rotate_after(alice, room, 2)
    alice.sql("DELETE FROM outbound")
    sessions = []
    for count in range(5):
        alice.run("send", room, f"number {count}")
        sessions.append(alice.sessions(room)[0])
    first, second, third = dict.fromkeys(sessions)
    assert sessions == [first, first, second, second, third], sessions
    bob.reads(room, *[f"number {count}" for count in range(5)])
    # What follows is to find other reasons for a new session.
    _rotate_after(alice, room, 100)
    check("a new session after as many messages as the room says")
    return 5


def _rotate_after(person, room, messages):
    path = f"/_matrix/client/v3/rooms/{urllib.parse.quote(room)}/state/m.room.encryption"
    person.homeserver.request("PUT", path, token=person.token(), body={
        "algorithm": "m.megolm.v1.aes-sha2", "rotation_period_msgs": messages})


def when_somebody_leaves(alice, bob, room, client, directory):
    carol = Person(client, alice.homeserver, directory, "carol")
    alice.run("invite", room, carol.user_id)
    carol.run("join", room)
    eventually(lambda: alice.has_member(room, carol))
    alice.run("send", room, "with Carol")
    carol.reads(room, "with Carol")
    with_carol = alice.sessions(room)[0]
    _membership(carol, room, "leave")
    alice.run("send", room, "without Carol")
    assert alice.sessions(room)[0] != with_carol, "Carol has left and has the key"
    bob.reads(room, "with Carol", "without Carol")
    check("a new session when somebody leaves")
    return 2 + _and_returns(alice, carol, room)


def _and_returns(alice, carol, room):
    """Carol leaves and is back before Alice looks, also when the server leaves that out of its answer."""

    def leave_out(path, answer):
        if "/sync" in path and room in answer.get("rooms", {}).get("join", {}):
            answer["rooms"]["join"][room]["timeline"] = {
                "events": [], "limited": True, "prev_batch": answer["next_batch"]}
        return answer

    _membership(alice, room, "invite", {"user_id": carol.user_id})
    _membership(carol, room, "join")
    texts = ["Carol is here", "and was away", "and away again"]
    alice.run("send", room, texts[0])
    for text, on_answer in ((texts[1], None), (texts[2], leave_out)):
        before = alice.sessions(room)[0]
        _membership(carol, room, "leave")
        _membership(alice, room, "invite", {"user_id": carol.user_id})
        _membership(carol, room, "join")
        alice.network.on_answer = on_answer or alice.network.on_answer
        alice.run("send", room, text)
        alice.network.heal()
        assert alice.sessions(room)[0] != before, "Carol was away and has the key"
    carol.reads(room, *texts)
    _membership(carol, room, "leave")
    check("also when they are back before the next message")
    return len(texts)


def _membership(person, room, verb, body=None):
    path = f"/_matrix/client/v3/rooms/{urllib.parse.quote(room)}/{verb}"
    person.homeserver.request("POST", path, token=person.token(), body=body or {})


def all_of_them(alice, bob, room, client, directory):
    """Returns how many messages were sent."""
    sent = after_messages(alice, bob, room)
    return sent + when_somebody_leaves(alice, bob, room, client, directory)
