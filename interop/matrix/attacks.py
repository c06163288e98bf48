"""What a server that lies can try: it must be noticed, and give it nothing."""

import json

from servers import check


def replayed(alice, bob, room):
    """The server shows Alice's message a second time, as another event."""

    def replay(path, answer):
        if "/sync" in path:
            for joined in answer.get("rooms", {}).get("join", {}).values():
                events = joined["timeline"]["events"]
                copies = [dict(event, event_id=event["event_id"] + "again") for event in events
                          if event["type"] == "m.room.encrypted"]
                events.extend(copies)
        return answer

    bob.network.on_answer = replay
    alice.run("send", room, "said once")
    shown = bob.reads(room, "said once")
    bob.network.heal()
    assert "[unreadable] another event used message index" in shown, shown
    check("a message that is presented twice is read once")


def forged_devices(alice, bob, room):
    """The server adds a device of its own to Bob's, and changes the keys of his real one."""

    # Keys that are valid, and not Bob's.
    (ed25519, curve25519), *_ = alice.sql(
        f"SELECT sender_ed25519, sender_key FROM inbound WHERE sender = '{alice.user_id}'")

    def forge(path, answer):
        if "/keys/query" in path:
            devices = answer["device_keys"][bob.user_id]
            real = devices[bob.device_id]
            added = json.loads(json.dumps(real).replace(bob.device_id, "MALLORY"))
            added["keys"] = {"ed25519:MALLORY": ed25519, "curve25519:MALLORY": curve25519}
            devices["MALLORY"] = added
            real["keys"][f"curve25519:{bob.device_id}"] = curve25519
        return answer

    alice.network.on_answer = forge
    devices = alice.run("devices", bob.user_id)
    alice.network.heal()
    assert "MALLORY" not in devices, devices
    for device in ("MALLORY", bob.device_id):
        reason = "the signature of the object does not verify"
        expected = f"device {device} of {bob.user_id} is not trusted: {reason}"
        assert expected in alice.warnings, alice.warnings
    alice.run("send", room, "to the real devices")
    bob.reads(room, "to the real devices")
    check("keys of devices that do not verify are not used")


def forged_one_time_keys(alice, bob, room):
    """The server gives out a one-time key that Bob's device did not sign."""

    def forge(path, answer):
        if "/keys/claim" in path:
            for devices in answer["one_time_keys"].values():
                for keys in devices.values():
                    for key in keys.values():
                        key["key"] = own[0][0]
        return answer

    own = alice.sql(f"SELECT sender_key FROM inbound WHERE sender = '{alice.user_id}'")
    alice.sql("DELETE FROM olm_sessions")
    alice.sql("DELETE FROM outbound")
    alice.network.on_answer = forge
    alice.run("send", room, "to nobody")
    alice.network.heal()
    assert "the signature of the object does not verify" in alice.warnings, alice.warnings
    assert not alice.sql("SELECT 1 FROM olm_sessions")
    alice.run("send", room, "to Bob again")
    shown = bob.reads(room, "to Bob again")
    assert "to nobody" not in shown, shown
    check("no session is made from a one-time key that does not verify")


def all_of_them(alice, bob, room):
    """Returns how many messages were sent."""
    for attack in (replayed, forged_devices, forged_one_time_keys):
        attack(alice, bob, room)
    return 1 + 1 + 2
