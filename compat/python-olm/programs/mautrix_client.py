"""A client on mautrix: joins where it is invited, sends the lines of its input, each of which
begins with a room, and prints what it reads.

mautrix_client.py STORE HOMESERVER USER DEVICE TOKEN

It ends with its input.
"""

import asyncio
import sys

from mautrix.client import Client
from mautrix.crypto import OlmMachine, PgCryptoStateStore, PgCryptoStore
from mautrix.types import EventType, Membership
from mautrix.util.async_db import Database


async def main(file, homeserver, user, device, token):
    database = Database.create(f"sqlite:{file}", db_args={"min_size": 1})
    await database.start()
    store, states = PgCryptoStore(user, "pickle key", database), PgCryptoStateStore(database)
    for tables in [PgCryptoStore, PgCryptoStateStore]:
        await tables.upgrade_table.upgrade(database)
    await store.open()
    await store.put_device_id(device)
    client = Client(
        mxid=user,
        base_url=homeserver,
        token=token,
        device_id=device,
        sync_store=store,
        state_store=states,
    )
    client.crypto = OlmMachine(client, store, states)
    await client.crypto.load()

    async def show(event):
        # A message can arrive before its key.
        while not await store.has_group_session(event.room_id, event.content.session_id):
            await asyncio.sleep(0.5)
        message = await client.crypto.decrypt_megolm_event(event)
        print(message.sender, message.content.body, flush=True)

    async def follow(event):
        if event.state_key == user and event.content.membership == Membership.INVITE:
            await client.join_room(event.room_id)

    client.add_event_handler(EventType.ROOM_ENCRYPTED, show)
    client.add_event_handler(EventType.ROOM_MEMBER, follow)
    client.start(None)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    async for line in lines:
        room, text = line.decode().strip().split(" ", 1)
        await client.send_text(room, text)
    client.stop()
    await client.api.session.close()
    await database.stop()


asyncio.run(main(*sys.argv[1:]))
