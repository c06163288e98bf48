"""Makes random calls to the `olm` package that is installed, and prints what each call gave:
calls.py SEED CALLS

The operating system's randomness is replaced by a sequence that the seed determines, and so is
every choice: two packages that do the same print the same. An episode is 100 calls on new objects.
"""

import hashlib
import os
import random
import sys

seed, calls = sys.argv[1], int(sys.argv[2])
entropy = random.Random()
os.urandom = entropy.randbytes  # before anything that keeps a reference to it is imported
sys.modules.pop("secrets", None)
random._urandom = os.urandom

import olm  # noqa: E402

PREFIX = "Olm", "Pk"
WRONG = [None, 5, -1, 1.5, True, bytearray(b"bytes"), [b"a"], object, 2**70]
TEXTS = [
    "",
    "a",
    "text",
    "Grüße, 世界 🦀",
    "\0",
    "\ud800",
    b"",
    b"a",
    b"\xff\x00\xfe",
    "x" * 70000,
    b"y" * 70000,
]
WRONG_COUNTS = [None, "1", 1.5, -1, 2**64, b"1"]


class Episode:
    def __init__(self, number):
        self.choose = random.Random(f"{seed} {number}")
        self.is_damaged = (
            False  # whether the current call has an argument that no honest peer sends
        )
        entropy.seed(f"entropy {seed} {number}")
        self.accounts = [olm.Account(), olm.Account()]
        for account in self.accounts:
            account.generate_one_time_keys(3)
        self.sessions = []  # with messages that are for each
        self.groups = []
        self.receivers = []
        self.messages = ["", "AwgAEg", olm.OlmMessage("AwgAEg"), olm.OlmPreKeyMessage("AwgAEg")]
        self.events = ["", "AwgAEg"]
        self.pickles = [b"", b"abc", b"a" * 300, "abc"]
        self.backups = [olm.PkDecryption()]
        self.sas = [olm.Sas(), olm.Sas()]
        self.signatures = [""]
        for begin in [self.do_outbound, self.do_group]:
            try:
                begin()
            except Exception:
                pass  # it was called with a wrong argument

    def maybe_wrong(self, value, values=WRONG):
        return self.choose.choice(values) if self.choose.random() < 0.04 else value

    def text(self):
        return self.maybe_wrong(self.choose.choice(TEXTS))

    def passphrase(self):
        return self.maybe_wrong(self.choose.choice(["", "key", "key", "key", "клю́ч", None, b"key"]))

    def pick(self, things):
        """Mostly a recent one."""
        return things[-min(len(things), 1 + int(self.choose.expovariate(0.7)))]

    def damaged(self, text, may_shift=True):
        """Mostly the text itself. Otherwise a character is changed, or something is cut off or put
        in."""
        if self.choose.random() > 0.1 or not text:
            return text
        self.is_damaged = True
        place = self.choose.randrange(len(text))
        how = self.choose.randrange(3) if may_shift else 1
        if how == 0:
            return text[:place]
        filler = "A" if isinstance(text, str) else b"A"
        return text[:place] + filler + text[place + how :]

    def run(self):
        operations = [name for name in dir(self) if name.startswith("do_")]
        for _ in range(100):
            name = self.choose.choice(operations)
            self.is_damaged = False
            try:
                outcome = "= " + show(getattr(self, name)())
            except Exception as error:
                kind = type(error).__name__
                has_same_text = kind == "ValueError" or kind.startswith(PREFIX)
                outcome = f"! {kind} {error if has_same_text else ''}"
            print(name[3:], "(damaged)" * self.is_damaged, outcome)

    # Accounts.

    def account(self):
        return self.choose.choice(self.accounts)

    def do_account(self):
        self.accounts[self.choose.randrange(2)] = account = olm.Account()
        return account.identity_keys

    def do_keys(self):
        account = self.account()
        account.generate_one_time_keys(
            self.maybe_wrong(self.choose.choice([0, 1, 2, 5, 101]), WRONG_COUNTS)
        )
        return account.one_time_keys, account.max_one_time_keys

    def do_fallback(self):
        account = self.account()
        account.generate_fallback_key()
        if self.choose.random() < 0.3:
            account.forget_old_fallback_key()
        return account.fallback_key

    def do_publish(self):
        account = self.account()
        return account.mark_keys_as_published(), account.one_time_keys, account.fallback_key

    def do_sign(self):
        signature = self.account().sign(self.text())
        self.signatures.append(signature)
        return signature

    def do_verify(self):
        key = self.account().identity_keys["ed25519"]
        message = self.text()
        signature = (
            self.account().sign(message)
            if self.choose.random() < 0.7
            else self.pick(self.signatures)
        )
        return olm.ed25519_verify(
            self.maybe_wrong(self.damaged(key)), message, self.damaged(signature)
        )

    def do_hash(self):
        return olm.sha256(self.text())

    def do_store_account(self):
        self.pickles.append(self.account().pickle(self.passphrase()))
        return self.pickles[-1]

    def do_load_account(self):
        number = self.choose.randrange(2)
        passphrase = self.choose.choice(["", "key"])
        data = self.accounts[number].pickle(passphrase)
        account = olm.Account.from_pickle(self.maybe_wrong(self.damaged(data)), passphrase)
        self.accounts[number] = account
        return account.identity_keys, account.pickle("key")

    def do_load_anything(self):
        self.is_damaged = True  # mostly a pickle of another kind, or with another passphrase
        kinds = [
            olm.Account,
            olm.Session,
            olm.InboundGroupSession,
            olm.OutboundGroupSession,
            olm.PkDecryption,
        ]
        kinds += [olm.InboundSession, olm.OutboundSession]
        return (
            self.choose.choice(kinds)
            .from_pickle(self.pick(self.pickles), self.passphrase())
            .pickle("key")
        )

    # Olm sessions.

    def do_outbound(self):
        us = self.choose.randrange(2)
        keys = self.accounts[1 - us].one_time_keys["curve25519"]
        one_time = self.choose.choice(sorted(keys.values())) if keys else ""
        identity = self.accounts[1 - us].identity_keys["curve25519"]
        session = olm.OutboundSession(
            self.maybe_wrong(self.accounts[us]),
            self.maybe_wrong(identity),
            self.maybe_wrong(
                self.choose.choice([one_time] * 9 + ["short", "ü" * 43, one_time.encode()])
            ),
        )
        message = session.encrypt("first")
        other = olm.InboundSession(self.accounts[1 - us], message)
        self.sessions.append((session, other, [], [message]))
        return (
            session.id,
            other.id,
            session.pickle("key"),
            other.pickle("key"),
            str(message),
            repr(message),
        )

    def do_inbound(self):
        message = self.maybe_wrong(self.pick(self.messages))
        account = self.account()
        identity = self.choose.choice([None, "", self.account().identity_keys["curve25519"]])
        session = olm.InboundSession(account, message, self.maybe_wrong(identity))
        return session.id, session.decrypt(message), account.remove_one_time_keys(session)

    def do_inbound_first(self):
        first, other, _, messages = self.pick(self.sessions)
        return olm.InboundSession(self.account(), messages[0]).decrypt(messages[0])

    def do_encrypt(self):
        ends = self.pick(self.sessions)
        end = self.choose.randrange(2)
        message = ends[end].encrypt(self.text())
        ends[3 if end == 0 else 2].append(message)
        self.messages.append(message)
        return message.message_type, message.ciphertext, str(message), repr(message)

    def do_decrypt(self):
        ends = self.pick(self.sessions)
        end = self.choose.randrange(2)
        message = self.pick(ends[2 + end])
        ciphertext = self.damaged(message.ciphertext)
        if ciphertext != message.ciphertext:
            message = type(message)(ciphertext)
        return ends[end].decrypt(
            self.maybe_wrong(message), *self.choose.choice([[], ["ignore"], ["strict"], ["no"]])
        )

    do_decrypt_2 = do_decrypt_3 = do_decrypt
    do_encrypt_2 = do_encrypt

    def do_decrypt_any(self):
        return self.pick(self.sessions)[self.choose.randrange(2)].decrypt(self.pick(self.messages))

    def do_matches(self):
        identity = self.choose.choice([None, self.account().identity_keys["curve25519"]])
        return self.pick(self.sessions)[self.choose.randrange(2)].matches(
            self.maybe_wrong(self.pick(self.messages)), self.maybe_wrong(identity)
        )

    def do_describe(self):
        session = self.pick(self.sessions)[self.choose.randrange(2)]
        length = self.maybe_wrong(self.choose.choice([600, 1, 10, 40, 0, 10**6]), WRONG_COUNTS)
        return session.describe(), session.describe(length)

    def do_remove(self):
        return self.account().remove_one_time_keys(self.maybe_wrong(self.pick(self.sessions)[1]))

    def do_store_session(self):
        ends = self.pick(self.sessions)
        self.pickles.append(ends[self.choose.randrange(2)].pickle(self.passphrase()))
        return self.pickles[-1]

    def do_load_session(self):
        ends = self.sessions.pop()
        passphrase = self.choose.choice(["", "key"])
        ends = [
            olm.Session.from_pickle(self.damaged(end.pickle(passphrase)), passphrase)
            for end in ends[:2]
        ]
        self.sessions.append((*ends, [], [olm.OlmMessage("AwgA")]))
        return [end.pickle() for end in ends]

    def do_abstract(self):
        return olm.Session()

    # Megolm sessions. The original moves a receiver's ratchet in calls that fail and in exports,
    # which its pickle shows, so receivers are compared by what they do.

    def do_group(self):
        group = olm.OutboundGroupSession()
        self.groups.append(group)
        self.receivers.append(
            olm.InboundGroupSession(self.maybe_wrong(self.damaged(group.session_key)))
        )
        return group.id, group.session_key, group.message_index, group.pickle("key")

    def do_group_encrypt(self):
        group = self.pick(self.groups)
        self.events.append(group.encrypt(self.text()))
        return self.events[-1], group.message_index, group.session_key

    do_group_encrypt_2 = do_group_encrypt

    def do_group_decrypt(self):
        event = self.maybe_wrong(self.damaged(self.pick(self.events)))
        return self.pick(self.receivers).decrypt(
            event, *self.choose.choice([[], ["ignore"], ["strict"], ["no"]])
        )

    do_group_decrypt_2 = do_group_decrypt

    def do_export(self):
        receiver = self.pick(self.receivers)
        index = self.maybe_wrong(
            receiver.first_known_index + self.choose.randrange(5), WRONG_COUNTS
        )
        key = receiver.export_session(index)
        imported = olm.InboundGroupSession.import_session(self.maybe_wrong(self.damaged(key)))
        self.receivers.append(imported)
        return key, imported.id, imported.first_known_index

    def do_load_group(self):
        group = self.groups.pop()
        self.pickles.append(group.pickle("key"))
        self.groups.append(
            olm.OutboundGroupSession.from_pickle(self.damaged(self.pickles[-1]), "key")
        )
        return self.groups[-1].pickle()

    def do_load_receiver(self):
        receiver = olm.InboundGroupSession.from_pickle(
            self.pick(self.receivers).pickle("key"), "key"
        )
        self.receivers.append(receiver)
        return receiver.id, receiver.first_known_index

    # Encryption to a key, signatures, verification.

    def do_backup(self):
        self.backups.append(olm.PkDecryption())
        return self.backups[-1].public_key

    def do_backup_message(self):
        backup = self.pick(self.backups)
        message = olm.PkEncryption(self.maybe_wrong(backup.public_key)).encrypt(self.text())
        parts = message.ephemeral_key, message.mac, message.ciphertext
        message.mac = self.maybe_wrong(self.damaged(message.mac))
        # Of a ciphertext that has no whole blocks, the original reads too much.
        message.ciphertext = self.damaged(message.ciphertext, may_shift=False)
        return parts, backup.decrypt(message)

    def do_load_backup(self):
        passphrase = self.choose.choice(["", "key", b"key"])
        data = self.pick(self.backups).pickle(passphrase)
        self.backups.append(olm.PkDecryption.from_pickle(self.damaged(data), passphrase))
        return data, self.backups[-1].public_key

    def do_signing(self):
        seed = self.choose.choice(
            [olm.PkSigning.generate_seed(), b"", b"short", b"s" * 40, "s" * 32, 5]
        )
        signing = olm.PkSigning(seed)
        return signing.public_key, signing.sign(self.text())

    def do_sas(self):
        number = self.choose.randrange(2)
        self.sas[number] = olm.Sas(
            *self.choose.choice([[], [self.sas[1 - number].pubkey], ["short"]])
        )
        return self.sas[number].pubkey, self.sas[number].other_key_set

    def do_sas_key(self):
        number = self.choose.randrange(2)
        self.sas[number].set_their_pubkey(self.maybe_wrong(self.sas[1 - number].pubkey))
        return self.sas[number].other_key_set

    def do_sas_bytes(self):
        length = self.maybe_wrong(self.choose.choice([0, 1, 5, 6, 100]), WRONG_COUNTS)
        return self.choose.choice(self.sas).generate_bytes(self.text(), length)

    def do_sas_mac(self):
        sas = self.choose.choice(self.sas)
        macs = [sas.calculate_mac, sas.calculate_mac_fixed_base64, sas.calculate_mac_long_kdf]
        return self.choose.choice(macs)(self.text(), self.text())


def show(result):
    """Short results as they are, long ones by a hash."""
    text = repr(result)
    return text if len(text) < 100 else hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


for number in range(calls // 100):
    print("episode", number)
    Episode(number).run()
