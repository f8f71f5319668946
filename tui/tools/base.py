"""What a tool is: any object with these attributes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

from tui.core.events import Nested
from tui.core.messages import Image, Json
from tui.tools.desk import Desk
from tui.tools.errors import ToolError, explain
from tui.tools.sandbox import Sandbox

Effect = Literal["read", "edit", "run", "network", "foreign", "talk"]
"""What a tool can do at worst; the policies go by it (`agent.approvals`, docs/safety.md).

`read`: looks at files, changes nothing. `edit`: changes files, in the program itself. `run`: runs a command. `network`:
sends what is in its arguments to another machine, and changes nothing here; a rule may name the host of its `url`.
`foreign`: a program of the user's does it (MCP), outside the sandbox, and what it does is not known. `talk`: stays
within the program and its user: a question, the plan, a subagent (whose own calls are judged one by one).
Neighbouring calls run side by side only when all of them are of `read`.
"""


CHANGING: tuple[Effect, ...] = ("edit", "run", "foreign")
"""What may change files here."""
_LAST_WAIT_S = 0.05


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a tool run ended: `content` is for the model, `detail` for people (`diff`, `exit_code`, `sandbox`).

    `sandbox_blocked` in it says why a command probably failed in the sandbox: it may be offered to run outside, once.
    """

    content: str
    is_error: bool = False
    detail: Json = field(default_factory=dict)
    images: tuple[Image, ...] = ()
    """What the model is shown beside the words."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """Where and how tools work."""

    folder: Path
    sandbox: Sandbox | None
    """None: commands run with all of the user's rights."""
    command_timeout_s: float = 120
    network: bool = False
    """Whether commands in the sandbox reach the network."""
    places: tuple[Path, ...] | None = None
    """Where the paths of the call led when it was judged; tools work on nothing else. None: it was not judged."""
    desk: Desk = field(default_factory=Desk)
    """What the tools of the session share."""
    when_changed: Callable[[], object] = lambda: None
    """To be called in the thread that has changed files, once it has: another way into a thread is spared. Blocking."""
    sees_images: bool | None = None
    """Whether the model can be shown images; None: not known."""

    def outside_the_sandbox(self) -> ToolContext:
        """For one command that the user allows to run with all of their rights; no argument of a call leads here."""
        return replace(self, sandbox=None)


class Tool(Protocol):
    """Something that the model can ask for. Arguments have been checked against `parameters` before they come here."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str:
        """For the model: short and plain."""
        ...

    @property
    def parameters(self) -> Json:
        """A JSON schema: one flat object."""
        ...

    @property
    def effect(self) -> Effect: ...

    def paths(self, arguments: Json) -> tuple[str, ...]:
        """The paths that a call touches, as the model wrote them (see `paths.locate`)."""
        ...

    def preview(self, arguments: Json, context: ToolContext) -> str:
        """What a call would do: a unified diff, or the exact command. Blocking; changes nothing, raises nothing.

        Where the call would fail it is the sentence that the model would get.
        """
        ...

    def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Nested | Outcome, None]:
        """Pieces of output, or what a subagent does, then one Outcome.

        Raises nothing; cancelling or closing it ends all that it started.
        """
        ...


async def outcome_of(work: Callable[[], Outcome], stopped: threading.Event | None = None) -> Outcome:
    """Do blocking `work` in a thread; what goes wrong becomes an Outcome that says so.

    Cancelled meanwhile, it sets `stopped`, by which the work knows, and ends when the work has, if that does not take
    long: what changes is to be looked at then.
    """
    working = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        if stopped is not None:
            stopped.set()
        working.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody else asks for it
        await asyncio.wait({working}, timeout=_LAST_WAIT_S)
        raise
    except (ToolError, OSError, ValueError) as error:
        return Outcome(explain(error), is_error=True)
