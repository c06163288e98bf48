"""Memory, threads, forks, wrong arguments and failing calls, on the package that is installed."""

import gc
import os
import resource
import signal
import subprocess
import sys
import threading

import olm
import pytest
from _libolm import ffi, lib

WRONG = [
    None,
    0,
    1,
    -1,
    1.5,
    True,
    "",
    "x",
    b"",
    b"x",
    "ü",
    "\0",
    "\ud800",
    [],
    [b"x"],
    object(),
    bytearray(b"x"),
]
WRONG += [
    2**31,
    2**63,
    2**70,
    -(2**70),
    "x" * 10**6,
    b"\xff" * 10**6,
    memoryview(b"x"),
    olm.Account,
]


def sessions():
    alice, bob = olm.Account(), olm.Account()
    bob.generate_one_time_keys(1)
    key = next(iter(bob.one_time_keys["curve25519"].values()))
    outbound = olm.OutboundSession(alice, bob.identity_keys["curve25519"], key)
    message = outbound.encrypt("first")
    inbound = olm.InboundSession(bob, message, alice.identity_keys["curve25519"])
    return alice, bob, outbound, inbound, message


def every_object():
    alice, _, outbound, inbound, _ = sessions()
    group = olm.OutboundGroupSession()
    backup = olm.PkDecryption()
    signing = olm.PkSigning(olm.PkSigning.generate_seed())
    receiver = olm.InboundGroupSession(group.session_key)
    encryption = olm.PkEncryption(backup.public_key)
    return [
        alice,
        outbound,
        inbound,
        group,
        receiver,
        backup,
        encryption,
        signing,
        olm.Sas(olm.Sas().pubkey),
    ]


def content(thing):
    return bytes(ffi.buffer(ffi.cast("char *", thing._handle), type(thing)._functions.size))


def test_every_c_function_is_there():
    names = [name for name in dir(lib) if name.startswith(("olm_", "_olm_"))]
    assert len(names) == 150
    assert all(getattr(lib, name) for name in names)
    assert lib.OLM_MESSAGE_TYPE_MESSAGE == 1 and lib.OLM_PICKLE_EXTRA_DATA == 17


@pytest.mark.parametrize("in_a_cycle", [False, True])
@pytest.mark.parametrize("place", range(9))
def test_memory_is_wiped_before_it_is_freed(place, in_a_cycle, monkeypatch):
    kind = type(every_object()[place])
    size = kind._functions.size
    clear = kind._functions.clear
    wiped = {}

    def spy(handle):
        clear(handle)
        wiped[handle] = bytes(ffi.buffer(ffi.cast("char *", handle), size))

    monkeypatch.setattr(kind._functions, "clear", spy)
    thing = every_object()[place]
    blank = ffi.new("char[]", size)
    kind._functions.blank(blank)
    assert content(thing) != bytes(ffi.buffer(blank))
    if in_a_cycle:
        thing.itself = thing
    handle = thing._handle
    address = ffi.cast("void *", handle)
    del thing, handle
    gc.collect()
    assert {ffi.cast("void *", handle): bytes_ for handle, bytes_ in wiped.items()}[
        address
    ] == bytes(ffi.buffer(blank))


def test_secrets_are_wiped_in_buffers():
    from olm._native import Buffer

    for buffer in [Buffer.text("secret"), Buffer.passphrase("secret"), Buffer.random(32)]:
        with buffer:
            assert any(buffer.content)
        assert not any(buffer.content)
    theirs = b"bytes of the caller"
    with Buffer.text(theirs) as buffer:
        assert buffer.content is theirs
    assert theirs == b"bytes of the caller"


def test_no_memory_leaks():
    def work():
        for _ in range(300):
            every_object()
            alice, _, outbound, _, message = sessions()
            olm.Account.from_pickle(alice.pickle("key"), "key")
            for failing in [
                lambda: outbound.decrypt(message),
                lambda: olm.Session.from_pickle(b"x" * 300),
            ]:
                with pytest.raises(olm.OlmSessionError):
                    failing()

    work()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(3):
        work()
    # One leaked account for each round would be 6 MiB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4096


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


def test_threads_share_a_sender():
    group = olm.OutboundGroupSession()
    receiver = olm.InboundGroupSession(group.session_key)
    messages = []
    in_threads(lambda: [messages.append(group.encrypt("x" * size)) for size in range(300)])
    assert sorted(receiver.decrypt(message)[1] for message in messages) == list(range(2400))


def test_threads_share_an_account():
    account = olm.Account()
    keys = account.identity_keys

    def work():
        for count in range(30):
            account.generate_one_time_keys(count % 5)
            assert len(account.one_time_keys["curve25519"]) <= 100
            assert olm.Account.from_pickle(account.pickle("key"), "key").identity_keys == keys
            account.mark_keys_as_published()

    in_threads(work)


def test_threads_share_a_session():
    _, _, outbound, inbound, message = sessions()
    inbound.decrypt(message)
    outbound.decrypt(inbound.encrypt("answer"))
    messages = []
    in_threads(lambda: [messages.append(outbound.encrypt("x" * size)) for size in range(100)])
    assert len({message.ciphertext for message in messages}) == 800
    inbound = olm.Session.from_pickle(inbound.pickle(), "")
    assert outbound.describe().startswith("sender chain index: 800 ")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_fork():
    account, group = olm.Account(), olm.OutboundGroupSession()
    receiver = olm.InboundGroupSession(group.session_key)
    is_over = False

    def work():
        while not is_over:
            group.encrypt("x" * 1000)

    thread = threading.Thread(target=work)
    thread.start()
    keys = []
    try:
        for _ in range(100):
            read, write = os.pipe()
            child = os.fork()
            if child == 0:
                signal.alarm(20)  # a child that waits forever ends with an error
                message = group.encrypt("child")
                assert receiver.decrypt(message)[0] == "child"
                account.generate_one_time_keys(1)
                os.write(write, account.one_time_keys["curve25519"].popitem()[1].encode())
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            keys.append(os.read(read, 100))
            os.close(read)
            os.close(write)
    finally:
        is_over = True
        thread.join()
    assert len(set(keys)) == 100


def test_the_interpreter_ends_with_objects_in_use():
    for code in [
        "import olm; a = olm.Account(); a.itself = a; keep = [olm.Sas() for _ in range(99)]",
        "import sys, builtins, olm; builtins.keep = list(sys.modules.values()), olm.Account()",
        "import threading, olm; a = olm.Account(); "
        "threading.Thread(target=lambda: [a.sign('x') for _ in iter(int, 1)], daemon=True).start()",
    ]:
        subprocess.run([sys.executable, "-c", code], check=True)


CONSTRUCTORS = [
    olm.Account,
    olm.Session,
    olm.InboundSession,
    olm.OutboundSession,
    olm.InboundGroupSession,
]
CONSTRUCTORS += [
    olm.OutboundGroupSession,
    olm.PkEncryption,
    olm.PkDecryption,
    olm.PkSigning,
    olm.Sas,
]
CONSTRUCTORS += [olm.ed25519_verify, olm.sha256, olm.OlmMessage, olm.OlmPreKeyMessage]
CONSTRUCTORS += [kind.from_pickle for kind in CONSTRUCTORS[:6] + [olm.PkDecryption]]
CONSTRUCTORS += [olm.InboundGroupSession.import_session]


def test_wrong_arguments_are_exceptions():
    things = every_object()
    methods = [
        getattr(thing, name)
        for thing in things
        for name in dir(type(thing))
        if not name.startswith("_") and callable(getattr(type(thing), name))
    ]
    messages = [
        kind(text) for kind in [olm.OlmMessage, olm.OlmPreKeyMessage] for text in WRONG if text
    ]
    message = olm.OlmMessage("x")
    message.message_type = 2**70
    messages += [message, olm.PkMessage("x", b"x", "x" * 5), olm.PkMessage(None, 1, "")]
    succeeded = 0
    for function in CONSTRUCTORS + methods:
        for first in WRONG + messages + things:
            if first in (2**31, 10**6) and "keys" in function.__name__:
                continue  # makes as many keys
            for arguments in [
                (first,),
                (first, "x"),
                (first, None),
                ("x", first),
                (things[0], first),
                (first,) * 3,
            ]:
                try:
                    function(*arguments)
                    succeeded += 1
                except Exception as error:
                    assert not isinstance(error, SystemError)
    assert succeeded > 100
    for thing in things:
        assert content(thing)


def test_what_fails_changes_nothing():
    alice, bob, outbound, inbound, message = sessions()
    group = olm.OutboundGroupSession()
    receiver = olm.InboundGroupSession(group.session_key)
    things = [alice, bob, outbound, inbound, group, receiver]
    before = [thing.pickle() for thing in things]
    forged = olm.OlmPreKeyMessage(message.ciphertext[:-2] + "AA")
    event = olm.OutboundGroupSession().encrypt("of another session")
    for call, error in [
        (lambda: inbound.decrypt(forged), olm.OlmSessionError),
        (lambda: inbound.decrypt(olm.OlmMessage("garbage")), olm.OlmSessionError),
        (lambda: outbound.decrypt(message), olm.OlmSessionError),
        (lambda: olm.InboundSession(bob, forged).decrypt(forged), olm.OlmSessionError),
        (lambda: receiver.decrypt(event), olm.OlmGroupSessionError),
        (lambda: alice.remove_one_time_keys(inbound), olm.OlmAccountError),
        (lambda: outbound.encrypt("\ud800"), UnicodeEncodeError),
        (lambda: group.encrypt("\ud800"), UnicodeEncodeError),
        (lambda: alice.sign(5), TypeError),
        (lambda: receiver.export_session(-1), OverflowError),
    ]:
        with pytest.raises(error):
            call()
    assert [thing.pickle() for thing in things] == before
    assert inbound.decrypt(message) == "first"


def test_refused_keys_are_errors_at_once():
    """The original ignores that the key was refused, and encrypts to another one."""
    for key in ["short", "A" * 43]:
        with pytest.raises(olm.PkEncryptionError):
            olm.PkEncryption(key)
    with pytest.raises(olm.PkDecryptionError, match="OUTPUT_BUFFER_TOO_SMALL"):
        olm.PkDecryption().decrypt(olm.PkMessage("A" * 43, "A" * 11, "A"))
