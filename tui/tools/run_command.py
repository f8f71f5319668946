"""The tool `run_command`: a shell command in the folder, in the sandbox where there is one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Literal

from tui.core.messages import Json
from tui.tools.base import Outcome, ToolContext
from tui.tools.blocked import missed_own_server, why_blocked
from tui.tools.command import Command
from tui.tools.errors import ToolError, explain
from tui.tools.kept_outputs import WholeOutput
from tui.tools.output import EXCERPT_CHARACTERS

_MEMORY_SIGNS = ("ReserveShadowMemoryRange failed", "Sanitizer failed to allocate")
_MEMORY_HINT = "[A limit of memory is set here. Sanitizers need more: start the command with `ulimit -d unlimited`.]"
_NOT_STARTED = "The command could not be started"
_SANDBOX_HINT = (
    "[This ran in a sandbox: only the project folder and $TMPDIR or /tmp can be written, never .git/hooks, .git/config "
    "or .mimo, and the network may be off.]"
)
_BEHIND_HINT = "A command in the background runs, but this one could not reach it. "
_OWN_NETWORK_HINT = (
    "In the sandbox each command has a network of its own: 127.0.0.1 and localhost lead to this command alone. Start "
    "the server and use it in one command (`server & ...`), or the user sets `agent.network = true`."
)


class RunCommand:
    name = "run_command"
    description = (
        "Run a shell command (bash) in the folder and get its output and exit code. There is no terminal and no input. "
        "It must end by itself, else use start_command: what it leaves in the background is ended with it. It may run "
        "in a sandbox, where only the project folder and /tmp can be written and there is no network."
    )
    parameters: Json = {
        "type": "object",
        "properties": {
            "command": {"type": "string", "minLength": 1, "description": "The command."},
            "timeout": {"type": "integer", "minimum": 1, "maximum": 3600, "description": "Seconds it may take."},
        },
        "required": ["command"],
        "additionalProperties": False,
    }
    effect: Literal["run"] = "run"

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return ()

    def preview(self, arguments: Json, context: ToolContext) -> str:
        timeout = f"\n[for up to {arguments['timeout']} s]" if "timeout" in arguments else ""
        return f"{arguments['command']}{timeout}"

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        command = Command(arguments["command"], context)
        try:
            command.start()
        except (ToolError, OSError, ValueError) as error:
            yield Outcome(f"{_NOT_STARTED}: {explain(error)}", is_error=True)
            return
        timeout_s = float(arguments.get("timeout", context.command_timeout_s))
        whole = WholeOutput(context.desk.outputs, EXCERPT_CHARACTERS)
        try:
            async with contextlib.aclosing(command.pieces(timeout_s)) as pieces:
                async for piece in pieces:
                    await asyncio.to_thread(whole.add, piece)
                    yield piece
        finally:
            await command.finish()
        yield _outcome(command, whole.path)


def _outcome(command: Command, whole: Path | None) -> Outcome:
    text, code = command.excerpt(whole).rstrip("\n"), command.exit_code
    detail = {"exit_code": code, "sandbox": command.sandbox_name, "timed_out": command.timed_out_after_s is not None}
    if command.never_ran:
        what = "The sandbox could not be set up, so nothing was run" if command.sandbox_name else _NOT_STARTED
        return Outcome(f"{what}: {text}", is_error=True, detail=detail)
    detail["lines"] = command.lines if text else 0
    lines = [text or "[no output]"]
    lines += [f"[{sentence}]" for sentence in command.undone]
    if command.timed_out_after_s is not None:
        lines.append(f"[it took longer than {command.timed_out_after_s:g} s, so it was ended]")
    else:
        lines.append(f"[exit code {code}]")
    context = command.context
    misses_own = bool(code) and command.has_own_network and missed_own_server(text, command.command, code)
    if misses_own:
        lines.append(f"[{_BEHIND_HINT if context.desk.works_behind else ''}{_OWN_NETWORK_HINT}]")
    # What runs in the background would not be reached from outside either.
    may_be_offered = command.sandbox_name and not (misses_own and context.desk.works_behind)
    reason = why_blocked(text, context.folder, context.network, command.command, code, is_undone=command.is_undone)
    if may_be_offered and reason:
        detail["sandbox_blocked"] = reason
        lines.append(_SANDBOX_HINT)
    if code and any(sign in text for sign in _MEMORY_SIGNS):
        lines.append(_MEMORY_HINT)
    return Outcome("\n".join(lines), is_error=bool(code) or command.timed_out_after_s is not None, detail=detail)
