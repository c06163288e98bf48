"""Threads, forks, stores of libolm and failing calls (S-51), on the installed package."""

import gc
import mmap
import os
import sys
import threading

import pytest
import vodozemac

KEY = b"DEFAULT_PICKLE_KEY_1234567890___"
WEAK = vodozemac.Curve25519PublicKey.from_bytes(bytes(32))


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
    forged = vodozemac.AnyOlmMessage.from_parts(message_type, ciphertext[:-1] + b"?")
    things = [alice, bob, outbound, inbound, group, receiver]

    def states():
        return [thing.pickle(KEY) for thing in things]

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
        (lambda: vodozemac.Sas().diffie_hellman(WEAK), vodozemac.KeyException),
        (lambda: vodozemac.PkEncryption.from_key(WEAK).encrypt(b"x"), vodozemac.PkDecodeException),
    ]:
        with pytest.raises(error):
            call()
        assert states() == before
    answer = vodozemac.AnyOlmMessage.from_parts(message_type, ciphertext)
    assert outbound.decrypt(answer) == b"answer"
    changed = [old != new for old, new in zip(before, states())]
    assert changed == [False, False, True, False, False, False]


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
