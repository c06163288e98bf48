"""A plugin for maubot: repeats each question."""

from maubot import MessageEvent, Plugin
from maubot.handlers import command


class Bot(Plugin):
    @command.passive(r"^\S+ asks ")
    async def answer(self, event: MessageEvent, _: tuple) -> None:
        await self.client.send_text(event.room_id, f"the bot has read: {event.content.body}")
