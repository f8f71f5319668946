"""A server that is a program: started in a group of its own, spoken to by lines of JSON, and ended with all it started.

The package's own transport is not used for it: it would keep a line in memory however long it is, write the server's
log unmasked, and leave its children running where this program is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.core.errors import MimoError
from tui.settings.paths import config_dir
from tui.tools.environment import tool_environment, trusted_which
from tui.tools.mcp.log import ServerLog
from tui.tools.processes import MARK, end, new_mark, until_gone
from tui.tools.supervised import Supervised, can_supervise

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

_MESSAGE_BYTES = 8 * 1024 * 1024
"""A longer message ends the connection: nobody waits for its end in vain, and it is not kept in memory."""
_LONG_BYTES = 256 * 1024
"""From this size on, a message is parsed in a thread."""
_BLOCK_BYTES = 64 * 1024
_FOREIGN_LINES = 10
"""So many lines that are no messages are put into the log, of each start."""

_OWN_END_S = 0.5
_GRACE_S = 0.5
_LAST_WAIT_S = 5
_POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class Launch:
    """How a program is started: its command, what is put into its environment, and the folder it is started in."""

    command: Sequence[str]
    environment: dict[str, str]
    folder: Path


def find_program(command: Sequence[str]) -> list[str]:
    """`command` with the whole path of its program. Never one of the project, unless the path itself says so.

    Raises MimoError when there is none.
    """
    program, *words = command
    if "/" in program:
        path: str | None = str(config_dir() / Path(program).expanduser())
        path = path if path and os.access(path, os.X_OK) and Path(path).is_file() else None
    else:
        path = trusted_which(program)
    if path is None:
        raise MimoError(f"there is no program {program}", "Install it, or write its whole path in the config file.")
    return [path, *words]


@asynccontextmanager
async def program_streams(
    launch: Launch, log: ServerLog, on_end: Callable[[str], None]
) -> AsyncIterator[TransportStreams]:
    """The messages of a server that runs as long as this is open; `on_end` is told why when it says no more.

    Raises MimoError, OSError when it cannot start.
    """
    import anyio
    from mcp.shared.message import SessionMessage

    mark = new_mark()
    process, is_supervised = await _start(launch, mark)
    incoming, read_stream = anyio.create_memory_object_stream[Any](0)
    write_stream, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    tasks = [
        asyncio.create_task(_read(process, incoming, log, on_end)),
        asyncio.create_task(_write(process, outgoing, incoming)),
        asyncio.create_task(_read_log(process, log)),
    ]
    try:
        yield read_stream, write_stream
    finally:
        try:
            await _to_its_end(asyncio.create_task(_end(process, mark, is_supervised)))
        finally:
            for task in tasks:
                task.cancel()
            for stream in (incoming, read_stream, write_stream, outgoing):
                stream.close()


async def _to_its_end(task: asyncio.Task[None]) -> None:
    """Wait for a task that takes a bounded time, also when this is cancelled meanwhile: no program is left behind."""
    was_cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            was_cancelled = True
    if was_cancelled:
        raise asyncio.CancelledError


async def _start(launch: Launch, mark: str) -> tuple[Process, bool]:
    argv = await asyncio.to_thread(find_program, launch.command)
    enclosure = Supervised(argv, None) if can_supervise() else None
    try:
        process = await asyncio.create_subprocess_exec(
            *(enclosure.argv if enclosure else argv),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            cwd=launch.folder if launch.folder.is_dir() else "/",
            env=tool_environment() | {MARK: mark, "PYTHONUNBUFFERED": "1"} | launch.environment,
            pass_fds=enclosure.descriptors if enclosure else (),
            start_new_session=True,
        )
    finally:
        if enclosure:
            enclosure.close()
    return process, enclosure is not None


async def _end(process: Process, mark: str, is_supervised: bool) -> None:
    """As the protocol wants it: close its input, wait, SIGTERM, SIGKILL; and all that it started with it."""
    assert process.stdin
    with contextlib.suppress(OSError, RuntimeError):
        process.stdin.close()
    if not await until_gone(process.pid, _OWN_END_S):
        spared = (process.pid,) if is_supervised else ()
        await end(process.pid, mark, grace_s=_GRACE_S, spared=spared, is_supervisor=is_supervised)
        await until_gone(process.pid, _LAST_WAIT_S)
    elif not is_supervised:
        await end(process.pid, mark, grace_s=0)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LAST_WAIT_S):
            while process.returncode is None:  # noqa: ASYNC110 (`wait` waits for whoever holds its pipes, too)
                await asyncio.sleep(_POLL_S)
    transport = getattr(process, "_transport", None)  # which would stay open as long as its pipes
    if transport is not None and process.returncode is not None:
        with contextlib.suppress(PermissionError, ProcessLookupError):
            transport.close()


async def _read(process: Process, incoming: Any, log: ServerLog, on_end: Callable[[str], None]) -> None:
    """Its messages; what is none is skipped, and the first of it said in the log. At its end the stream is closed."""
    import anyio

    assert process.stdout
    buffer, foreign, why = bytearray(), 0, "it ended"
    try:
        while data := await process.stdout.read(_BLOCK_BYTES):
            *lines, rest = data.split(b"\n")
            for line in lines:
                buffer += line
                if buffer.strip() and (message := await _parsed(bytes(buffer))):
                    await incoming.send(message)
                elif buffer.strip() and foreign < _FOREIGN_LINES:
                    foreign += 1
                    await log.add(f"[not a message, skipped: {bytes(buffer[:200]).decode(errors='replace')}]")
                buffer.clear()
            buffer += rest
            if len(buffer) > _MESSAGE_BYTES:
                why = f"it sent a message of more than {_MESSAGE_BYTES >> 20} MB"
                break
    except (anyio.ClosedResourceError, anyio.BrokenResourceError):
        pass
    finally:
        incoming.close()
        on_end(why)


async def _parsed(line: bytes) -> Any:
    """The message that a line is; None when it is none."""
    import mcp_types
    from mcp.shared.message import SessionMessage

    def parse() -> Any:
        for text in (line, _mended):
            try:
                data = text if isinstance(text, bytes) else text(line)
                return SessionMessage(mcp_types.jsonrpc_message_adapter.validate_json(data, by_name=False))
            except (ValueError, RecursionError):
                continue
        return None

    return parse() if len(line) < _LONG_BYTES else await asyncio.to_thread(parse)


def _mended(line: bytes) -> bytes:
    """The same JSON without halves of characters, which some write and the package does not take. Raises ValueError."""
    return json.dumps(json.loads(line), ensure_ascii=False).encode("utf-8", "replace")


async def _write(process: Process, outgoing: Any, incoming: Any) -> None:
    import anyio

    assert process.stdin
    try:
        async for message in outgoing:
            data = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(data.encode("utf-8", "replace") + b"\n")
            await process.stdin.drain()
    except (OSError, RuntimeError, anyio.ClosedResourceError, anyio.BrokenResourceError):
        incoming.close()  # else a request would wait for its answer forever


async def _read_log(process: Process, log: ServerLog) -> None:
    assert process.stderr
    rest = ""
    while data := await process.stderr.read(_BLOCK_BYTES):
        text = rest + data.decode(errors="replace")
        whole, _, rest = text.rpartition("\n")
        if len(rest) > _BLOCK_BYTES:
            whole, rest = text, ""
        if whole:
            await log.add(whole)
    if rest:
        await log.add(rest)
