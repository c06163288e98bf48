"""Emoji that are not equal, and servers that interfere: nothing is verified, and the code says why. Two that
start at once."""

from person import verify
from servers import check

STEP = "m.key.verification."
WRONG_KEY = "AdYbFOV4lTp+GyQ8lkvX0QOVs8qVTGsCNS+X3uVhPgI"


def changed(step, member, value):
    """A server that changes one member of one step."""

    def change(event):
        if event["type"] == STEP + step:
            event["content"][member] = value
        return [event]

    return change


def replaced(step, other, value):
    """A server that makes another step of one."""

    def replace(event):
        if event["type"] == STEP + step:
            event["type"], event["content"] = STEP + other, event["content"] | value
        return [event]

    return replace


def interfere(person, change, codes):
    """Applies the change to what comes from other devices, and notes the codes of what is cancelled."""

    def on_answer(path, answer):
        if "/sync" in path:
            events = answer.get("to_device", {}).get("events", [])
            codes.extend(event["content"]["code"] for event in events
                         if event["type"] == STEP + "cancel")
            events[:] = [new for event in events for new in change(event)]
        return answer

    person.network.on_answer = on_answer


def cancelled(alice, bob):
    """Alice asks. Whoever sees that something is wrong tells the other what it is."""
    nothing = changed("none", None, None)
    for what, of_alice, of_bob, answers, code in (
        ("another key than was committed to", changed("key", "key", WRONG_KEY), nothing,
         ("yes", "yes"), "m.mismatched_commitment"),
        ("another MAC", changed("mac", "keys", WRONG_KEY), nothing, ("yes", "yes"),
         "m.key_mismatch"),
        ("a hash that nobody knows", nothing, changed("start", "hashes", ["md5"]), ("yes", "yes"),
         "m.unknown_method"),
        ("a step out of turn", replaced("accept", "mac", {}), nothing, ("yes", "yes"),
         "m.unexpected_message"),
        ("a step without a key", changed("key", "key", None), nothing, ("yes", "yes"),
         "m.invalid_message"),
        ("a user who says no", nothing, nothing, ("no", "yes"), "m.mismatched_sas"),
    ):
        alice.sql("UPDATE devices SET verified = 0")
        codes = []
        interfere(alice, of_alice, codes)
        interfere(bob, of_bob, codes)
        waiting = bob.start("verify", "--wait")
        asking = alice.start("verify", bob.user_id, bob.device_id)
        for process, answer in zip((asking, waiting), answers):
            process.stdin.write(answer + "\n")
            process.stdin.flush()
        errors = [alice.end_of(asking)[1], bob.end_of(waiting)[1]]
        # Who has not heard of it yet, does so now.
        for person in (alice, bob):
            person.run("rooms")
            person.network.heal()
        assert codes == [code], f"{what}: {codes}, {errors}"
        assert asking.returncode, f"{what}: verified all the same"
        assert not alice.sql("SELECT 1 FROM devices WHERE verified"), what
    check("a verification that somebody interferes with is cancelled, with the code that says why")


def both_start(alice, bob):
    """A start of the other device comes just before its answer to ours. The one of the smaller name
    counts."""
    methods = {"method": "m.sas.v1", "key_agreement_protocols": ["curve25519-hkdf-sha256"],
               "hashes": ["sha256"], "message_authentication_codes": ["hkdf-hmac-sha256.v2"],
               "short_authentication_string": ["emoji"]}
    assert alice.user_id < bob.user_id

    def by_bob(event):
        if event["type"] != STEP + "accept":
            return [event]
        start = methods | {"from_device": bob.device_id,
                           "transaction_id": event["content"]["transaction_id"]}
        return [event | {"type": STEP + "start", "content": start}, event]

    interfere(alice, by_bob, [])
    verify(alice, bob)
    alice.network.heal()

    accepted, codes = [], []
    interfere(bob, replaced("accept", "start", methods | {"from_device": alice.device_id}), codes)

    def watch(method, path):
        accepted.extend([path] if STEP + "accept" in path else [])
        return True

    bob.network.on_request = watch
    waiting = alice.start("verify", "--wait")
    asking = bob.start("verify", alice.user_id, alice.device_id)
    _, errors = alice.end_of(waiting)
    bob.end_of(asking)
    bob.network.heal()
    assert accepted, f"Bob insists on his start: {errors}"
    # Alice's device had not really started.
    assert codes == ["m.unexpected_message"], codes
    check("of two starts at once, the one of the smaller name counts")


def all_of_them(alice, bob):
    cancelled(alice, bob)
    both_start(alice, bob)
