"""The commands of our client that the scenarios use, on matrix-nio: another client, with other libraries.

    nio_peer.py --library FILE --store DIRECTORY COMMAND ...

Every command is a restart from the store. It fails unless FILE is the library that does the cryptography.
"""

import argparse
import asyncio
import json
import pathlib
import sys

import nio
from nio.crypto.sas import SasState


def check_library(expected):
    """Of all files that this process has mapped, the one that knows Olm is the one that we were told."""
    lines = pathlib.Path("/proc/self/maps").read_text().splitlines()
    files = {pathlib.Path(line.split(maxsplit=5)[5]) for line in lines if len(line.split()) > 5}
    libraries = {file.resolve() for file in files
                 if file.name.startswith(("libolm", "vodozemac")) and ".so" in file.name}
    if libraries != {expected.resolve()}:
        sys.exit(f"loaded {', '.join(map(str, libraries))} instead of {expected}")


class Peer:
    def __init__(self, store):
        self.store = store
        self.file = store / "session.json"
        self.config = nio.AsyncClientConfig(store_sync_tokens=True, pickle_key="interop")

    async def login(self, user, homeserver):
        self.store.mkdir()
        self.client = nio.AsyncClient(homeserver, user, store_path=str(self.store),
                                      config=self.config)
        answer = await self.client.login(input(), device_name="matrix-nio")
        session = [homeserver, answer.user_id, answer.device_id, answer.access_token]
        self.file.write_text(json.dumps(session))
        print(answer.user_id, "on device", answer.device_id)
        await self.catch_up()

    def open(self):
        homeserver, user, device, token = json.loads(self.file.read_text())
        self.client = nio.AsyncClient(homeserver, user, device_id=device,
                                      store_path=str(self.store), config=self.config)
        self.client.restore_login(user, device, token)

    async def catch_up(self):
        """The rooms' state is not in the store, so the first answer must have all of it."""
        await self.sync(full_state=True)
        await self.housekeeping()

    async def sync(self, **options):
        answer = await self.client.sync(**options)
        if not isinstance(answer, nio.SyncResponse):
            sys.exit(f"cannot synchronize: {answer}")

    async def housekeeping(self):
        """What matrix-nio does after each answer when it runs for ever."""
        client = self.client
        await client.send_to_device_messages()
        if client.should_upload_keys:
            await client.keys_upload()
        if client.should_query_keys:
            await client.keys_query()
        if client.should_claim_keys:
            await client.keys_claim(client.get_users_for_key_claiming())

    async def join(self, room):
        answer = await self.client.join(room)
        if not isinstance(answer, nio.JoinResponse):
            sys.exit(f"cannot join: {answer}")

    async def send(self, room, texts):
        for text in texts:
            content = {"msgtype": "m.text", "body": text}
            answer = await self.client.room_send(room, "m.room.message", content,
                                                 ignore_unverified_devices=True)
            if not isinstance(answer, nio.RoomSendResponse):
                sys.exit(f"cannot send: {answer}")

    async def tail(self, room, everything):
        """Shows the messages that were not shown before."""
        file = self.store / "shown.json"
        shown = set(json.loads(file.read_text())) if file.exists() and not everything else set()
        answer = await self.client.room_messages(
            room, self.client.next_batch, direction=nio.MessageDirection.back, limit=200)
        for event in reversed(answer.chunk):
            if isinstance(event, nio.RoomMessageText) and event.event_id not in shown:
                mark = "[verified]" if event.verified else "[not verified]"
                mark = mark if event.decrypted else "[NOT ENCRYPTED]"
                print(event.sender, mark, event.body)
                shown.add(event.event_id)
        file.write_text(json.dumps(sorted(shown)))

    async def verify(self, user, device):
        """Compares emoji: with that device, or with the first that asks. Whoever has started this process
        ends it when nobody answers."""
        if user:
            await self.client.start_key_verification(self.client.device_store[user][device])
        known, accepted, compared = {}, set(), set()
        while True:
            # A verification that the other side cancels is forgotten at once.
            known.update(self.client.key_verifications)
            for name, sas in known.items():
                if sas.state == SasState.canceled:
                    sys.exit(f"cancelled: {sas.cancel_reason}")
                if sas.verified:
                    return
                if not sas.we_started_it and name not in accepted:
                    accepted.add(name)
                    await self.client.accept_key_verification(name)
                if sas.state in (SasState.key_received, SasState.mac_received) \
                        and name not in compared:
                    compared.add(name)
                    await self.compare(name, sas)
            await self.sync(timeout=1_000)
            await self.housekeeping()

    async def compare(self, name, sas):
        emoji = sas.get_emoji()
        print(f"\n  {'   '.join(symbol for symbol, _ in emoji)}")
        print(f"  {', '.join(description for _, description in emoji)}\n", flush=True)
        if input() == "yes":
            await self.client.confirm_short_auth_string(name)
        else:
            await self.client.cancel_key_verification(name, reject=True)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", type=pathlib.Path, required=True)
    parser.add_argument("--store", type=pathlib.Path, required=True)
    parser.add_argument("--homeserver")
    for flag in ("--all", "--once", "--wait"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("command")
    parser.add_argument("words", nargs="*")
    return parser.parse_args()


async def main():
    given = arguments()
    check_library(given.library)
    peer = Peer(given.store)
    words = given.words
    try:
        if given.command == "login":
            await peer.login(words[0], given.homeserver)
            return
        peer.open()
        await peer.catch_up()
        match given.command:
            case "join":
                await peer.join(words[0])
            case "send":
                await peer.send(words[0], words[1:])
            case "tail":
                await peer.tail(words[0], given.all)
            case "verify":
                await peer.verify(*(words or (None, None)))
            case "export":
                await peer.client.export_keys(words[0], input())
            case "import":
                await peer.client.import_keys(words[0], input())
            case unknown:
                sys.exit(f"unknown command {unknown}")
    finally:
        await peer.client.close()


if __name__ == "__main__":
    asyncio.run(main())
