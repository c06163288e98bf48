"""Memory, threads, forks, wrong arguments and failing calls (S-51), on the installed package."""

import gc
import importlib
import os
import pathlib
import re
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


def use_everything():
    """Calls each C function that the package uses, some of them in calls that fail."""
    alice, bob, outbound, inbound, message = sessions()
    alice.sign("text")
    alice.generate_fallback_key()
    assert alice.fallback_key and alice.max_one_time_keys
    alice.forget_old_fallback_key()
    alice.mark_keys_as_published()
    identity = alice.identity_keys["curve25519"]
    olm.InboundSession(bob, message)
    assert inbound.matches(message) and inbound.matches(message, identity)
    inbound.decrypt(message)
    bob.remove_one_time_keys(inbound)
    assert outbound.id == inbound.id and outbound.describe()
    group = olm.OutboundGroupSession()
    receiver = olm.InboundGroupSession(group.session_key)
    assert group.id == receiver.id and group.message_index == receiver.first_known_index
    receiver.decrypt(group.encrypt("text"))
    olm.InboundGroupSession.import_session(receiver.export_session(0))
    backup = olm.PkDecryption()
    encrypted = olm.PkEncryption(backup.public_key).encrypt("text")
    backup.decrypt(encrypted)
    signing = olm.PkSigning(olm.PkSigning.generate_seed())
    olm.ed25519_verify(signing.public_key, "text", signing.sign("text"))
    olm.sha256("text")
    one, other = olm.Sas(), olm.Sas()
    one.set_their_pubkey(other.pubkey)
    assert one.other_key_set and one.generate_bytes("info", 6)
    for mac in [one.calculate_mac, one.calculate_mac_fixed_base64, one.calculate_mac_long_kdf]:
        mac("text", "info")
    for thing in [alice, group, receiver, backup]:
        type(thing).from_pickle(thing.pickle("key"), "key")
    olm.Session.from_pickle(outbound.pickle("key"), "key")
    encrypted.mac = "A" * 11
    for failing in [
        lambda: olm.Account.from_pickle(b"x"),
        lambda: olm.OutboundGroupSession.from_pickle(b"x"),
        lambda: inbound.decrypt(message),
        lambda: receiver.decrypt("AwgA"),
        lambda: backup.decrypt(encrypted),
        lambda: olm.PkEncryption("short"),
        lambda: olm.PkSigning(b"short"),
        lambda: other.set_their_pubkey("short"),
        lambda: olm.ed25519_verify(signing.public_key, "text", "A" * 86),
    ]:
        with pytest.raises(Exception, match="^[A-Z0-9_]+$"):
            failing()


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


def in_threads(work, count=8):
    failures = []

    def run():
        try:
            work()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run) for _ in range(count)]
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


def test_many_threads_share_every_kind_of_object():
    """cffi calls C functions without the interpreter's lock, so these would run at the same time, as
    everything does in a Python that has no such lock."""
    alice, _, outbound, inbound, message = sessions()
    inbound.decrypt(message)
    outbound.decrypt(inbound.encrypt("answer"))
    group = olm.OutboundGroupSession()
    receiver = olm.InboundGroupSession(group.session_key)
    message = group.encrypt("text")
    backup = olm.PkDecryption()
    encryption = olm.PkEncryption(backup.public_key)
    signing = olm.PkSigning(olm.PkSigning.generate_seed())
    one, other = olm.Sas(), olm.Sas()
    one.set_their_pubkey(other.pubkey)
    signature, emoji = signing.sign("text"), one.generate_bytes("info", 6)
    texts = []

    def work():
        for _ in range(5):
            texts.append(outbound.encrypt("text").ciphertext)
            texts.append(group.encrypt("text"))
            assert receiver.decrypt(message) == ("text", 0)
            assert backup.decrypt(encryption.encrypt("text")) == "text"
            assert signing.sign("text") == signature
            assert one.generate_bytes("info", 6) == emoji
            assert receiver.export_session(0) and alice.sign("text")
            for thing in [alice, group, receiver, outbound, backup]:
                kind = olm.Session if thing is outbound else type(thing)
                kind.from_pickle(thing.pickle("key"), "key")

    in_threads(work, 100)
    assert len(set(texts)) == len(texts) == 1000


def test_every_call_about_an_object_holds_the_lock(monkeypatch):
    """So nothing depends on the interpreter's lock, which some builds of Python do not have."""
    called, unlocked = set(), set()

    def about_an_object(argument):
        kind = ffi.typeof(argument) if isinstance(argument, ffi.CData) else None
        return kind is not None and kind.kind == "pointer" and kind.item.kind == "struct"

    def watched(name, function):
        def call(*arguments):
            called.add(name)
            if any(map(about_an_object, arguments)) and not olm._native.lock._is_owned():
                unlocked.add(name)
            return function(*arguments)

        return call

    class Watched:
        def __getattr__(self, name):
            thing = getattr(lib, name)
            return watched(name, thing) if callable(thing) else thing

    package = pathlib.Path(olm.__file__).parent
    named = set()
    for file in package.glob("*.py"):
        names = re.findall(r"\blib\.(olm_\w+)", file.read_text())
        if names and file.stem != "_native":
            monkeypatch.setattr(importlib.import_module(f"olm.{file.stem}"), "lib", Watched())
            named.update(names)
    kinds = [type(thing) for thing in every_object()] + [olm.utility._Verifier]
    for functions in {kind._functions for kind in kinds}:
        for name, function in list(vars(functions).items()):
            # Those two are for memory that no other thread has.
            if callable(function) and name not in ["blank", "clear", "error"]:
                full_name = f"{functions.error.__name__} {name}"
                monkeypatch.setattr(functions, name, watched(full_name, function))
                named.add(full_name)
    use_everything()
    # This class has its own function for that, which writes the public key, too.
    assert named - called == {"PkDecryptionError unpickle"} and called <= named
    assert not unlocked


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
                signal.alarm(120)  # a child that waits forever ends with an error
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
    text = message.ciphertext
    # All bits of the last letter but one count, wherever the message ends.
    forged = olm.OlmPreKeyMessage(text[:-2] + ("B" if text[-2] == "A" else "A") + text[-1])
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
