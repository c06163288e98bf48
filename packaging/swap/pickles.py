"""One turn of a conversation on stored objects, by whichever libolm is installed:

    pickles.py LIBRARY FOLDER

LIBRARY is the file that python3-olm must have loaded. The first turn makes the objects. Each later
turn reads what the last one has stored, and the message that it has sent.
"""

import json
import os
import pathlib
import sys

import olm

library, folder = os.path.realpath(sys.argv[1]), pathlib.Path(sys.argv[2])
with open("/proc/self/maps") as maps:
    loaded = {line.split()[-1] for line in maps if "libolm.so" in line}
assert loaded == {library}, loaded

KEY = "pickle key"
state = folder / "state.json"
CLASSES = {
    "alice": olm.Account,
    "bob": olm.Account,
    "to_bob": olm.Session,
    "to_alice": olm.Session,
    "room": olm.OutboundGroupSession,
    "member": olm.InboundGroupSession,
}

if state.exists():
    stored = json.loads(state.read_text())
    read = {name: CLASSES[name].from_pickle(stored[name].encode(), KEY) for name in CLASSES}
    turn = stored["turn"] + 1
    assert read["alice"].identity_keys == stored["identity"]
    message = olm.OlmMessage(stored["message"])
    assert read["to_bob"].decrypt(message) == f"turn {turn - 1}"
    assert read["member"].decrypt(stored["event"]) == (f"event {turn - 1}", turn - 1)
else:
    turn = 0
    alice, bob = olm.Account(), olm.Account()
    bob.generate_one_time_keys(5)
    one_time_key = next(iter(bob.one_time_keys["curve25519"].values()))
    to_bob = olm.OutboundSession(alice, bob.identity_keys["curve25519"], one_time_key)
    first = to_bob.encrypt("first")
    to_alice = olm.InboundSession(bob, first, alice.identity_keys["curve25519"])
    assert to_alice.decrypt(first) == "first"
    bob.remove_one_time_keys(to_alice)
    room = olm.OutboundGroupSession()
    member = olm.InboundGroupSession(room.session_key)
    read = dict(alice=alice, bob=bob, to_bob=to_bob, to_alice=to_alice, room=room, member=member)

# Alice answers what she has read; the message that the next turn reads is from Bob.
answer = read["to_bob"].encrypt("answer")
assert read["to_alice"].decrypt(answer) == "answer"
message = read["to_alice"].encrypt(f"turn {turn}")
event = read["room"].encrypt(f"event {turn}")
stored = {name: read[name].pickle(KEY).decode() for name in CLASSES}
stored.update(
    turn=turn, identity=read["alice"].identity_keys, message=message.ciphertext, event=event
)
state.write_text(json.dumps(stored))
print(f"turn {turn} with {os.path.basename(library)}")
