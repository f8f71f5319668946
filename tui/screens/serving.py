"""What the user does with servers of tools: looks at them, names their resources, and calls up their prompts."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import structs

from tui.core.errors import MimoError, UsageError
from tui.core.text import clean_line
from tui.settings.config import load
from tui.widgets.prompt import Completion

if TYPE_CHECKING:
    from tui.agent.conversation import Conversation
    from tui.screens.chat import ChatScreen

_PROMPT = re.compile(r"/([A-Za-z0-9_-]+):(\S+)(?:\s+(.*))?", re.DOTALL)
_OFFERED = 50


class Serving:
    """Nothing of it loads anything for those who have no servers."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen

    def show(self, words: str) -> None:
        """Show them, or, with `reload`, start them anew. Raises MimoError."""
        conversation = self._conversation
        if words == "reload":
            if self._screen.talk.is_working:
                raise UsageError("a turn is running", "Stop it with esc first.")
            self._screen.run_worker(self._reload(conversation), group="servers", exclusive=True, exit_on_error=False)
            return
        if words:
            raise UsageError(f"/mcp cannot {words}", "/mcp shows the servers, /mcp reload starts them anew.")
        if not conversation.settings.mcp:
            raise UsageError("there are no servers of tools", "They are tables [mcp.NAME] in config.toml.")
        from tui.screens.servers import ServersScreen

        conversation.mcp.start(conversation.settings.mcp)
        self._screen.app.push_screen(ServersScreen(conversation.mcp))

    def takes(self, text: str) -> bool:
        """Whether `text` calls up a prompt of a server, which is then put into the prompt line."""
        match, conversation = _PROMPT.fullmatch(text.strip()), self._screen.talk.conversation
        if match is None or conversation is None or match[1] not in conversation.settings.mcp:
            return False
        work = self._call_up(conversation, match[1], match[2], match[3] or "")
        self._screen.run_worker(work, group="servers", exclusive=True, exit_on_error=False)
        return True

    def prompts(self, text: str) -> list[Completion]:
        """What of the prompts may be meant by `/server:prompt`; of a server that does not run yet, its name."""
        conversation = self._screen.talk.conversation
        if conversation is None or not (configs := conversation.settings.mcp):
            return []
        self._start_named(conversation, text[1:])
        found = [Completion(f"/{name}", clean_line(info.description, 80)) for name, info in conversation.mcp.prompts()]
        waiting = [name for name in configs if conversation.mcp.get(name) is None]
        return [*found, *(Completion(f"/{name}:", "the prompts of this server") for name in waiting)]

    def resources(self, word: str) -> list[str]:
        """What of the resources begins so, as `server:uri`; of a server that does not run yet, its name."""
        conversation = self._screen.talk.conversation
        if conversation is None or not (configs := conversation.settings.mcp):
            return []
        self._start_named(conversation, word)
        running = conversation.mcp.all
        found = [f"{server.name}:{resource.uri}" for server in running for resource in server.offer.resources]
        found += [f"{name}:" for name in configs if conversation.mcp.get(name) is None]
        return [text for text in found if text.startswith(word)][:_OFFERED]

    def _start_named(self, conversation: Conversation, word: str) -> None:
        """Start the server that `name:...` names; what running ones have is offered anew from the next letter on."""
        name, colon, _ = word.partition(":")
        if colon and name in conversation.settings.mcp:
            with suppress(MimoError):  # said by /mcp
                conversation.mcp.start({name: conversation.settings.mcp[name]})
        for server in conversation.mcp.all:
            if server.is_stale:
                self._screen.run_worker(server.refresh(), group="servers", exit_on_error=False)

    async def _reload(self, conversation: Conversation) -> None:
        from tui.backends.resolve import presets

        try:
            settings = await asyncio.to_thread(load, conversation.folder, presets())
            conversation.settings = structs.replace(conversation.settings, mcp=settings.mcp)
            await conversation.mcp.reload(settings.mcp)
        except MimoError as error:
            self._screen.say(error)
            return
        conversation.cache.prefix_changed()
        tokens = conversation.context_tokens
        cost = f" The next request is read anew: about {tokens:,} tokens." if tokens else ""
        self._screen.note.say(f"The servers of tools are being started anew.{cost}")

    async def _call_up(self, conversation: Conversation, server: str, name: str, words: str) -> None:
        try:
            conversation.mcp.start({server: conversation.settings.mcp[server]})
            text = await conversation.mcp.prompt_text(server, name, words)
        except MimoError as error:
            self._screen.say(error)
            return
        self._screen.prompt.put(text)
        self._screen.note.say(f"This is what the prompt {name} of {server} says: enter sends it.")

    @property
    def _conversation(self) -> Conversation:
        conversation = self._screen.talk.conversation
        if conversation is None:
            raise UsageError("the conversation is still being opened", "Try again in a moment.")
        return conversation
