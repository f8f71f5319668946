"""The events of a turn, in the order in which things happen. All that shows, stores or counts is a reader of them.

Each is a frozen dataclass with a stable `type`; that name is also the `--json` line's and the database row's.
They hold the delta, not the whole, and only values that JSON can carry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from tui.core.errors import ErrorInfo
from tui.core.messages import Image, Json, Message, Origin, ToolCall
from tui.core.usage import Timings, Usage

Decision = Literal["once", "always", "no"]
Reason = Literal["done", "interrupted", "limit"]


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The user said something and the model is going to be asked."""

    type: ClassVar[str] = "turn_started"
    message: Message
    mode: str
    policy: str


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A request goes out. `request` is its body as a change of the session's last one (see `core.requests`)."""

    type: ClassVar[str] = "step_started"
    origin: Origin
    url: str
    request: Json
    headers: Json = field(default_factory=dict)
    """Those of ours; `•••` stands for a value that may be secret."""
    window: int | None = None
    """The model's, in tokens; None where it is not known."""


@dataclass(frozen=True, slots=True)
class ReplyReceived:
    """What the server sent in a step, as it came: for the wire view, not for `--json`."""

    type: ClassVar[str] = "reply_received"
    status: int
    headers: Json
    body: str
    """The beginning and the end of it when it is long; keys in it are masked."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer. Readers accept any cutting of it."""

    type: ClassVar[str] = "text_delta"
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of what the model thinks."""

    type: ClassVar[str] = "reasoning_delta"
    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a tool call that is being written: `name` once it is known, `arguments` as raw text."""

    type: ClassVar[str] = "tool_call_delta"
    index: int
    name: str
    arguments: str


CUT = ("length", "window_full")
"""Finish reasons of a reply that the model could not write to its end."""


@dataclass(frozen=True, slots=True)
class StepFinished:
    """The reply is complete, or was cut (`finish_reason` `interrupted` or `error`): then `message` is what came."""

    type: ClassVar[str] = "step_finished"
    message: Message
    usage: Usage
    finish_reason: str
    timings: Timings
    cost: float | None = None
    """USD; None when the price is not known."""


@dataclass(frozen=True, slots=True)
class ApprovalAsked:
    """A tool call waits for the user's word."""

    type: ClassVar[str] = "approval_asked"
    id: str
    call: ToolCall
    reason: str
    """Why it is asked: one line."""
    preview: str
    """What would happen: the exact command, or a unified diff."""
    rule: Json | None
    """The rule that answering `always` would add; None when the call is always asked."""


@dataclass(frozen=True, slots=True)
class ApprovalGiven:
    """The answer to a question. `reason` is the user's words to the model when it is no."""

    type: ClassVar[str] = "approval_given"
    id: str
    decision: Decision
    reason: str = ""


@dataclass(frozen=True, slots=True)
class QuestionAsked:
    """The model asks the user something, by a tool call; it waits for the answer."""

    type: ClassVar[str] = "question_asked"
    id: str
    call_id: str
    question: str
    choices: tuple[str, ...]
    """Answers to choose from, if there are any; the user may say something else."""


@dataclass(frozen=True, slots=True)
class QuestionAnswered:
    """The user's words, or that there are none: then `reason` says why, for the model."""

    type: ClassVar[str] = "question_answered"
    id: str
    answer: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ToolStarted:
    type: ClassVar[str] = "tool_started"
    call: ToolCall


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """Output of a tool that still runs."""

    type: ClassVar[str] = "tool_output"
    call_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool ended. `result` is what the model gets; `detail` is for people (`diff`, `exit_code`, `sandbox`)."""

    type: ClassVar[str] = "tool_finished"
    call_id: str
    is_error: bool
    result: str
    total_s: float
    detail: Json
    images: tuple[Image, ...] = ()
    """What the tool shows the model beside its words."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """The request failed and will be sent again after `wait_s` seconds."""

    type: ClassVar[str] = "retrying"
    wait_s: float
    attempt: int
    error: ErrorInfo
    limit: int | None = None
    """The last attempt that there can be; None: it is tried until it goes, or a time is over."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """Something that the model wrote was mended before it was used."""

    type: ClassVar[str] = "repaired"
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class MessageAdded:
    """Something is said to the model in the middle of a turn: by the user who steers, or by the program."""

    type: ClassVar[str] = "message_added"
    message: Message


@dataclass(frozen=True, slots=True)
class Compacted:
    """The conversation is made shorter for the model, which goes on with it; the session keeps all of it.

    What it comes to is `core.compaction.compact`: the same for the turn that runs and for one that goes on later.
    """

    type: ClassVar[str] = "compacted"
    folded: tuple[str, ...]
    """Ids of the calls whose results are folded to their beginnings."""
    summary: str
    """What stands in place of all but the last `kept` messages; empty when results were folded only."""
    kept: int
    before_tokens: int
    """An estimate, like `after_tokens`."""
    after_tokens: int
    usage: Usage = field(default_factory=Usage)
    """Of the request for the summary."""
    cost: float | None = None
    """USD; None when it is not known, 0 when no model was asked."""
    total_s: float = 0.0
    anew: float | None = None
    """USD that the next request costs more, for the server's cache does not know its beginning; None: not known."""

    @property
    def is_shorter(self) -> bool:
        """Whether it helped: a summary of a short conversation may be longer than that."""
        return self.after_tokens < self.before_tokens


@dataclass(frozen=True, slots=True)
class RuleLearned:
    """The server refused a request in a way that told how it wants it; it is sent so from now on."""

    type: ClassVar[str] = "rule_learned"
    rule: str
    """A field of the backend's rules, or `context_window`."""
    value: str
    """As it would be written in TOML."""
    because: str
    """The server's words, or what they come to."""
    request: Json = field(default_factory=dict)
    """What is sent in place of the refused request, as a change of that."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the user should know and that no other event says."""

    type: ClassVar[str] = "notice"
    message: str


@dataclass(frozen=True, slots=True)
class TurnFinished:
    type: ClassVar[str] = "turn_finished"
    reason: Reason
    detail: str = ""
    """Which limit it was."""


@dataclass(frozen=True, slots=True)
class TurnFailed:
    type: ClassVar[str] = "turn_failed"
    error: ErrorInfo


Delta = TextDelta | ReasoningDelta | ToolCallDelta
Event = (
    TurnStarted
    | StepStarted
    | Delta
    | ReplyReceived
    | StepFinished
    | ApprovalAsked
    | ApprovalGiven
    | QuestionAsked
    | QuestionAnswered
    | ToolStarted
    | ToolOutput
    | ToolFinished
    | Retrying
    | Repaired
    | MessageAdded
    | Compacted
    | RuleLearned
    | Notice
    | TurnFinished
    | TurnFailed
)


@dataclass(frozen=True, slots=True)
class Nested:
    """An event of a subagent, on its way from the tool call that it works for into a `Record`."""

    event: Event
    step: int | None
    """The subagent's own, from 1."""
    call_id: str = ""


Happened = Event | Nested
"""What comes out of a turn before it is recorded."""


@dataclass(frozen=True, slots=True)
class Record:
    """An event with its place in a session: what readers are given, rows hold and `--json` prints.

    `step` counts from 1 within the turn, a subagent's within its call, and is None outside of a step; `time` is in
    seconds since the epoch; `parent` is the id of the tool call that a subagent's event belongs to.
    """

    session: str
    turn: int
    step: int | None
    time: float
    event: Event
    parent: str | None = None
