"""Threads, forks, stores of libolm and failing calls (S-51), on the installed package."""

import base64
import gc
import json
import mmap
import os
import sys
import threading

import pytest
import vodozemac
from Crypto.Cipher import AES
from Crypto.Hash import HMAC, SHA256
from Crypto.Protocol.KDF import HKDF
from Crypto.Util.Padding import pad, unpad

KEY = b"DEFAULT_PICKLE_KEY_1234567890___"
WEAK = vodozemac.Curve25519PublicKey.from_bytes(bytes(32))


def pickle_keys():
    keys = HKDF(KEY, 80, bytes(32), SHA256, context=b"Pickle")
    return keys[:32], keys[32:64], keys[64:]


def seal(content):
    """The pickle of a content under KEY: the encryption of libolm's and vodozemac's pickles."""
    key, mac_key, iv = pickle_keys()
    sealed = AES.new(key, AES.MODE_CBC, iv).encrypt(pad(content, 16))
    sealed += HMAC.new(mac_key, sealed, SHA256).digest()[:8]
    return base64.b64encode(sealed).decode().rstrip("=")


def unseal(pickle):
    key, _, iv = pickle_keys()
    sealed = base64.b64decode(pickle + "=" * (-len(pickle) % 4))
    return unpad(AES.new(key, AES.MODE_CBC, iv).decrypt(sealed[:-8]), 16)


def at_last_index():
    """A group session with one message left."""
    content = json.loads(unseal(vodozemac.GroupSession().pickle(KEY)))
    content["ratchet"]["counter"] = 2**32 - 1
    return vodozemac.GroupSession.from_pickle(seal(json.dumps(content).encode()), KEY)


def sessions():
    alice, bob = vodozemac.Account(), vodozemac.Account()
    bob.generate_one_time_keys(1)
    [one_time_key] = bob.one_time_keys.values()
    outbound = alice.create_outbound_session(bob.curve25519_key, one_time_key)
    message = outbound.encrypt(b"first")
    inbound, plaintext = bob.create_inbound_session(alice.curve25519_key, message.to_pre_key())
    assert plaintext == b"first"
    return alice, bob, outbound, inbound, message


def in_threads(work):
    failures = []

    def run():
        try:
            work()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run) for _ in range(8)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)
    assert not failures


def test_threads_share_objects():
    _, bob, outbound, inbound, _ = sessions()
    outbound.decrypt(inbound.encrypt(b"answer"))
    group = vodozemac.GroupSession()
    receiver = vodozemac.InboundGroupSession(group.session_key)
    messages, indices = [], []

    def work():
        for number in range(100):
            messages.append(outbound.encrypt(b"x" * number).to_parts())
            indices.append(receiver.decrypt(group.encrypt(b"x" * number)).message_index)
            bob.generate_one_time_keys(1)
            vodozemac.Account.from_pickle(bob.pickle(KEY), KEY)

    in_threads(work)
    assert len(set(messages)) == 800
    assert sorted(indices) == list(range(800))


def test_one_of_many_threads_uses_a_sas():
    sas, key = vodozemac.Sas(), vodozemac.Sas().public_key
    established = []

    def work():
        try:
            established.append(sas.diffie_hellman(key))
        except vodozemac.SasException:
            pass

    in_threads(work)
    assert len(established) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_parent_and_child_draw_different_keys():
    account = vodozemac.Account()
    keys = set()
    for _ in range(20):
        read, write = os.pipe()
        child = os.fork()
        account.generate_one_time_keys(1)
        [key] = account.one_time_keys.values()
        if child == 0:
            os.write(write, key.to_base64().encode())
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        account.mark_keys_as_published()
        keys |= {key.to_base64(), os.read(read, 100).decode()}
        os.close(read)
        os.close(write)
    assert len(keys) == 40


def test_what_fails_changes_nothing():
    alice, bob, outbound, inbound, message = sessions()
    group = vodozemac.GroupSession()
    receiver = vodozemac.InboundGroupSession(group.session_key)
    event = vodozemac.GroupSession().encrypt(b"of another session")
    message_type, ciphertext = inbound.encrypt(b"answer").to_parts()
    forged = vodozemac.AnyOlmMessage.from_parts(
        message_type, ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])
    )
    sas = vodozemac.Sas()
    things = [alice, bob, outbound, inbound, group, receiver]

    def states():
        return [sas.public_key.to_base64(), *[thing.pickle(KEY) for thing in things]]

    # A pickle is the whole state of an object, and the same for the same state.
    before = states()
    assert states() == before
    for call, error in [
        (lambda: outbound.decrypt(forged), vodozemac.OlmDecryptionException),
        (lambda: inbound.decrypt(message), vodozemac.OlmDecryptionException),
        (lambda: receiver.decrypt(event), vodozemac.MegolmDecryptionException),
        (
            lambda: bob.create_inbound_session(bob.curve25519_key, message.to_pre_key()),
            vodozemac.SessionCreationException,
        ),
        (
            lambda: alice.create_outbound_session(WEAK, bob.curve25519_key),
            vodozemac.SessionCreationException,
        ),
        (lambda: alice.pickle(b"short"), vodozemac.PickleException),
        (lambda: vodozemac.Account.from_pickle("", KEY), vodozemac.PickleException),
        (lambda: sas.diffie_hellman(WEAK), vodozemac.KeyException),
        (lambda: sas.diffie_hellman(sas.public_key), vodozemac.KeyException),
        (lambda: vodozemac.PkEncryption.from_key(WEAK).encrypt(b"x"), vodozemac.PkDecodeException),
    ]:
        with pytest.raises(error):
            call()
        assert states() == before
    answer = vodozemac.AnyOlmMessage.from_parts(message_type, ciphertext)
    assert outbound.decrypt(answer) == b"answer"
    changed = [old != new for old, new in zip(before, states())]
    assert changed == [False, False, False, True, False, False, False]
    other = vodozemac.Sas()
    ours, theirs = sas.diffie_hellman(other.public_key), other.diffie_hellman(sas.public_key)
    assert ours.bytes("info").decimals == theirs.bytes("info").decimals


def copies(secret):
    """How many copies of these bytes are in the memory that this process can write to."""
    with open("/proc/self/maps") as maps:
        spans = [line.split()[0].split("-") for line in maps if line.split()[1].startswith("rw")]
    # The places are read one by one into memory of its own, which is not one of them.
    room, found = mmap.mmap(-1, 1 << 20), 0
    overlap = len(secret) - 1
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        for first, last in [[int(end, 16) for end in span] for span in spans]:
            for begin in range(first, last, len(room) - overlap):
                length = min(len(room), last - begin)
                memory.seek(begin)
                with memoryview(room) as view:
                    length = memory.readinto(view[:length])
                place = room.find(secret, 0, length)
                while place >= 0:
                    found += 1
                    place = room.find(secret, place + 1, length)
    room.close()
    return found


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="no file has the memory")
@pytest.mark.parametrize("in_a_cycle", [False, True])
def test_memory_is_wiped_before_it_is_freed(in_a_cycle):
    secret = os.urandom(32)
    key = vodozemac.Curve25519SecretKey.from_bytes(secret)
    assert copies(secret) > 1
    things = [key, vodozemac.PkDecryption.from_key(key)]
    assert copies(secret) > 2
    if in_a_cycle:
        things.append(things)
    del key, things
    gc.collect()
    # That of the test itself.
    assert copies(secret) == 1


def test_the_last_index_of_a_group_session():
    group = at_last_index()
    receiver = vodozemac.InboundGroupSession(group.session_key)
    assert receiver.decrypt(group.encrypt(b"the last one")).plaintext == b"the last one"
    with pytest.raises(ValueError):
        group.encrypt(b"one more")
    with pytest.raises(vodozemac.PickleException):
        group.pickle(KEY)
    assert group.message_index == 2**32 - 1


def test_a_libolm_session_before_its_first_message_can_be_stored():
    def number(value):
        return value.to_bytes(4, "big")

    def key():
        return vodozemac.Account().curve25519_key.to_bytes()

    keys, chain = key() + key() + key(), key() + bytes(32) + number(0)
    unread = number(1) + b"\0" + keys + bytes(32) + number(0) + number(1) + chain + number(0)
    session = vodozemac.Session.from_libolm_pickle(seal(unread), KEY)
    again = vodozemac.Session.from_pickle(session.pickle(KEY), KEY)
    assert again.session_id == session.session_id


def test_private_keys_have_their_padding_or_none():
    key = vodozemac.Curve25519SecretKey()
    text = key.to_base64()
    for ending in ["", "="]:
        again = vodozemac.Curve25519SecretKey.from_base64(text + ending)
        assert again.to_bytes() == key.to_bytes()
    for wrong in [text + "==", text + "===", text + "=A", "=" + text, text[:42] + "=="]:
        with pytest.raises(vodozemac.KeyException):
            vodozemac.Curve25519SecretKey.from_base64(wrong)


def every_object():
    alice, bob, outbound, inbound, message = sessions()
    bob.generate_fallback_key()
    group, exhausted = vodozemac.GroupSession(), at_last_index()
    receiver = vodozemac.InboundGroupSession(group.session_key)
    exhausted.encrypt(b"the last one")
    event = group.encrypt(b"x")
    sas, used, pk = vodozemac.Sas(), vodozemac.Sas(), vodozemac.PkDecryption()
    established = used.diffie_hellman(sas.public_key)
    encryption = vodozemac.PkEncryption.from_key(pk.public_key)
    return [
        *[alice, bob, outbound, inbound, message, message.to_pre_key(), group, exhausted],
        *[receiver, receiver.decrypt(event), receiver.export_at(0), event, event.signature()],
        *[group.session_key, sas, used, established, established.bytes("x"), pk, pk.key],
        *[encryption, encryption.encrypt(b"x"), alice.ed25519_key, alice.curve25519_key, WEAK],
    ]


WRONG = [None, True, 0, 1, -1, 1.5, 2**31, 2**32, 2**70, [], {}, object(), str, lambda: 0]
WRONG += ["", "x", "A" * 43, "é", "\ud800", "\0", KEY.decode()]
WRONG += [b"", b"x", bytes(31), bytes(32), bytes(64), bytearray(32), memoryview(bytes(32)), KEY]


def test_wrong_arguments_are_exceptions():
    """Whatever is not an `Exception`, such as pyo3's `PanicException`, ends the test."""
    things = every_object()
    classes = [
        kind
        for kind in vars(vodozemac).values()
        if isinstance(kind, type) and not issubclass(kind, Exception)
    ]
    assert {type(thing).__name__ for thing in things} >= {kind.__name__ for kind in classes}
    functions, succeeded = classes, 0
    for thing in things + classes:
        for name in dir(thing):
            if name.startswith("_"):
                continue
            # A property is read here.
            member = getattr(thing, name)
            if callable(member):
                functions = [*functions, member]
    assert len(functions) > 100
    for function in functions:
        for first in WRONG + things:
            if type(first) is int and first > 1 and "keys" in function.__name__:
                continue  # makes as many keys
            for arguments in [
                (),
                (first,),
                (first, "x"),
                (first, KEY),
                ("x", first),
                (WEAK, first),
                (first,) * 3,
                ("x", "x", first),
            ]:
                try:
                    function(*arguments)
                    succeeded += 1
                except Exception as error:
                    assert not isinstance(error, SystemError)
    assert succeeded > 1000
