"""Cross-signing: one comparison is enough for all devices of a user, and no server can add one."""

import copy

import signedjson.key
import signedjson.sign
from person import PASSWORD, Person, eventually, verify
from servers import check


def trust(viewer, other):
    """What the viewer's client says of each device of the other, and of the identity."""
    lines = viewer.run("devices", other.user_id).splitlines()
    return {line.split()[0]: " ".join(line.split()[2:]) for line in lines}


def sees(viewer, other, expected):
    """Waits until the servers have told each other."""

    def step():
        shown = trust(viewer, other)
        assert shown == expected, f"{viewer.store.name} sees {shown}, not {expected}"

    eventually(step)


def password_is_asked_for(client, homeserver, directory):
    """A server asks for the password before another identity takes the place of one. Here it hides the one
    that is there, and the client has forgotten it, as if its making had been cut off."""

    def hide(path, answer):
        if "/keys/query" in path:
            answer["master_keys"] = {}
        return answer

    def identity():
        return flora.run("devices").splitlines()[-1]

    flora = Person(client, homeserver, directory, "flora")
    before = identity()
    assert before.split()[0] == "identity" and before.endswith(" verified"), before
    flora.network.on_answer = hide
    try:
        flora.run("identity", answer=f"{flora.recovery}\n{PASSWORD}")
        raise RuntimeError("an identity that the server hides is replaced")
    except AssertionError as error:
        assert "nothing was replaced" in str(error), error
    check("an identity that the server hides is not replaced")
    flora.sql("DELETE FROM identities")
    flora.sql("INSERT INTO meta (name, value) VALUES ('identity_begun', 'yes')")
    try:
        flora.run("identity", answer=f"{flora.recovery}\nwrong password")
        raise RuntimeError("the server takes an identity without the password")
    except AssertionError as error:
        assert "does not take your identity" in str(error), error
    flora.run("identity", answer=f"{flora.recovery}\n{PASSWORD}")
    flora.network.heal()
    after = identity()
    assert after != before and after.split()[2:] == ["verified"], after
    check("where the server asks for the password, an identity is published with it")


def one_comparison(dora, emil, emil2):
    """Dora compares emoji with one device. The other one, which was not signed, is when it gets the key."""
    by_emil = f"verified by {emil.user_id}"
    verify(dora, emil, sign=True)
    unsigned = {emil.device_id: "verified by you", emil2.device_id: "not verified",
                "identity": "verified"}
    sees(dora, emil, unsigned)
    try:
        emil2.run("identity", answer=dora.recovery)
        raise RuntimeError("the recovery key of somebody else is taken")
    except AssertionError as error:
        assert "stays locked" in str(error), error
    sees(dora, emil, unsigned)
    emil2.run("identity", answer=emil.recovery)
    sees(dora, emil, unsigned | {emil2.device_id: by_emil})
    check("a device is verified by the user's identity, once the recovery key has signed it")


def second_device(client, dora, emil, emil2, directory):
    """It never saw an emoji: the recovery key is enough."""
    dora2 = Person(client, dora.homeserver, directory, "dora2", dora.user_id, dora.recovery)
    by_emil = f"verified by {emil.user_id}"
    sees(dora2, emil, {emil.device_id: by_emil, emil2.device_id: by_emil, "identity": "verified"})
    sees(dora, dora, {dora.device_id: "this device",
                      dora2.device_id: f"verified by {dora.user_id}", "identity": "verified"})
    check("a second device trusts whom the first one has compared")


def copied_signature(dora, emil, emil2, emil3):
    """The server puts the signature for one device under another."""

    def forge(path, answer):
        if "/keys/query" in path and emil.user_id in answer["device_keys"]:
            devices = answer["device_keys"][emil.user_id]
            source, target = (devices[device.device_id]["signatures"][emil.user_id]
                              for device in (emil2, emil3))
            target.update({name: text for name, text in source.items()
                           if name != f"ed25519:{emil2.device_id}"})
        return answer

    dora.network.on_answer = forge
    shown = trust(dora, emil)
    dora.network.heal()
    assert shown[emil3.device_id] == "not verified", shown
    assert shown[emil2.device_id] == f"verified by {emil.user_id}", shown
    assert f"does not vouch for {emil3.device_id}" in dora.warnings, dora.warnings
    check("a forged signature for a device is refused")


def other_identity(emil, signed):
    """A server that shows an identity of its own making as Emil's, which has signed a device of his."""
    names = {}

    def key(usage, by=None):
        secret = signedjson.key.generate_signing_key("x")
        public = signedjson.key.encode_verify_key_base64(secret.verify_key)
        secret = signedjson.key.decode_signing_key_base64(
            "ed25519", public, signedjson.key.encode_signing_key_base64(secret))
        names[usage] = {"user_id": emil.user_id, "usage": [usage],
                        "keys": {f"ed25519:{public}": public}}
        if by:
            signedjson.sign.sign_json(names[usage], emil.user_id, by)
        return secret

    master = key("master")
    self_signing = key("self_signing", master)

    def forge(path, answer):
        if "/keys/query" in path and emil.user_id in answer["device_keys"]:
            # With the signature that Dora's identity has made for the real one.
            real = answer["master_keys"][emil.user_id]
            answer["master_keys"][emil.user_id] = names["master"] | {
                "signatures": copy.deepcopy(real.get("signatures", {}))}
            answer["self_signing_keys"][emil.user_id] = names["self_signing"]
            device = answer["device_keys"][emil.user_id][signed.device_id]
            signedjson.sign.sign_json(device, emil.user_id, self_signing)
        return answer

    return forge


def forged_identity(client, dora, emil, emil2, emil3, directory):
    forge = other_identity(emil, emil3)
    dora.network.on_answer = forge
    shown = trust(dora, emil)
    dora.network.heal()
    assert shown == {emil.device_id: "verified by you", emil2.device_id: "not verified",
                     emil3.device_id: "not verified", "identity": "not verified"}, shown
    assert f"THE IDENTITY OF {emil.user_id} HAS CHANGED" in dora.warnings, dora.warnings
    check("another identity vouches for nobody, and the change is announced")

    # A device that sees the forged one first.
    dora3 = Person(client, dora.homeserver, directory, "dora3", dora.user_id, dora.recovery)
    dora3.network.on_answer = forge
    shown = trust(dora3, emil)
    dora3.network.heal()
    assert set(shown.values()) == {"not verified"}, shown
    assert "your signature: the signature of the object does not verify" in dora3.warnings
    by_emil = f"verified by {emil.user_id}"
    sees(dora3, emil, {emil.device_id: by_emil, emil2.device_id: by_emil,
                       emil3.device_id: "not verified", "identity": "verified"})
    check("a forged signature for a user is refused")


def meet(dora, emil):
    """A server keeps the signatures of its users for those with whom they share a room."""
    room = dora.run("create", "signed", "--invite", emil.user_id).strip()
    eventually(lambda: emil.run("join", room))
    eventually(lambda: dora.has_member(room, emil))
    return room


def messages(dora, emil, emil2, emil3, room):
    """Those for verified devices go to signed ones. Returns the texts."""
    texts = ["for signed devices", "from a signed device"]
    dora.run("send", room, texts[0], "--verified-only")
    for device in (emil, emil2):
        device.reads(room, texts[0])
    assert texts[0] not in emil3.run("tail", room, "--all", "--once")
    emil2.run("send", room, texts[1])
    shown = dora.reads(room, texts[1])
    assert "[verified]" in shown, shown
    check("messages to and from signed devices are those of verified devices")
    return texts


def own_device(dora, emil, emil2, emil3):
    """Emil compares emoji with his own device, and signs it. It trusts his identity from then on."""
    verify(emil, emil3, sign=True)
    by_emil = f"verified by {emil.user_id}"
    sees(dora, emil, {emil.device_id: "verified by you", emil2.device_id: by_emil,
                      emil3.device_id: by_emil, "identity": "verified"})
    sees(emil3, emil, {emil.device_id: "verified by you", emil2.device_id: by_emil,
                       emil3.device_id: "this device", "identity": "verified"})
    check("a device is signed after a comparison with another one of the user")


def all_of_them(client, directory, one, two):
    """Returns what no file may contain."""
    password_is_asked_for(client, one, directory)
    dora = Person(client, one, directory, "dora")
    emil = Person(client, two, directory, "emil")
    room = meet(dora, emil)
    emil2 = Person(client, two, directory, "emil2", emil.user_id)
    one_comparison(dora, emil, emil2)
    second_device(client, dora, emil, emil2, directory)
    emil3 = Person(client, two, directory, "emil3", emil.user_id)
    copied_signature(dora, emil, emil2, emil3)
    forged_identity(client, dora, emil, emil2, emil3, directory)
    texts = messages(dora, emil, emil2, emil3, room)
    own_device(dora, emil, emil2, emil3)
    return [*texts, dora.recovery, emil.recovery]
