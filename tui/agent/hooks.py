"""Programs of the user's that are run when something happens: they may refuse a call, or have it asked about.

    standard input     one JSON object: event, session, folder, and what the event has: tool, arguments, result, ...
    exit code 0        no objection; standard output may be JSON: {"decision": "allow|ask|deny", "message": "..."}
    exit code 2        before_tool: the call is refused; after_tool: the model is told. Standard error says why
    anything else      the hook failed, which is said; a call that a before_tool hook failed on is asked about

One that a project brings runs inside the sandbox of commands: the model may have written what it runs.
No answer of a hook makes a call run that would have been asked about or refused without it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from tui.core.codec import dumps
from tui.core.messages import Json
from tui.core.text import clean_line
from tui.settings.project_config import ProjectHook
from tui.settings.schema import Hook
from tui.settings.trust import trust_state
from tui.tools.sandbox import find_sandbox, why_no_sandbox

Decision = Literal["allow", "ask", "deny"]
MESSAGE_CHARACTERS = 4000
_BLOCKS = 2
"""The exit code that refuses, as in other programs of the kind."""


class Said(NamedTuple):
    """What came of the hooks of an event: the strictest decision, and what they said to the model."""

    decision: Decision = "allow"
    message: str = ""
    problems: tuple[str, ...] = ()
    """What failed, for the user."""


class Hooks:
    """The hooks of a conversation. None of them stops a turn; leaving a method ends the program that it waits for."""

    def __init__(
        self,
        hooks: Sequence[Hook] = (),
        folder: Path = Path(),
        session_id: Callable[[], str] = lambda: "",
        *,
        confines: bool = True,
        network: bool = False,
    ) -> None:
        """`confines`: the user has not switched the sandbox off; `network`: there is one inside."""
        self._hooks, self._folder, self._session_id = hooks, folder, session_id
        self._confines, self._network = confines, network

    async def tell(self, event: str, more: Json | None = None, tool: str | None = None) -> Said:
        """Run the hooks of an event, in their order, until one refuses. Raises nothing."""
        decision: Decision = "allow"
        messages: list[str] = []
        problems: list[str] = []
        for hook in self._hooks:
            if hook.on != event or (hook.tool is not None and hook.tool != tool):
                continue
            said = await self._run(hook, {"event": event, **(more or {})})
            messages += [said.message] if said.message else []
            problems += said.problems
            decision = max(decision, said.decision, key=("allow", "ask", "deny").index)
            if decision == "deny":
                break
        return Said(decision, "\n".join(messages), tuple(problems))

    def has(self, event: str) -> bool:
        """Whether anything would be run."""
        return any(hook.on == event for hook in self._hooks)

    async def _run(self, hook: Hook, more: Json) -> Said:
        """Run one; a hook that fails objects to the call that it was asked about."""
        from tui.agent.hook_run import HookRun  # not before the first screen
        from tui.tools.seals import SandboxRefused

        failed: Decision = "ask" if hook.on == "before_tool" else "allow"
        name = clean_line(" ".join([Path(hook.command[0]).name, *hook.command[1:]]), 80)
        root = Path(hook.root) if isinstance(hook, ProjectHook) else None
        if root is not None and await asyncio.to_thread(trust_state, root) != "trusted":
            problem = f"The hook {name} was not run: the folder has changed since it was trusted (/trust shows it)."
            return Said(failed, problem if failed == "ask" else "", (problem,))
        sandbox = None
        if self._confines and (root is not None or hook.sandbox):
            sandbox = await asyncio.to_thread(find_sandbox)
            if sandbox is None:
                why = await asyncio.to_thread(why_no_sandbox)
                return _failure(f"The hook {name} was not run: no sandbox works here ({why}).", failed)
        given = dumps({**more, "session": self._session_id(), "folder": str(self._folder)})
        try:
            run = HookRun(hook, root or self._folder, sandbox, self._network)
            code, output, errors = await run.output(given)
        except SandboxRefused as error:
            return _failure(f"The hook {name} was not run: it cannot be confined here ({error}).", failed)
        except TimeoutError:
            return _failure(f"The hook {name} was stopped after {hook.timeout:g} s.", failed)
        except (OSError, ValueError) as error:
            return _failure(
                f"The hook {name} could not be started: {getattr(error, 'strerror', None) or error}.", failed
            )
        said = _said(hook, name, failed, code, output, errors)
        return said._replace(problems=(*said.problems, *(f"The hook {name}: {undone}." for undone in run.undone)))


def _said(hook: Hook, name: str, failed: Decision, code: int, output: str, errors: str) -> Said:
    """What the end of a hook means; `failed` is the decision where it cannot be used."""
    if code == _BLOCKS:
        return Said("deny" if hook.on == "before_tool" else "allow", errors or f"The hook {name} says no.")
    if code != 0:
        words = clean_line(errors, 300)
        return _failure(f"The hook {name} failed (exit code {code}){': ' + words if words else ''}.", failed)
    try:
        return _answer(output)
    except (ValueError, RecursionError) as error:
        return _failure(f"The hook {name} answered what cannot be used: {error}.", failed)


def _failure(problem: str, decision: Decision) -> Said:
    return Said(decision, problem if decision == "ask" else "", (problem,))


def _answer(output: str) -> Said:
    """What a hook printed: JSON, or words that are nobody's business. Raises ValueError."""
    if not output.startswith("{"):
        return Said()
    said = json.loads(output)
    decision, message = said.get("decision", "allow"), said.get("message", "")
    if decision not in ("allow", "ask", "deny"):
        raise ValueError(f"decision is {str(decision)[:40]!r}, not allow, ask or deny")
    if not isinstance(message, str):
        raise ValueError("message is no text")
    return Said(decision, message[:MESSAGE_CHARACTERS])
