"""One turn of a conversation between two devices whose state is in the stores of a program:
stores.py PROGRAM FOLDER PACKAGE

PROGRAM is mautrix or nio, PACKAGE the folder that `olm` must come from. Each turn reads what the
last one has sent, and sends more, so turns of different packages must read each other's stores and
messages.
"""

import asyncio
import json
import pathlib
import sys
from datetime import datetime

import olm

ROOM = "!room:example.org"
NAMES = "alice", "bob"


class MautrixDevice:
    """A device of a bridge."""

    async def open(self, name, folder):
        from mautrix.crypto import OlmAccount, PgCryptoStore
        from mautrix.util.async_db import Database

        self.database = Database.create(
            f"sqlite:{folder}/{name}.db",
            upgrade_table=PgCryptoStore.upgrade_table,
            db_args={"min_size": 1},
        )
        await self.database.start()
        self.store = PgCryptoStore("", "pickle key", self.database)
        await self.store.open()
        self.account = await self.store.get_account() or OlmAccount()
        await self.save()

    async def save(self):
        await self.store.put_account(self.account)

    async def close(self):
        await self.database.stop()

    async def begin(self, their_key, one_time_key):
        session = self.account.new_outbound_session(their_key, one_time_key)
        await self.store.add_session(their_key, session)

    async def encrypt(self, their_key, text):
        session = await self.store.get_latest_session(their_key)
        message = session.encrypt(text)
        await self.store.update_session(their_key, session)
        return int(message.type), message.body

    async def decrypt(self, their_key, message_type, body):
        from mautrix.types import OlmCiphertext, OlmMsgType

        session = await self.store.get_latest_session(their_key)
        if session is None:
            session = self.account.new_inbound_session(their_key, body)
            await self.store.add_session(their_key, session)
            await self.save()
        text = session.decrypt(OlmCiphertext(type=OlmMsgType(message_type), body=body))
        await self.store.update_session(their_key, session)
        return text

    async def save_room_key(self, key):
        from mautrix.crypto import InboundGroupSession

        session = InboundGroupSession(
            key, self.account.signing_key, self.account.identity_key, ROOM
        )
        await self.store.put_group_session(ROOM, session.sender_key, session.id, session)

    async def decrypt_event(self, session_id, body):
        return (await self.store.get_group_session(ROOM, session_id)).decrypt(body)

    async def send_event(self, text):
        from mautrix.crypto import OutboundGroupSession

        session = await self.store.get_outbound_group_session(ROOM)
        if session is None:
            session = OutboundGroupSession(ROOM)
            session.shared = True
            await self.store.add_outbound_group_session(session)
        key, body = session.session_key, session.encrypt(text)
        await self.store.update_outbound_group_session(session)
        return session.id, key, body


class NioDevice:
    """A device of a client on matrix-nio, which keeps no outbound group sessions."""

    async def open(self, name, folder):
        from nio.crypto import OlmAccount
        from nio.store import SqliteStore

        self.store = SqliteStore(f"@{name}:example.org", name, str(folder), "pickle key")
        self.account = self.store.load_account() or OlmAccount()
        await self.save()
        self.sessions = self.store.load_sessions()
        self.groups = self.store.load_inbound_group_sessions()

    async def save(self):
        self.store.save_account(self.account)

    async def close(self):
        self.store.database.close()

    async def begin(self, their_key, one_time_key):
        from nio.crypto import OutboundSession

        self._add(their_key, OutboundSession(self.account, their_key, one_time_key))

    def _add(self, their_key, session):
        self.sessions.add(their_key, session)
        self.store.save_session(their_key, session)

    async def encrypt(self, their_key, text):
        session = self.sessions.get(their_key)
        message = session.encrypt(text)
        self.store.save_session(their_key, session)
        return message.message_type, message.ciphertext

    async def decrypt(self, their_key, message_type, body):
        from nio.crypto import InboundSession

        message = [olm.OlmPreKeyMessage, olm.OlmMessage][message_type](body)
        session = self.sessions.get(their_key)
        if session is None:
            session = InboundSession(self.account, message, their_key)
            self.account.remove_one_time_keys(session)
            await self.save()
            self._add(their_key, session)
        text = session.decrypt(message)
        self.store.save_session(their_key, session)
        return text

    async def save_room_key(self, key):
        from nio.crypto import InboundGroupSession

        keys = self.account.identity_keys
        session = InboundGroupSession(key, keys["ed25519"], keys["curve25519"], ROOM)
        self.groups.add(session)
        self.store.save_inbound_group_session(session)

    async def decrypt_event(self, session_id, body):
        key = self.account.identity_keys["curve25519"]
        return self.groups.get(ROOM, key, session_id).decrypt(body)

    async def send_event(self, text):
        session = olm.OutboundGroupSession()
        return session.id, session.session_key, session.encrypt(text)


async def turn(program, folder):
    devices = {name: {"mautrix": MautrixDevice, "nio": NioDevice}[program]() for name in NAMES}
    for name, device in devices.items():
        await device.open(name, folder)
    keys = {name: device.account.identity_keys["curve25519"] for name, device in devices.items()}
    on_the_way = folder / "on_the_way.json"
    if not on_the_way.exists():
        bob = devices["bob"].account
        bob.generate_one_time_keys(5)
        one_time_key = next(iter(bob.one_time_keys["curve25519"].values()))
        bob.mark_keys_as_published()
        await devices["bob"].save()
        await devices["alice"].begin(keys["bob"], one_time_key)
        sent = {"keys": keys, "messages": [], "events": []}
    else:
        sent = json.loads(on_the_way.read_text())
    assert keys == sent["keys"]

    for sender, receiver, message, text in sent["messages"]:
        assert await devices[receiver].decrypt(keys[sender], *message) == text
    for name, session_id, body, text, index in sent["events"]:
        assert await devices[name].decrypt_event(session_id, body) == (text, index)

    async def send(sender, receiver):
        text = f"from {sender} at {datetime.now()}, grüß dich"
        return sender, receiver, await devices[sender].encrypt(keys[receiver], text), text

    if not sent["messages"]:
        first = await send("alice", "bob")
        assert await devices["bob"].decrypt(keys["alice"], *first[2]) == first[3]
    messages = [await send(*NAMES), await send(*NAMES), await send(*NAMES[::-1])]
    messages[:2] = messages[1::-1]  # the second overtakes the first
    events = []
    for name, device in devices.items():
        text = f"event of {name}"
        session_id, key, body = await device.send_event(text)
        await device.save_room_key(key)
        index = olm.InboundGroupSession(key).first_known_index
        events.append((name, session_id, body, text, index))
    on_the_way.write_text(json.dumps({"keys": keys, "messages": messages, "events": events}))
    for device in devices.values():
        await device.close()


assert pathlib.Path(sys.argv[3]) in pathlib.Path(olm.__file__).parents, olm.__file__
asyncio.run(turn(sys.argv[1], pathlib.Path(sys.argv[2])))
