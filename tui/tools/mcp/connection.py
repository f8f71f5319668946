"""A connection to a server, whichever way it is reached: the package's client, told what this program wants of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui import __version__
from tui.settings.paths import config_dir
from tui.settings.schema import McpConfig
from tui.tools.mcp.log import ServerLog
from tui.tools.mcp.programs import Launch, program_streams
from tui.tools.mcp.remote import Remote, old_remote_streams, remote_streams
from tui.tools.mcp.values import values_of

if TYPE_CHECKING:
    from mcp.client.client import Client


class SignInNeeded(Exception):
    """The server wants its user to sign in, and they have not been asked yet."""


@asynccontextmanager
async def connected(
    config: McpConfig,
    folder: Path,
    log: ServerLog,
    *,
    auth: Any,
    mode: str,
    on_end: Callable[[str], None],
    on_change: Callable[[str], None],
) -> AsyncIterator[Client]:
    """`on_end` is told why when a program says no more, `on_change` with the name of a list that changed.

    `mode` is the package's: how the revision is found. Raises SignInNeeded, MimoError, OSError and what the package
    raises, also while it is open.
    """

    def client_of(streams: Any) -> Client:
        return _client(streams, mode, folder, log, on_change)

    async with AsyncExitStack() as stack:
        if config.command is not None:
            environment = await asyncio.to_thread(values_of, config.env)
            launch = Launch(config.command, environment, folder if config.in_project else config_dir())
            client = await stack.enter_async_context(client_of(program_streams(launch, log, on_end)))
        else:
            headers = await asyncio.to_thread(values_of, config.headers)
            remote = Remote(config.url or "", {name: _sent(name, value) for name, value in headers.items()}, auth)
            client = await _remote_client(stack, remote, client_of)
        # The schema of a result is the server's own: its patterns could take forever to match what it sent.
        client.session.validate_tool_result = _believe  # type: ignore[method-assign]
        yield client


async def _remote_client(stack: AsyncExitStack, remote: Remote, client_of: Callable[[Any], Client]) -> Client:
    """By the transport of today, or, where its first message is refused, by the one before it."""
    try:
        return await stack.enter_async_context(client_of(remote_streams(remote)))
    except Exception as error:
        if remote.wants_sign_in:
            raise SignInNeeded from error
        if not remote.may_be_old:
            raise
        with contextlib.suppress(Exception):
            return await stack.enter_async_context(client_of(old_remote_streams(remote)))
        raise


def _client(streams: Any, mode: str, folder: Path, log: ServerLog, on_change: Callable[[str], None]) -> Client:
    from mcp.client.client import Client
    from mcp_types import Implementation, ListRootsResult, Root

    async def roots(context: Any) -> ListRootsResult:
        return ListRootsResult(roots=[Root.model_validate({"uri": folder.as_uri()})])

    async def hear(message: Any) -> None:
        kind = getattr(message, "method", "")
        if kind.endswith("/list_changed"):
            on_change(kind.split("/")[1])

    async def write_log(params: Any) -> None:
        await log.add_if_idle(f"[{params.level}] {params.data}")

    return Client(
        streams,
        mode=mode,
        client_info=Implementation(name="mimo-tui", version=__version__),
        message_handler=hear,
        logging_callback=write_log,
        list_roots_callback=roots,
        cache=None,
    )


def _sent(name: str, value: str) -> str:
    """A header's value. A token alone is that of a bearer: so the keyring, which takes no more, can hold it."""
    return f"Bearer {value}" if name.lower() == "authorization" and " " not in value else value


async def _believe(name: str, result: Any) -> None:
    """In place of the package's check of a result."""


@asynccontextmanager
async def listening(client: Client, on_change: Callable[[str], None]) -> AsyncIterator[None]:
    """While it is open, a server of 2026 tells `on_change` which list changed; older ones say it unasked."""
    task = asyncio.create_task(_listen(client, on_change)) if str(client.protocol_version) >= "2026" else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.wait([task])


async def _listen(client: Client, on_change: Callable[[str], None]) -> None:
    able = client.server_capabilities
    tools = bool(able.tools and able.tools.list_changed)
    resources = bool(able.resources and able.resources.list_changed)
    prompts = bool(able.prompts and able.prompts.list_changed)
    if not (tools or resources or prompts):
        return
    with contextlib.suppress(Exception):  # without it, changes are seen at the next start
        async with client.listen(
            tools_list_changed=tools, resources_list_changed=resources, prompts_list_changed=prompts
        ) as events:
            async for event in events:
                on_change(type(event).__name__.removesuffix("ListChanged").lower())
