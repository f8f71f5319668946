"""A question about a tool call, above the prompt: what would happen exactly, and the keys that answer."""

from __future__ import annotations

import json
from typing import ClassVar, Literal

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from tui.core.events import ApprovalAsked, Decision
from tui.core.messages import Json
from tui.core.text import clean_line, reveal
from tui.widgets.line_view import Line, LineView, diff_lines, lines_of

_ARM_DELAY_S = 0.3
"""A key that was struck sooner than this after the question appeared was meant for something else."""
_Stage = Literal["ask", "confirm", "edit", "reason"]
_ANSWERS = frozenset("ynaer")
_GAP = "   "
_WAY_HERE = "ctrl+y, then "
_FEW_LINES = 5
"""What can be seen of a preview at once even on the smallest terminal."""
_NARROWEST_RULE = 16


class ApprovalBar(Widget, can_focus=True):
    """Shows one question. It never takes the focus by itself; with it, single keys answer.

    Keys that are struck before it is armed are left to others, so that what one was typing goes on into the prompt.
    That keys answer only when they come alone is seen to by who gives them to it (`screens.lone_keys`).
    """

    BINDINGS: ClassVar = [
        Binding("escape", "back", show=False),
        Binding("ctrl+s,ctrl+j", "accept", show=False),
        Binding("up", "scroll_preview('up')", show=False),
        Binding("down", "scroll_preview('down')", show=False),
        Binding("pageup", "scroll_preview('page_up')", show=False),
        Binding("pagedown", "scroll_preview('page_down')", show=False),
    ]
    COMPONENT_CLASSES: ClassVar = {"approval--key", "approval--tool"}
    DEFAULT_CSS = """
    ApprovalBar {
        layout: vertical;
        height: auto;
        padding: 0 1;
        background: $panel;
        border-left: outer $border;
        &:focus, &:focus-within { border-left: outer $warning; }
        & Static { height: auto; }
        & LineView { height: auto; max-height: 33vh; margin: 0 0 0 2; background: $panel; color: $foreground; }
        & .approval--field, & .approval--field:focus {
            height: auto;
            max-height: 33vh;
            margin: 0 0 0 1;
            padding: 0 1;
            border: none;
            background: $surface;
            scrollbar-size-vertical: 1;
        }
        & Input.approval--field { height: 1; }
        & .approval--problem { color: $error; display: none; }
        & .approval--keys { min-height: 1; color: $text-muted; }
        & .approval--key { color: $warning; text-style: bold; }
        & .approval--tool { color: $warning; text-style: bold; }
        &:focus .approval--keys { color: $foreground; }
    }
    """

    class Answered(Message):
        """The user's word: with `arguments` when they edited the call, with `rule` when it holds from now on."""

        def __init__(
            self,
            id: str,
            decision: Decision,
            reason: str = "",
            arguments: Json | None = None,
            rule: Json | None = None,
        ) -> None:
            super().__init__()
            self.id = id
            self.decision = decision
            self.reason = reason
            self.arguments = arguments
            self.rule = rule

    def __init__(self, question: ApprovalAsked, *, arm_delay_s: float = _ARM_DELAY_S, id: str | None = None) -> None:
        super().__init__(id=id)
        self.question = question
        self._arm_delay_s = arm_delay_s
        self._armed_at = float("inf")
        self._stage: _Stage = "ask"
        self._is_armed = False
        self._is_answered = False

    def compose(self) -> ComposeResult:
        yield Static(markup=False, classes="approval--title")
        preview = LineView(_preview_lines(self.question.preview))
        preview.can_focus = False
        yield preview
        yield Static(markup=False, classes="approval--problem")
        yield Static(markup=False, classes="approval--keys")

    def on_mount(self, event: events.Mount) -> None:
        tool = Content.styled(clean_line(self.question.call.name), self.get_visual_style("approval--tool"))
        lines = len(_preview_lines(self.question.preview))
        long = f" · {lines} lines ↓" if lines > _FEW_LINES else ""
        self.query_one(".approval--title", Static).update(tool + f"  {clean_line(self.question.reason)}{long}")
        self._armed_at = event.time + self._arm_delay_s
        if self._arm_delay_s > 0:
            self.set_timer(self._arm_delay_s, self._arm)
        else:
            self._arm()

    def _arm(self) -> None:
        """Keys answer from now on, and so they are shown."""
        self._is_armed = True
        self._show_keys()

    def on_resize(self) -> None:
        if self._is_armed:
            self._show_keys()

    def on_focus(self) -> None:
        self.on_resize()

    def on_blur(self) -> None:
        self.on_resize()

    # Answering

    def takes(self, event: events.Key) -> bool:
        """Whether the key would do something here, were it to come with the focus."""
        if event.time < self._armed_at or self._is_answered:
            return False
        return self._stage == "confirm" or (self._stage == "ask" and event.key in _ANSWERS)

    def on_key(self, event: events.Key) -> None:
        if not self.has_focus or event.time < self._armed_at or self._is_answered:
            return
        act = {"ask": self._answer_key, "confirm": self._confirm_key}.get(self._stage)
        if act is not None and act(event.key):
            event.stop()
            event.prevent_default()

    def _answer_key(self, key: str) -> bool:
        match key:
            case "y":
                self._answer("once")
            case "n":
                self._answer("no")
            case "a" if self.question.rule is not None:
                self._go("confirm")
            case "e":
                self._edit()
            case "r":
                self._open(Input(placeholder="why not? The model is told.", classes="approval--field"), "reason")
            case _:
                return False
        return True

    def _confirm_key(self, key: str) -> bool:
        if key in ("a", "enter"):
            self._answer("always", rule=self.question.rule)
        else:
            self._go("ask")
        return True

    def _answer(
        self, decision: Decision, reason: str = "", arguments: Json | None = None, rule: Json | None = None
    ) -> None:
        if not self._is_answered:
            self._is_answered = True
            self.post_message(self.Answered(self.question.id, decision, reason, arguments, rule))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._answer("no", event.value.strip())

    def action_accept(self) -> None:
        """Allow the call as it was edited."""
        text = self.query_one(TextArea).text
        try:
            arguments = _edited(self.question.call.arguments, text)
        except ValueError as error:
            self._say(f"This cannot be used: {error}")
            return
        self._answer("once", arguments=arguments)

    def action_back(self) -> None:
        """Back to the question, without an answer."""
        self._go("ask")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What means nothing at this stage is left to the bindings of others."""
        if action == "back":
            return self._stage != "ask"
        if action == "accept":
            return self._stage == "edit"
        return True

    def action_scroll_preview(self, how: str) -> None:
        getattr(self.query_one(LineView), f"scroll_{how}")(animate=False)

    # Stages

    def _edit(self) -> None:
        area = TextArea(_editable(self.question.call.arguments), classes="approval--field", soft_wrap=True)
        area.cursor_blink = False
        area.move_cursor(area.document.end)
        self._open(area, "edit")

    def _open(self, field: Input | TextArea, stage: _Stage) -> None:
        self.mount(field, before=".approval--problem")
        field.focus()
        self._go(stage)

    def _go(self, stage: _Stage) -> None:
        self._stage = stage
        if stage in ("ask", "confirm"):
            self.query(".approval--field").remove()
            self.focus()
        self.query_one(LineView).display = stage != "edit"
        self._say("")
        self._show_keys()

    def _say(self, problem: str) -> None:
        line = self.query_one(".approval--problem", Static)
        line.update(clean_line(problem))
        line.display = bool(problem)

    def _show_keys(self) -> None:
        style = self.get_visual_style("approval--key")
        pairs = [Content.styled(key, style) + f" {what}" for key, what in self._keys()]
        text = Content(_GAP).join(pairs)
        if not self._has_keys:
            text = Content.styled(_WAY_HERE, style) + text
        if self._stage == "confirm" and self.question.rule is not None:
            text = Content(f"From now on, unasked: {rule_text(self.question.rule)}\n") + text
        self.query_one(".approval--keys", Static).update(text)

    @property
    def _has_keys(self) -> bool:
        """Whether what is typed comes here."""
        focused = self.screen.focused
        return focused is not None and self in focused.ancestors_with_self

    def _keys(self) -> list[tuple[str, str]]:
        match self._stage:
            case "confirm":
                return [("a, enter", "add this rule"), ("esc", "back")]
            case "edit":
                return [("ctrl+s", "run it so"), ("esc", "back")]
            case "reason":
                return [("enter", "refuse"), ("esc", "back")]
        keys = [("y", "once"), ("n", "no"), ("e", "edit"), ("r", "refuse with a reason")]
        if self.question.rule is not None:
            keys.insert(1, ("a", self._always(self.question.rule, keys)))
        return keys

    def _always(self, rule: Json, others: list[tuple[str, str]]) -> str:
        """The rule, as far as it has room on the line; whole it stands there before it is added."""
        used = sum(len(key) + 1 + len(what) + len(_GAP) for key, what in others) + len("a always: ")
        used += 0 if self._has_keys else len(_WAY_HERE)
        room = self.content_size.width - used
        return f"always: {clean_line(rule_text(rule), room)}" if room >= _NARROWEST_RULE else "always…"


def rule_text(rule: Json) -> str:
    """All that a rule says, in words."""
    rest = dict(rule)
    tool, folder = rest.pop("tool", ""), rest.pop("folder", None)
    command, words = rest.pop("command", None), rest.pop("words", None)
    parts = [str(tool)]
    if command is not None:
        parts.append(f"`{command}`")
    if words is not None:
        parts.append(" ".join(str(word) for word in words))
    parts += [f"{name}={value}" for name, value in rest.items()]
    if folder is not None:
        parts.append(f"in {folder}")
    return reveal(" ".join(parts))


def _preview_lines(preview: str) -> list[Line]:
    is_diff = preview.startswith("--- ") and "\n+++ " in preview
    preview = reveal(preview)
    return diff_lines(preview) if is_diff else lines_of(preview.rstrip("\n"))


def _editable(arguments: Json) -> str:
    """What the user edits: the command alone, where there is one, else all arguments as JSON. Cleaned."""
    command = arguments.get("command")
    return reveal(command if isinstance(command, str) else json.dumps(arguments, indent=2, ensure_ascii=False))


def _edited(arguments: Json, text: str) -> Json:
    """The arguments as the user wants them: as they see them, unless they changed nothing. Raises ValueError."""
    if text == _editable(arguments):
        return arguments
    if isinstance(arguments.get("command"), str):
        if not text.strip():
            raise ValueError("the command is empty")
        return {**arguments, "command": text}
    edited = json.loads(text)
    if not isinstance(edited, dict):
        raise ValueError("it must be one JSON object")
    return edited
