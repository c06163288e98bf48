"""A conversation through the `olm` package: python3 conversation.py LIBRARY PACKAGE

Both must be the ones in use: LIBRARY is the libolm.so.3 to be loaded, PACKAGE the folder `olm` is imported from.
"""

import os
import sys

import olm

library, package = map(os.path.realpath, sys.argv[1:])
with open("/proc/self/maps") as maps:
    loaded = {line.split()[-1] for line in maps if "libolm.so" in line}
assert loaded == {library}, loaded
assert os.path.realpath(olm.__file__).startswith(package), olm.__file__

# Two devices: a pre-key message, answers, and a stored session.
alice, bob = olm.Account(), olm.Account()
bob.generate_one_time_keys(2)
one_time_key = next(iter(bob.one_time_keys["curve25519"].values()))
bob.mark_keys_as_published()
to_bob = olm.OutboundSession(alice, bob.identity_keys["curve25519"], one_time_key)
first = to_bob.encrypt("first")
to_alice = olm.InboundSession(bob, first, alice.identity_keys["curve25519"])
assert to_alice.decrypt(first) == "first" and to_alice.id == to_bob.id
bob.remove_one_time_keys(to_alice)
for turn in range(10):
    assert to_bob.decrypt(to_alice.encrypt(f"answer {turn}")) == f"answer {turn}"
    late = to_bob.encrypt("late")
    assert to_alice.decrypt(to_bob.encrypt("early")) == "early"
    to_alice = olm.Session.from_pickle(to_alice.pickle("key"), "key")
    assert to_alice.decrypt(late) == "late"
try:
    to_alice.decrypt(late)
    raise AssertionError("a message was decrypted twice")
except olm.OlmSessionError as error:
    assert str(error) == "BAD_MESSAGE_MAC", error
try:
    olm.Account.from_pickle(alice.pickle("key"), "another")
    raise AssertionError("an account was loaded with the wrong key")
except olm.OlmAccountError as error:
    assert str(error) == "BAD_ACCOUNT_KEY", error

# Signatures.
message = "signed"
olm.ed25519_verify(alice.identity_keys["ed25519"], message, alice.sign(message))
try:
    olm.ed25519_verify(bob.identity_keys["ed25519"], message, alice.sign(message))
    raise AssertionError("a signature of another key was accepted")
except olm.utility.OlmVerifyError as error:
    assert str(error) == "BAD_MESSAGE_MAC", error

# A room, its exported key, and its stored sessions.
room = olm.OutboundGroupSession()
member = olm.InboundGroupSession(room.session_key)
room = olm.OutboundGroupSession.from_pickle(room.pickle("key"), "key")
events = [room.encrypt(f"event {index}") for index in range(5)]
late_member = olm.InboundGroupSession.import_session(member.export_session(3))
assert member.decrypt(events[4]) == ("event 4", 4) and member.decrypt(events[0]) == ("event 0", 0)
assert late_member.decrypt(events[3]) == ("event 3", 3)
try:
    late_member.decrypt(events[2])
    raise AssertionError("an event before the exported key was decrypted")
except olm.OlmGroupSessionError as error:
    assert str(error) == "UNKNOWN_MESSAGE_INDEX", error

# Verification by short strings, and the encryption of backups.
ours = olm.Sas()
theirs = olm.Sas(ours.pubkey)
ours.set_their_pubkey(theirs.pubkey)
assert ours.generate_bytes("info", 6) == theirs.generate_bytes("info", 6)
assert ours.calculate_mac("input", "info") == theirs.calculate_mac("input", "info")
backup = olm.PkDecryption()
assert backup.decrypt(olm.PkEncryption(backup.public_key).encrypt("room key")) == "room key"

print("Debian's python3-olm holds a conversation")
