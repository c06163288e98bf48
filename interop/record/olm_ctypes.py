"""The part of libolm's C interface that the recorder needs. Randomness comes from the caller."""

import ctypes
import ctypes.util
import json

LIB = ctypes.CDLL(ctypes.util.find_library("olm") or "libolm.so.3")
SIZE = ctypes.c_size_t
ERROR = SIZE(-1).value


class OlmError(Exception):
    pass


class Handle:
    """Memory of one libolm object; `prefix` is its name in the interface."""

    prefix = ""

    def __init__(self):
        size = self.function("size", named_first=False)()
        self.memory = ctypes.create_string_buffer(size)
        make = getattr(LIB, f"olm_{self.prefix}")
        make.restype = ctypes.c_void_p
        self.pointer = ctypes.c_void_p(make(self.memory))

    def function(self, name, named_first=True):
        found = getattr(LIB, name if named_first else f"olm_{self.prefix}_{name}")
        found.restype = SIZE
        return found

    def call(self, name, *arguments):
        """Bytes are passed as a copy with its length, because libolm may overwrite them."""
        passed = []
        for argument in arguments:
            if isinstance(argument, bytes):
                buffer = ctypes.create_string_buffer(argument, len(argument) or 1)
                passed += [buffer, SIZE(len(argument))]
            elif isinstance(argument, ctypes.Array):
                passed += [argument, SIZE(len(argument))]
            elif isinstance(argument, Handle):
                passed.append(argument.pointer)
            else:
                passed.append(argument)
        result = self.function(name)(self.pointer, *passed)
        if result == ERROR:
            last = getattr(LIB, f"olm_{self.prefix}_last_error")
            last.restype = ctypes.c_char_p
            raise OlmError(last(self.pointer).decode())
        return result

    def text(self, name, length_name=None):
        length = self.call(length_name or f"{name}_length")
        buffer = (ctypes.c_char * length)()
        self.call(name, buffer)
        return buffer.raw.decode()

    @classmethod
    def unpickle(cls, key, pickle):
        found = cls()
        found.call(f"olm_unpickle_{cls.prefix}", key, pickle.encode())
        return found

    def pickle(self, key):
        length = self.call(f"olm_pickle_{self.prefix}_length")
        buffer = (ctypes.c_char * length)()
        self.call(f"olm_pickle_{self.prefix}", key, buffer)
        return buffer.raw.decode()


class Account(Handle):
    prefix = "account"

    def __init__(self, random=None):
        super().__init__()
        if random:
            self.call("olm_create_account", random)

    @property
    def identity_key(self):
        return json.loads(self.text("olm_account_identity_keys"))["curve25519"]

    def generate_one_time_keys(self, random):
        if random:
            self.call("olm_account_generate_one_time_keys", SIZE(len(random) // 32), random)

    def generate_fallback_key(self, random):
        self.call("olm_account_generate_fallback_key", random)


class Session(Handle):
    prefix = "session"

    @classmethod
    def outbound(cls, account, identity_key, one_time_key, random):
        session = cls()
        keys = identity_key.encode(), one_time_key.encode()
        session.call("olm_create_outbound_session", account, *keys, random)
        return session

    @classmethod
    def inbound(cls, account, identity_key, body):
        session = cls()
        keys = identity_key.encode(), body.encode()
        session.call("olm_create_inbound_session_from", account, *keys)
        return session

    def session_id(self):
        return self.text("olm_session_id")

    def encrypt(self, plaintext, random=b""):
        kind = self.call("olm_encrypt_message_type")
        length = self.call("olm_encrypt_message_length", SIZE(len(plaintext)))
        message = (ctypes.c_char * length)()
        self.call("olm_encrypt", plaintext, random, message)
        return kind, message.raw.decode()

    def decrypt(self, kind, body):
        length = self.call("olm_decrypt_max_plaintext_length", SIZE(kind), body.encode())
        plaintext = (ctypes.c_char * max(length, 1))()
        used = self.call("olm_decrypt", SIZE(kind), body.encode(), plaintext)
        return plaintext.raw[:used]


class OutboundGroupSession(Handle):
    prefix = "outbound_group_session"

    @classmethod
    def new(cls, random):
        session = cls()
        session.call("olm_init_outbound_group_session", random)
        return session

    def session_id(self):
        return self.text("olm_outbound_group_session_id")

    def session_key(self):
        return self.text("olm_outbound_group_session_key")

    def encrypt(self, plaintext):
        length = self.call("olm_group_encrypt_message_length", SIZE(len(plaintext)))
        message = (ctypes.c_char * length)()
        self.call("olm_group_encrypt", plaintext, message)
        return message.raw.decode()


class InboundGroupSession(Handle):
    prefix = "inbound_group_session"

    @classmethod
    def new(cls, session_key):
        session = cls()
        session.call("olm_init_inbound_group_session", session_key.encode())
        return session

    @classmethod
    def imported(cls, exported):
        session = cls()
        session.call("olm_import_inbound_group_session", exported.encode())
        return session

    def export(self, index):
        buffer = (ctypes.c_char * 220)()
        self.call("olm_export_inbound_group_session", buffer, ctypes.c_uint32(index))
        return buffer.raw.decode()

    def decrypt(self, body):
        message = body.encode()
        length = self.call("olm_group_decrypt_max_plaintext_length", message)
        plaintext, index = (ctypes.c_char * max(length, 1))(), ctypes.c_uint32()
        used = self.call("olm_group_decrypt", message, plaintext, ctypes.byref(index))
        return plaintext.raw[:used], index.value
