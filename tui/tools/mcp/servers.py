"""The servers of a conversation: started with its first agent turn, and their tools, which stay what they are then."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from tui.core.errors import MimoError, UsageError
from tui.core.messages import Context, Image
from tui.settings.schema import McpConfig
from tui.tools.errors import ToolError
from tui.tools.kept_outputs import RESULT_CHARACTERS
from tui.tools.mcp import library
from tui.tools.mcp.mentions import Mention
from tui.tools.mcp.offer import PromptInfo
from tui.tools.mcp.results import parts_of, resource_texts, sendable
from tui.tools.mcp.server import McpServer
from tui.tools.mcp.tool import McpTool

_SAID_AFTER_S = 1.5
"""Whoever waits longer for servers is told so."""


class McpServers:
    """One for each conversation; `close` it. Nothing is loaded or started before `tools` or `start` is called."""

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self._folder, self._tell = folder, tell
        self._servers: dict[str, McpServer] = {}
        self._tools: tuple[McpTool, ...] | None = None

    @property
    def all(self) -> tuple[McpServer, ...]:
        return tuple(self._servers.values())

    def get(self, name: str) -> McpServer | None:
        return self._servers.get(name)

    def start(self, configs: Mapping[str, McpConfig]) -> None:
        """Begin to start those that are enabled, side by side; those that run go on. Raises MimoError."""
        if any(config.enabled for config in configs.values()) and not library.is_installed():
            raise library.not_installed()
        for name in sorted(configs):
            if name not in self._servers:
                self._servers[name] = server = McpServer(name, configs[name], self._folder, self._tell)
                if server.config.enabled:
                    server.start()

    async def tools(self, configs: Mapping[str, McpConfig]) -> tuple[McpTool, ...]:
        """The tools for the model: from the first call on always the same, until `reload`.

        Waits for servers that are being started, each as long as its `timeout`; who is late is left out and named.
        """
        if self._tools is None:
            try:
                self.start(configs)
            except MimoError as error:
                self._tell(f"{error.message}. {error.hint}")
            await self._wait()
            self._tools = tuple(
                McpTool(server, info)
                for _, server in sorted(self._servers.items())
                for info in (server.offer.tools if server.state == "ready" else ())
            )
        return self._tools

    async def reload(self, configs: Mapping[str, McpConfig]) -> None:
        """Start anew those that do not work or are configured otherwise, and have all say what they offer.

        The next `tools` gives what there is then.
        """
        outdated = [
            server
            for name, server in self._servers.items()
            if configs.get(name) != server.config or server.state != "off" or server.config.enabled
        ]
        await asyncio.gather(*(server.close() for server in outdated))
        for server in outdated:
            del self._servers[server.name]
        self._tools = None
        self.start(configs)

    async def restart(self, name: str) -> None:
        """Start one anew. Raises UsageError when there is none of that name."""
        server = self._known(name)
        await server.close()
        server.start()

    async def sign_in(self, name: str, open_page: Callable[[str], Awaitable[None]]) -> None:
        """Start one anew and let the user sign in. Raises UsageError where there is nothing to sign in at."""
        server = self._known(name)
        if not server.can_sign_in:
            raise UsageError(f"there is nothing to sign in at for {name}", "That is for servers with a `url` alone.")
        await server.sign_in(open_page)

    async def switch_off(self, name: str) -> None:
        """End one; its tools stay, and say so. Raises UsageError when there is none of that name."""
        await self._known(name).close()

    async def close(self) -> None:
        """End all of them, side by side."""
        await asyncio.gather(*(server.close() for server in self._servers.values()))

    # What the user's words name

    async def contexts(self, words: str, configs: Mapping[str, McpConfig]) -> list[Context]:
        """What the resources hold that are mentioned in `words` as `@server:uri`; what goes wrong is told."""
        found = []
        for mention in Mention.all_in(words, configs):
            try:
                self.start({mention.server: configs[mention.server]})
                contents = await self._known(mention.server).read(mention.uri)
            except (ToolError, MimoError) as error:
                self._tell(f"@{mention.server}:{mention.uri} is not added: {error}")
                continue
            images: list[Image] = []
            texts = [text for content in contents for text in resource_texts(content, False, images)]
            body = sendable("\n".join(texts))
            if len(body) > RESULT_CHARACTERS:
                body = body[:RESULT_CHARACTERS] + "\n[… the rest is left out …]"
            found.append(Context(f"The resource {mention.uri} of the server {mention.server}:\n{body}"))
        return found

    def prompts(self) -> list[tuple[str, PromptInfo]]:
        """Those of all servers, as what is written after the slash: `server:prompt`."""
        return [
            (f"{name}:{prompt.name}", prompt) for name, s in sorted(self._servers.items()) for prompt in s.offer.prompts
        ]

    async def prompt_text(self, server_name: str, name: str, words: str) -> str:
        """What a prompt says, as one text. Raises UsageError for one that there is not, and for arguments."""
        server = self._known(server_name)
        await server.refresh()
        info = next((prompt for prompt in server.offer.prompts if prompt.name == name), None)
        if info is None:
            names = ", ".join(prompt.name for prompt in server.offer.prompts) or "none"
            raise UsageError(f"the server {server_name} has no prompt {name}", f"Its prompts: {names}.")
        try:
            messages = await server.prompt(name, prompt_arguments(info, words))
        except ToolError as error:
            raise UsageError(str(error)) from error
        texts, _ = parts_of((message.content for message in messages), False)
        return sendable("\n\n".join(texts))

    def _known(self, name: str) -> McpServer:
        if server := self._servers.get(name):
            return server
        raise UsageError(f"there is no server {name} running", "/mcp shows those that there are.")

    async def _wait(self) -> None:
        waiting = {
            asyncio.create_task(server.settled()): server for server in self._servers.values() if server.is_running
        }
        if waiting:
            await self._wait_for(waiting)
        missing = [server for server in self._servers.values() if server.config.enabled and server.state != "ready"]
        for server in missing:
            late = " Its tools can be used after /mcp reload, once it works." if server.state == "starting" else ""
            self._tell(f"{server.state_words()} The model does not have its tools.{late}")

    async def _wait_for(self, waiting: dict[asyncio.Task[None], McpServer]) -> None:
        loop = asyncio.get_running_loop()
        began, has_said = loop.time(), False
        try:
            while left := [task for task in waiting if not task.done()]:
                waited_s = loop.time() - began
                ends = [waiting[task].config.timeout for task in left if waiting[task].config.timeout > waited_s]
                if not ends:
                    return
                if not has_said and waited_s >= _SAID_AFTER_S:
                    has_said = True
                    self._tell(f"Waiting for servers of tools: {', '.join(waiting[task].name for task in left)}.")
                until_s = max(ends) if has_said else min(max(ends), _SAID_AFTER_S)
                await asyncio.wait(left, timeout=max(until_s - waited_s, 0), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()


def prompt_arguments(info: PromptInfo, words: str) -> dict[str, str]:
    """`name=value` by name, other words in order, the last one with all that is left. Raises UsageError."""
    try:
        given = shlex.split(words)
    except ValueError as error:
        raise UsageError(
            f"the arguments cannot be read: {error}", 'Quotes are closed by another: "like this".'
        ) from error
    arguments: dict[str, str] = {}
    plain = []
    for word in given:
        name, equals, value = word.partition("=")
        if equals and name in info.arguments:
            arguments[name] = value
        else:
            plain.append(word)
    free = [name for name in info.arguments if name not in arguments]
    if plain and not free:
        raise UsageError(f"the prompt {info.name} takes no such argument: {plain[0]}", _usage(info))
    for index, name in enumerate(free[: len(plain)]):
        is_last = index == len(free) - 1
        arguments[name] = " ".join(plain[index:]) if is_last else plain[index]
    missing = [name for name in info.required if name not in arguments]
    if missing:
        raise UsageError(f"the prompt {info.name} needs {', '.join(missing)}", _usage(info))
    return arguments


def _usage(info: PromptInfo) -> str:
    names = " ".join(name if name in info.required else f"[{name}]" for name in info.arguments)
    return f"It is used so: /SERVER:{info.name} {names}".rstrip()
