"""One run of a hook's program, with the user's rights or inside the sandbox, to the end of all that it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import IO

from tui.agent.hooks import MESSAGE_CHARACTERS
from tui.core.text import clean_line
from tui.settings.schema import Hook
from tui.tools.environment import tool_environment
from tui.tools.processes import MARK, kill, new_mark
from tui.tools.repositories import RepositoryWatch
from tui.tools.sandbox import Sandbox
from tui.tools.supervised import Enclosure

_OUTPUT_BYTES = 64 * 1024


class HookRun:
    """`output` runs it, once."""

    def __init__(self, hook: Hook, folder: Path, sandbox: Sandbox | None, network: bool) -> None:
        self._hook, self._folder, self._sandbox, self._network = hook, folder, sandbox, network
        self._mark = new_mark()
        self.undone: tuple[str, ...] = ()
        """Sentences about what it made or changed in the sandbox although nothing but the user may."""

    async def output(self, given: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error. Raises OSError, TimeoutError and SandboxRefused.

        Files in place of pipes: neither a hook that reads nothing nor a child that lives on holds anything up.
        """
        with tempfile.TemporaryFile() as into, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as wrong:
            into.write(given.encode())
            into.seek(0)
            if self._sandbox is None:
                code = await self._run(None, into, out, wrong)
            else:
                code = await self._run_inside(self._sandbox, into, out, wrong)
            return code, _beginning(out), _beginning(wrong)[:MESSAGE_CHARACTERS]

    async def _run_inside(self, sandbox: Sandbox, *files: IO[bytes]) -> int:
        watch = await asyncio.to_thread(lambda: RepositoryWatch(self._folder.resolve()))
        program, *words = self._hook.command
        path = shutil.which(program, path=tool_environment().get("PATH"))  # not every sandbox looks for it
        if path is None:
            raise OSError(f"there is no program {clean_line(program, 80)}")
        # Not in a thread, as nothing else that starts bubblewrap: it would end with it.
        enclosure = sandbox.enclose([path, *words], self._folder, self._network)
        try:
            return await self._run(enclosure, *files)
        finally:
            self.undone = enclosure.close()
            self.undone += await asyncio.to_thread(watch.set_aside)

    async def _run(self, enclosure: Enclosure | None, *files: IO[bytes]) -> int:
        into, out, wrong = files
        process = await asyncio.create_subprocess_exec(
            *(enclosure.argv if enclosure else self._hook.command),
            stdin=into,
            stdout=out,
            stderr=wrong,
            cwd=self._folder,
            env=tool_environment() | {MARK: self._mark} | (enclosure.environment if enclosure else {}),
            pass_fds=enclosure.descriptors if enclosure else (),
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(self._hook.timeout):
                return await process.wait()
        finally:
            if process.returncode is None:
                if enclosure:  # all in it has to be gone before what it locks is unlocked
                    kill(process.pid, self._mark, enclosure.is_told_to_end)
                else:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                await process.wait()


def _beginning(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(_OUTPUT_BYTES).decode(errors="replace").strip()
