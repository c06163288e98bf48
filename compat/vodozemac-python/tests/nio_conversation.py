"""Two devices of matrix-nio in an encrypted room, in two parts with a restart between them.

    nio_conversation.py begin FOLDER
    nio_conversation.py go_on FOLDER

There is no homeserver: what it would carry goes from one device to the other here, and what is on the way
when the first part ends waits in FOLDER beside the stores of the devices.
"""

import itertools
import json
import pathlib
import sys

from nio.crypto.olm_machine import Olm
from nio.events import MegolmEvent, OlmEvent, RoomKeyEvent
from nio.responses import KeysClaimResponse, KeysQueryResponse, KeysUploadResponse
from nio.store import SqliteStore

ROOM = "!room:example.org"
PASSPHRASE = "the passphrase of exported keys"
# The two types of Olm messages.
PRE_KEY, NORMAL = 0, 1
event_ids = itertools.count()


def device(name: str, folder: pathlib.Path) -> Olm:
    """A device as its store has it, or a new one."""
    user, device_id = f"@{name}:example.org", name.upper()
    return Olm(user, device_id, SqliteStore(user, device_id, str(folder), "key of the store"))


def upload(sender: Olm) -> dict:
    """What the device publishes."""
    keys = sender.share_keys()
    assert len(keys["one_time_keys"]) == sender.account.max_one_time_keys
    sender.handle_response(KeysUploadResponse(0, len(keys["one_time_keys"])))
    assert not sender.account.one_time_keys["curve25519"]
    return keys


def know(one: Olm, other: Olm, keys: dict) -> None:
    """One looks up the other's keys and verifies the device."""
    query = {"device_keys": {other.user_id: {other.device_id: keys["device_keys"]}}, "failures": {}}
    one.handle_response(KeysQueryResponse.from_dict(query))
    assert one.verify_device(one.device_store[other.user_id][other.device_id])


def claim(one: Olm, other: Olm, keys: dict) -> None:
    """One takes a one-time key of the other's and makes a session with it."""
    assert one.get_missing_sessions([other.user_id]) == {other.user_id: [other.device_id]}
    key_id, key = keys["one_time_keys"].popitem()
    claimed = {"one_time_keys": {other.user_id: {other.device_id: {key_id: key}}}, "failures": {}}
    one.handle_response(KeysClaimResponse.from_dict(claimed, ROOM))
    assert not one.get_missing_sessions([other.user_id])


def room_key(sender: Olm, receiver: Olm) -> dict:
    """The sender makes a new room key and encrypts it by Olm."""
    sender.create_outbound_group_session(ROOM)
    shared_with, messages = sender.share_group_session(ROOM, [receiver.user_id])
    assert shared_with == {(receiver.user_id, receiver.device_id)}
    sender.outbound_group_sessions[ROOM].mark_as_shared()
    content = messages["messages"][receiver.user_id][receiver.device_id]
    return {"type": "m.room.encrypted", "sender": sender.user_id, "content": content}


def receive_room_key(receiver: Olm, event: dict, expected_type: int) -> None:
    (ciphertext,) = event["content"]["ciphertext"].values()
    assert ciphertext["type"] == expected_type
    received = receiver.handle_to_device_event(OlmEvent.from_dict(event))
    assert isinstance(received, RoomKeyEvent), received


def send(sender: Olm, body: str) -> dict:
    content = {"msgtype": "m.text", "body": body}
    content = sender.group_encrypt(ROOM, {"type": "m.room.message", "content": content})
    number = next(event_ids)
    return {
        "type": "m.room.encrypted",
        "sender": sender.user_id,
        "event_id": f"${sender.device_id}{number}",
        "origin_server_ts": number,
        "content": content,
    }


def check(receiver: Olm, event: dict, body: str) -> None:
    decrypted = receiver.decrypt_megolm_event(MegolmEvent.from_dict(event), ROOM)
    assert (decrypted.body, decrypted.decrypted) == (body, True), decrypted
    assert decrypted.verified, "the sending device was verified"


def begin(folder: pathlib.Path) -> None:
    alice, bob = device("alice", folder), device("bob", folder)
    alices_keys, bobs_keys = upload(alice), upload(bob)
    know(alice, bob, bobs_keys)
    know(bob, alice, alices_keys)
    claim(alice, bob, bobs_keys)
    receive_room_key(bob, room_key(alice, bob), PRE_KEY)
    first = send(alice, "hello Bob")
    check(bob, first, "hello Bob")
    check(alice, first, "hello Bob")
    # Bob answers in the session that Alice's message made.
    receive_room_key(alice, room_key(bob, alice), NORMAL)
    check(alice, send(bob, "hello Alice"), "hello Alice")
    # These are still on the way when both stop.
    late = send(alice, "are you still there?")
    late_key = room_key(bob, alice)
    answer = send(bob, "yes")
    (folder / "on_the_way.json").write_text(json.dumps([first, late, late_key, answer]))


def go_on(folder: pathlib.Path) -> None:
    alice, bob = device("alice", folder), device("bob", folder)
    first, late, late_key, answer = json.loads((folder / "on_the_way.json").read_text())
    check(bob, late, "are you still there?")
    check(bob, first, "hello Bob")
    check(alice, late, "are you still there?")
    receive_room_key(alice, late_key, NORMAL)
    check(alice, answer, "yes")
    # Room keys to send with are not stored: new ones travel in the sessions that are.
    for sender, receiver in [(bob, alice), (alice, bob)]:
        receive_room_key(receiver, room_key(sender, receiver), NORMAL)
        body = f"{sender.device_id} is back"
        event = send(sender, body)
        check(receiver, event, body)
        check(sender, event, body)
    # Nobody else can have said it.
    forged = send(alice, "hello")
    forged["content"]["ciphertext"] = send(bob, "hello")["content"]["ciphertext"]
    assert bob.decrypt_event(MegolmEvent.from_dict(forged), ROOM) is None
    # More one-time keys, and a file of room keys from which a new device reads what was said
    # before.
    bob.uploaded_key_count = bob.account.max_one_time_keys - 1
    assert len(bob.share_keys()["one_time_keys"]) == 1
    exported = folder / "room_keys.txt"
    bob.export_keys(str(exported), PASSPHRASE, count=1_000)
    carol = device("carol", folder)
    carol.import_keys(str(exported), PASSPHRASE)
    read = carol.decrypt_megolm_event(MegolmEvent.from_dict(first), ROOM)
    assert read.body == "hello Bob"


parts = {"begin": begin, "go_on": go_on}
parts[sys.argv[1]](pathlib.Path(sys.argv[2]))
