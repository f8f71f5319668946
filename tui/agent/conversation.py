"""A conversation: what was said, and the settings of the next turn. Front ends send to it and read its turns."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from tui.agent.backends import Backends
from tui.agent.cache_watch import CacheWatch
from tui.agent.calls import Asker
from tui.agent.compaction import Compactor
from tui.agent.hooks import Hooks
from tui.agent.journal import Journal
from tui.agent.keeper import Keeper
from tui.agent.permissions import Permissions
from tui.agent.project.project import Project, notes_given
from tui.agent.turn import Turn
from tui.agent.wishes import Wishes
from tui.backends.resolve import known_names, resolve
from tui.backends.spec import BackendSpec
from tui.core.errors import MimoError
from tui.core.events import (
    Compacted,
    ReasoningDelta,
    Record,
    StepFinished,
    StepStarted,
    TextDelta,
    ToolCallDelta,
    ToolFinished,
    ToolOutput,
    TurnStarted,
)
from tui.core.messages import Context, Image, Json, Message, user
from tui.sessions.history import History, history_of
from tui.settings.agent_files import AgentDefinition
from tui.settings.config import ModeConfig, Settings
from tui.tools.desk import ALL_ENDED, Desk

if TYPE_CHECKING:
    from tui.tools.mcp.servers import McpServers

Mode = Literal["chat", "agent"]
_CUT = ("interrupted", "error")
_PASSING = (TextDelta, ReasoningDelta, ToolCallDelta, ToolOutput)
"""What is not kept in memory once it has been read: the step's or tool's end holds it whole."""


class Conversation:
    """One session in one folder. Its attributes are the settings of the next turn; a running turn keeps its own.

    Not thread-safe: used from the event loop. What blocks (disk, keyring) goes to threads inside.
    """

    def __init__(self, settings: Settings, folder: Path, wishes: Wishes | None = None) -> None:
        wishes = wishes or Wishes()
        self.settings, self.folder = settings, folder.resolve()
        self.mode: Mode = wishes.mode or settings.defaults.mode
        self.is_attended = True
        """Somebody is there who can accept a plan."""
        self.asks_server = True
        """Whether a server may be asked how it wants tool calls. `run` sends nothing but the turn's own steps."""
        self.max_steps = wishes.max_steps or settings.agent.max_steps
        self.budget = settings.agent.budget if wishes.budget is None else wishes.budget
        self.timeout_s = wishes.timeout_s or settings.agent.timeout
        self.records: list[Record] = []
        """All that happened, without the deltas and the output that a later record holds whole."""
        self.context_tokens: int | None = None
        """How much of the window the last step filled; None when its server did not say."""
        self.cost: float | None = 0.0
        """USD so far, without steps that were cut; None when the price of another is not known."""
        self.journal = Journal(self.folder, on_problem=self._not_saved)
        self.desk = Desk(lambda: self.session_id, self.tell)
        """What its tools share."""
        self.permissions = Permissions(
            settings.agent,
            self.folder,
            lambda: self.desk.outputs.folder,
            wishes.policy or settings.agent.policy,
            sandbox_wanted=(wishes.sandbox or settings.agent.sandbox) == "on",
        )
        self.agents: Sequence[AgentDefinition] | None = None
        """The subagents that it can give work to; None before its first agent turn, from when on they stay."""
        self.project = Project(self.folder, settings.agent.workspace)
        self.hooks = self._hooks_of(settings)
        self._mcp: McpServers | None = None
        self._is_begun = False
        self._keeper: Keeper | None = None
        self.turn: Turn | None = None
        """The turn under way, or the last one."""
        self._turns = 0
        self._wanted: tuple[str | None, str | None] = (wishes.backend, wishes.model)
        self.backends = Backends()
        self.compactor, self.cache = Compactor(settings.agent.compact_at), CacheWatch()
        self.history = History()
        """The conversation so far, as the model gets it."""
        self._untold: list[str] = []

    @classmethod
    def open(cls, settings: Settings, folder: Path, wishes: Wishes) -> Conversation:
        """A new conversation, or the session that `wishes` names. Blocking when it reads an old one.

        Raises SessionError when there is no such session, or another program has it open.
        """
        conversation = cls(settings, folder, wishes)
        if wishes.session or wishes.continue_last:
            conversation._take_up(conversation.journal.load(wishes.session), wishes)
            if conversation.keeper is not None:
                conversation.keeper.recover()
        return conversation

    @property
    def session_id(self) -> str:
        return self.journal.session_id

    @property
    def keeper(self) -> Keeper | None:
        """Keeps what its turns change; None while nothing is stored."""
        if self._keeper is None and self.journal.store is not None:
            self._keeper = Keeper(
                self.journal.store,
                self.session_id,
                self.folder,
                place=lambda: self.turn.place if self.turn is not None else (self._turns, 0),
                works_behind=lambda: self.desk.works_behind,
            )
        return self._keeper

    @property
    def mcp(self) -> McpServers:
        """Its servers of tools. Nothing of them is loaded before this is asked for, which only who has some does."""
        if self._mcp is None:
            from tui.tools.mcp.servers import McpServers

            self._mcp = McpServers(self.folder, self.tell)
        return self._mcp

    async def mentioned(self, words: str) -> list[Context]:
        """What the resources of servers hold that `words` name as `@server:uri`."""
        servers = self.settings.mcp
        return await self.mcp.contexts(words, servers) if servers and "@" in words else []

    def spec(self) -> BackendSpec | None:
        """The backend of the next turn; None when there is no default and none was chosen.

        Raises UsageError for a name that does not exist.
        """
        name, model = self._wanted
        if name is None:
            mode, defaults = self.settings.modes.get(self.mode) or ModeConfig(), self.settings.defaults
            name = mode.backend or defaults.backend
            model = model or mode.model or (defaults.model if name == defaults.backend else None)
        return None if name is None else self.backends.informed(resolve(self.settings, name, model))

    def use(self, backend: str, model: str | None = None) -> None:
        """Ask this backend from the next turn on, in both modes. Raises UsageError when it does not exist."""
        resolve(self.settings, backend, model)
        self._wanted = (backend, model)

    def objection_to(self, images: Sequence[Image]) -> str | None:
        """Why images cannot be sent to the backend of the next turn; None when they can be, as far as is known."""
        spec = self.spec()
        if not images or spec is None or spec.rules.images is not False:
            return None
        return f"{spec.model} cannot see images. Choose another with /model or /backend, or send the words alone."

    def send(self, text: str, asker: Asker | None = None, images: Sequence[Image] = ()) -> Turn:
        """Begin a turn with the user's words. Questions go to `asker`, or to `Turn.answer` when it is None.

        One at a time: the last one must have ended.
        """
        assert self.turn is None or not self.turn.is_running
        self._turns += 1
        self.turn = Turn(self, user(text, images), self._turns, asker)
        return self.turn

    async def close(self) -> None:
        """End a turn and the commands that still run, store all that came, and close the connections."""
        if self.turn is not None and self.turn.is_running:
            self.turn.stop()
            await self.turn.wait()
        await self.desk.close()
        if self._mcp is not None:
            await self._mcp.close()
        if self._keeper is not None:
            await asyncio.to_thread(self._keeper.close)
        await self.journal.close()
        await self.backends.aclose()

    def tell(self, words: str) -> None:
        """Say something to the user: in the turn that runs, or in the next one."""
        if self.turn is None or not self.turn.tell(words):
            self._untold.append(words)

    def take_untold(self) -> list[str]:
        """What has been told while no turn was running; it counts as told from now on."""
        words, self._untold = self._untold, []
        return words

    def take_settings(self, settings: Settings) -> None:
        """What the files say now, from the next turn on, as the user's trust in the folder has changed."""
        self.permissions.take_config(settings.agent)
        self.settings, self.hooks = settings, self._hooks_of(settings)
        self.project.look_again()

    def _hooks_of(self, settings: Settings) -> Hooks:
        confines, network = self.permissions.sandbox != "off", settings.agent.network
        return Hooks(settings.hooks, self.folder, lambda: self.session_id, confines=confines, network=network)

    def _not_saved(self, problem: MimoError) -> None:
        words = "This session is not being saved, so what it changes in files cannot be taken back"
        self.tell(f"{words}: {problem.told}")

    def keep(self, record: Record) -> None:
        """Take in a record of the running turn: for the store, and for the model's next turn."""
        self.journal.keep(record)
        if not isinstance(record.event, _PASSING):
            self.records.append(record)
        if record.parent is None:
            self.history.add(record.event)
        if isinstance(record.event, StepFinished | Compacted):
            self._count(record.event, is_own=record.parent is None)
        if isinstance(record.event, Compacted) and record.parent is None:
            self.project.forget()

    async def tell_hooks(self, event: str, more: Json) -> None:
        """Run the user's hooks of something that has happened; what they say is told."""
        said = await self.hooks.tell(event, more)
        for words in (*said.problems, said.message):
            if words:
                self.tell(words)

    async def begin(self) -> None:
        """The first turn of this run begins."""
        if not self._is_begun:
            self._is_begun = True
            await self.tell_hooks("session_started", {"mode": self.mode})

    def ask_to_compact(self) -> str:
        """Have the conversation made shorter before the next message; what to tell of it."""
        if not self.history.messages:
            return "There is nothing yet that could be made shorter."
        self.compactor.is_wanted = True
        return "The conversation is made shorter for the model before your next message."

    async def briefed(self, message: Message) -> Message:
        """A message of the user's, with what the model should know beside it."""
        return await asyncio.to_thread(self._briefed, message)

    def _briefed(self, message: Message) -> Message:
        spec, is_agent = self.spec(), self.mode == "agent"
        blocks = self.project.blocks(
            message.words,
            self.history.messages,
            is_agent=is_agent,
            is_planning=self.permissions.policy == "plan",
            window=spec.context_window if spec else None,
        )
        news = [Context(f"\n\n[{news}]")] if is_agent and (news := self.desk.take_news()) else []
        return replace(message, blocks=(*message.blocks, *blocks, *news))

    def _take_up(self, records: list[Record], wishes: Wishes) -> None:
        """Go on where a stored session was: its mode and backend too, unless others are wished for."""
        self.records = [record for record in records if not isinstance(record.event, _PASSING)]
        self.history = history_of(self.records)
        self.desk.recall(_details(self.records))
        self.project.recall(notes_given(self.records))
        self._turns = max((record.turn for record in records), default=0)
        for record in self.records:
            event = record.event
            if isinstance(event, StepFinished | Compacted):
                self._count(event, is_own=record.parent is None)
            elif record.parent is not None:
                continue
            elif isinstance(event, TurnStarted) and wishes.mode is None and event.mode in ("chat", "agent"):
                self.mode = cast(Mode, event.mode)
            elif isinstance(event, StepStarted) and wishes.backend is None:
                self._wanted = (event.origin.backend, wishes.model or event.origin.model)
        if wishes.backend is None and self._wanted[0] not in known_names(self.settings):
            self._wanted = (None, wishes.model)  # that backend is gone: the default answers

    def _count(self, step: StepFinished | Compacted, *, is_own: bool) -> None:
        """Add up what was spent; only a step of its own tells what fills the window, not a subagent's."""
        if isinstance(step, Compacted):
            if is_own:
                self.context_tokens = step.after_tokens
            self.cost = None if self.cost is None or step.cost is None else self.cost + step.cost
            return
        if step.finish_reason in _CUT:
            return
        usage = step.usage
        is_known = usage.input_tokens is not None and usage.output_tokens is not None
        if is_own:
            self.context_tokens = (usage.input_tokens or 0) + (usage.output_tokens or 0) if is_known else None
        self.cost = None if self.cost is None or step.cost is None else self.cost + step.cost


def _details(records: Sequence[Record]) -> list[Json]:
    """What its own calls left, in order. Of commands in the background nothing that the model was told the end of."""
    details: list[Json] = []
    for record in records:
        if isinstance(record.event, TurnStarted) and ALL_ENDED in record.event.message.text:
            details = [{name: value for name, value in each.items() if name != "background"} for each in details]
        elif isinstance(record.event, ToolFinished) and record.parent is None:
            details.append(record.event.detail)
    return details
