"""One server: started, asked what it offers, called, and started again when it has ended."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tui.core.errors import MimoError
from tui.core.messages import Json
from tui.core.text import clean_line
from tui.settings.project_config import ProjectServer
from tui.settings.schema import McpConfig
from tui.settings.trust import trust_state
from tui.tools.errors import ToolError
from tui.tools.mcp.connection import SignInNeeded, connected, listening
from tui.tools.mcp.library import load_library
from tui.tools.mcp.log import ServerLog
from tui.tools.mcp.oauth import SIGN_IN_S, kept_sign_in, new_sign_in
from tui.tools.mcp.offer import Offer, read_offer
from tui.tools.mcp.words import error_words, holds, progress_words

if TYPE_CHECKING:
    from mcp.client.client import Client

State = Literal["off", "starting", "ready", "ended", "failed", "sign_in"]
"""`ended`: it is being started again; `failed`: it is not."""

START_S = 60.0
"""A server that takes longer to start is ended."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_TRIES = 8
"""So often in a row it is started again; of one that has never worked less often."""
_TRIES_AT_FIRST = 3
_STABLE_S = 60.0
"""Whoever ran that long is started again as if for the first time."""
_USABLE_S = 5.0
"""A call waits so long for a server that is just being started again."""
_PROGRESS_S = 0.1
_REFRESH_S = 5.0


class McpServer:
    """Belongs to the running loop. `start` it, `close` it; both can be done again. `tell` is given notices."""

    def __init__(self, name: str, config: McpConfig, folder: Path, tell: Callable[[str], None]) -> None:
        self.name, self.config = name, config
        self.state: State = "off"
        self.why = ""
        """Why it is not ready, in a line."""
        self.version = ""
        """The protocol's revision that it speaks."""
        self.offer = Offer()
        """What it offered last; kept while it is being started again."""
        self.log = ServerLog(name)
        self._auth: Any = None
        """What signs its requests; None: they have their `headers` only."""
        self._start_s = START_S
        self._folder, self._tell = folder, tell
        self._client: Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._settled, self._usable = asyncio.Event(), asyncio.Event()
        self._lost, self._lost_for = asyncio.Event(), ""
        self._mode = "auto"
        self._stale: set[str] = set()
        self._has_worked = self._has_told_change = False
        self._refreshed = 0.0

    @property
    def is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    @property
    def is_stale(self) -> bool:
        """It has said that what it offers has changed: `refresh` asks anew."""
        return bool(self._stale)

    @property
    def can_sign_in(self) -> bool:
        """It has an address, and its requests are not signed by a header of the user's."""
        headers = [name.lower() for name in self.config.headers]
        return self.config.url is not None and "authorization" not in headers

    @property
    def era(self) -> str:
        """The protocol's revision, and which of its two ways of speaking that is."""
        if not self.version:
            return ""
        return f"{self.version} ({'stateless' if self.version >= '2026' else 'with a handshake'})"

    def start(self) -> None:
        """Begin to start it, unless it runs."""
        if not self.is_running:
            self._settled.clear()
            self._has_worked = self._has_told_change = False
            self._enter("starting")
            self._task = asyncio.create_task(self._run(), name=f"mcp {self.name}")

    async def sign_in(self, open_page: Callable[[str], Awaitable[None]]) -> None:
        """Start it anew, and have the user sign in, in the page that `open_page` shows them, if it wants that."""
        await self.close()
        await load_library()
        self._auth = await asyncio.to_thread(new_sign_in, self.name, self.config.url or "", open_page)
        self._start_s = SIGN_IN_S
        self.start()

    async def settled(self) -> None:
        """Until it works, or has failed for the first time."""
        await self._settled.wait()

    async def close(self) -> None:
        """End it, with all that it started."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._enter("off", "it is switched off")

    async def call(self, tool: str, arguments: Json, on_progress: Callable[[str], None]) -> Any:
        """The package's `CallToolResult`. Raises ToolError. Cancelled, it tells the server so."""
        client, timeout_s = await self._ready_client(), self.config.call_timeout
        last = 0.0
        try:
            async with asyncio.timeout(timeout_s) as limit:

                async def progress(progress: float, total: float | None, message: str | None) -> None:
                    nonlocal last
                    now = asyncio.get_running_loop().time()
                    limit.reschedule(now + timeout_s)
                    if now - last >= _PROGRESS_S:
                        last = now
                        on_progress(progress_words(progress, total, message))

                return await client.call_tool(tool, arguments, progress_callback=progress)
        except TimeoutError as error:
            raise ToolError(
                f"{self.name} gave no sign of life for {timeout_s:g} s, so the call was given up."
            ) from error
        except Exception as error:
            raise self._failed_call(error) from error

    async def read(self, uri: str) -> list[Any]:
        """The contents of a resource. Raises ToolError."""
        client = await self._ready_client()
        try:
            async with asyncio.timeout(START_S):
                return list((await client.read_resource(uri)).contents)
        except Exception as error:
            raise self._failed_call(error) from error

    async def prompt(self, name: str, arguments: dict[str, str]) -> list[Any]:
        """The messages of a prompt. Raises ToolError."""
        client = await self._ready_client()
        try:
            async with asyncio.timeout(START_S):
                return list((await client.get_prompt(name, arguments)).messages)
        except Exception as error:
            raise self._failed_call(error) from error

    async def refresh(self) -> None:
        """Ask again what it offers, if it has said that this changed, not more often than every few seconds."""
        client, now = self._client, time.monotonic()
        if client is None or not self._stale or now - self._refreshed < _REFRESH_S:
            return
        self._stale.clear()
        self._refreshed = now
        with contextlib.suppress(Exception):  # what was offered before stays
            async with asyncio.timeout(_REFRESH_S):
                self.offer = await read_offer(client, self.name, self.config)

    async def _ready_client(self) -> Client:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_USABLE_S if self.state in ("ended", "starting") else 0.001):
                await self._usable.wait()
        if self._client is None:
            raise ToolError(self.state_words())
        return self._client

    def state_words(self) -> str:
        """How it is, in a sentence."""
        match self.state:
            case "ready":
                return f"The server {self.name} works."
            case "starting":
                return f"The server {self.name} is still being started."
            case "ended":
                return f"The server {self.name} has ended; it is being started again. ({self.why})"
            case "sign_in":
                return f"The server {self.name} wants its user to sign in: /mcp shows how."
            case "off":
                return f"The server {self.name} is switched off."
            case _:
                return f"The server {self.name} does not work: {self.why}."

    def _failed_call(self, error: Exception) -> ToolError:
        from mcp.shared.exceptions import MCPError
        from mcp_types import CONNECTION_CLOSED

        words = error_words(error)
        if isinstance(error, ToolError):
            return error
        if isinstance(error, MCPError) and error.code != CONNECTION_CLOSED and words != "Session terminated":
            return ToolError(f"{self.name} refused it: {words}")
        if isinstance(error, ValueError | RuntimeError) and not self._lost.is_set():
            return ToolError(f"{self.name} answered what cannot be understood: {words}")
        self._lose()
        note = "Whether it was done is not known."
        return ToolError(f"The server {self.name} ended meanwhile; it is being started again. {note}")

    async def _run(self) -> None:
        """Keep it running: until it is closed, or there is no hope."""
        tries = 0
        while True:
            began = time.monotonic()
            is_hopeless = False
            try:
                await self._live()
                self.why = self._lost_for
            except SignInNeeded:
                self._end_run("sign_in", "it wants you to sign in")
                return
            except MimoError as error:
                self.why, is_hopeless = error.message, True
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt | SystemExit):
                    raise
                self.why = error_words(error)
                if holds(error, SignInNeeded):
                    self._end_run("sign_in", "it wants you to sign in")
                    return
            finally:
                self._lose()
            if last := next((line for line in reversed(self.log.last) if not line.startswith("[")), ""):
                self.why += f"; last in its log: {clean_line(last, 160)}"
            await self.log.add(f"[{self.why}]")
            tries = 0 if time.monotonic() - began > _STABLE_S else tries
            if is_hopeless or tries >= (_TRIES if self._has_worked else _TRIES_AT_FIRST):
                self._end_run("failed", self.why)
                return
            pause_s = min(_FIRST_PAUSE_S * 2**tries, _LONGEST_PAUSE_S)
            tries += 1
            if self._has_worked and tries == 1:
                self._tell(f"The server {self.name} has ended ({self.why}). It is being started again.")
            self._enter("ended", self.why)
            self._settled.set()
            await asyncio.sleep(pause_s)

    def _end_run(self, state: State, why: str) -> None:
        if self._has_worked:
            self._tell(f"The server {self.name} does not work any more: {why}.")
        self._enter(state, why)
        self._settled.set()

    def _lose(self, why: str = "the connection broke") -> None:
        """It says no more: nobody is to wait for it."""
        self._lost_for = self._lost_for or why
        self._lost.set()
        self._usable.clear()
        if self._client is not None:
            self._client = None
            self._enter("ended", self._lost_for)

    def _enter(self, state: State, why: str = "") -> None:
        self.state, self.why = state, why

    async def _live(self) -> None:
        """One life of it, from its start to its end. Raises whatever the connection broke with."""
        await self._check_trust()
        await load_library()
        self._lost.clear()
        self._lost_for = ""
        if self._auth is None and self.can_sign_in:
            self._auth = await asyncio.to_thread(kept_sign_in, self.name, self.config.url or "")
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self._start_s):
                client = await stack.enter_async_context(self._connected())
                offer = await read_offer(client, self.name, self.config)
            for sentence in offer.left_out:
                await self.log.add(f"[{sentence}]")
            self._become_ready(client, offer)
            async with listening(client, self._changed):
                await self._lost.wait()

    async def _check_trust(self) -> None:
        """A server of a project is started only as its user trusted it, each time anew. Raises MimoError."""
        root = self.config.root if isinstance(self.config, ProjectServer) else None
        if root is None or await asyncio.to_thread(trust_state, Path(root)) == "trusted":
            return
        why = "the folder has changed since you trusted it"
        if not self._has_worked:  # else it is told as the end of it
            self._tell(f"The server {self.name} is not started: {why} (/trust shows it).")
        raise MimoError(why, "Look at it with /trust.")

    def _become_ready(self, client: Client, offer: Offer) -> None:
        self.version = str(client.protocol_version)
        self._mode = "auto" if self.version >= "2026" else "legacy"
        if self._has_worked:
            self._tell(f"The server {self.name} works again.")
            if offer.tools != self.offer.tools:
                self._tell_change()
        self.offer, self._client, self._has_worked = offer, client, True
        self._enter("ready")
        self._usable.set()
        self._settled.set()

    def _connected(self) -> AbstractAsyncContextManager[Client]:
        return connected(
            self.config,
            self._folder,
            self.log,
            auth=self._auth,
            mode=self._mode,
            on_end=self._lose,
            on_change=self._changed,
        )

    def _changed(self, what: str) -> None:
        self._stale.add(what)
        if what == "tools" and self._has_worked:
            self._tell_change()

    def _tell_change(self) -> None:
        if not self._has_told_change:  # a server may say so as often as it likes
            self._has_told_change = True
            self._tell(
                f"The server {self.name} has changed its tools. The model gets the new ones in the next session, or "
                "after /mcp reload, which lets the whole conversation be read anew, without the server's cache."
            )
