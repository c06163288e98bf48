"""Prints the interface of the module `vodozemac` that is installed. Two packages with the same
interface print the same."""

import inspect

import vodozemac

print(sorted(vodozemac.__all__))
for name in sorted(vodozemac.__all__):
    kind = getattr(vodozemac, name)
    print(name, [base.__name__ for base in kind.__mro__[1:]])
    for member, thing in sorted(vars(kind).items()):
        # Whether a class can be called is compared below.
        if member in ["__doc__", "__module__", "__new__", "__weakref__"]:
            continue
        signature = getattr(getattr(kind, member), "__text_signature__", None)
        print("   ", member, type(thing).__name__, signature)


def show(call):
    """The result, or the exception without its text, which may differ."""
    try:
        result = call()
    except Exception as error:
        return type(error).__name__
    if isinstance(result, (bytes, int, str, tuple, type(None))):
        return result
    return type(result).__name__


account, other = vodozemac.Account(), vodozemac.Account()
other.generate_one_time_keys(1)
[one_time_key] = other.one_time_keys.values()
outbound = account.create_outbound_session(other.curve25519_key, one_time_key)
message = outbound.encrypt(b"text")
key, weak = account.curve25519_key, vodozemac.Curve25519PublicKey.from_bytes(bytes(32))
group = vodozemac.GroupSession()
receiver = vodozemac.InboundGroupSession(group.session_key)
decrypted = receiver.decrypt(group.encrypt(b"text"))
sas, used = vodozemac.Sas(), vodozemac.Sas()
established = used.diffie_hellman(sas.public_key)
backup = vodozemac.PkDecryption()
encrypted = vodozemac.PkEncryption.from_key(backup.public_key).encrypt(b"text")
print(decrypted.plaintext, decrypted.message_index, type(decrypted).__name__)
print([name for name in dir(established.bytes("info")) if not name.startswith("_")])

VALUES = [None, 0, 1, -1, 2**70, 1.5, "", "x", "ü", "AAAA", b"", b"x", b"x" * 32, bytearray(b"x")]
VALUES += [[], [1], object(), key, weak, account.ed25519_key, account.sign(b"text"), message]
VALUES += [message.to_pre_key(), group.session_key, receiver.export_at(0), encrypted]
callables = []
things = [account, outbound, group, receiver, sas, established, backup, encrypted, key, message]
for thing in things:
    for name in dir(thing):
        if not name.startswith("_") and callable(getattr(thing, name)):
            callables.append((f"{type(thing).__name__}.{name}", getattr(thing, name)))
for name in vodozemac.__all__:
    kind = getattr(vodozemac, name)
    if inspect.isclass(kind) and not issubclass(kind, Exception):
        callables.append((name, kind))
        for member in dir(kind):
            if member.startswith(("from_", "import_", "normal", "pre_key")):
                callables.append((f"{name}.{member}", getattr(kind, member)))
RANDOM = ["encrypt", "pickle", "generate", "to_", "export_at", "sign", "mac"]
for name, function in sorted(callables, key=lambda pair: pair[0]):
    for number, value in enumerate(VALUES):
        if name.endswith("one_time_keys") and value == 2**70:
            continue
        for arguments in [(value,), (value, b"x" * 32), (value, "x", "x")]:
            outcome = show(lambda: function(*arguments))
            is_random = any(word in name for word in RANDOM)
            print(name, number, len(arguments), type(outcome).__name__ if is_random else outcome)
