"""A question about a tool call, above the prompt: what would happen exactly, and the keys that answer."""

from __future__ import annotations

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
from tui.core.text import clean_line
from tui.widgets.approval_field import CallField
from tui.widgets.approval_preview import ApprovalPreview
from tui.widgets.approval_rule import RuleDraft, RuleField
from tui.widgets.approval_words import editable, edited, rule_text, without_folder

_ARM_DELAY_S = 0.3
"""A key that was struck sooner than this after the question appeared was meant for something else."""
_Stage = Literal["ask", "confirm", "rule", "edit", "reason"]
_ANSWERS = frozenset("ynaer")
_GAP = "   "
_WAY_HERE = "ctrl+y, then "
_NARROWEST_RULE = 16


class ApprovalBar(Widget, can_focus=True):
    """Shows one question. It never takes the focus by itself; with it, single keys answer.

    Keys that are struck before it is armed are left to others, so that what one was typing goes on into the prompt.
    That keys answer only when they come alone is seen to by who gives them to it (`screens.lone_keys`).
    """

    BINDINGS: ClassVar = [
        Binding("escape", "back", show=False),
        Binding("ctrl+s", "accept", show=False),
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
        """The user's word: with `arguments` when they edited the call, with `rules` when they hold from now on."""

        def __init__(
            self,
            id: str,
            decision: Decision,
            reason: str = "",
            arguments: Json | None = None,
            rules: tuple[Json, ...] = (),
        ) -> None:
            super().__init__()
            self.id = id
            self.decision = decision
            self.reason = reason
            self.arguments = arguments
            self.rules = rules

    def __init__(
        self,
        question: ApprovalAsked,
        draft: RuleDraft | None = None,
        *,
        arm_delay_s: float = _ARM_DELAY_S,
        id: str | None = None,
    ) -> None:
        """`draft`: what the user may change of the question's rule; None: nothing."""
        super().__init__(id=id)
        self.question = question
        self._draft = draft
        self._is_everywhere = False
        self._arm_delay_s = arm_delay_s
        self._armed_at = float("inf")
        self._stage: _Stage = "ask"
        self._is_armed = False
        self._is_answered = False

    def compose(self) -> ComposeResult:
        yield Static(markup=False, classes="approval--title")
        yield ApprovalPreview(self.question.preview)
        yield Static(markup=False, classes="approval--problem")
        yield Static(markup=False, classes="approval--keys")

    def on_mount(self, event: events.Mount) -> None:
        self._show_title()
        self._armed_at = event.time + self._arm_delay_s
        if self._arm_delay_s > 0:
            self.set_timer(self._arm_delay_s, self._arm)
        else:
            self._arm()

    def on_approval_preview_changed(self, event: ApprovalPreview.Changed) -> None:
        event.stop()
        self._show_title(event.hidden)

    def _show_title(self, hidden: int = 0) -> None:
        """What is asked, and how many rows of it are below what is seen."""
        tool = Content.styled(clean_line(self.question.call.name), self.get_visual_style("approval--tool"))
        more = f" · {hidden} line{'s' * (hidden != 1)} ↓" if hidden else ""
        self.query_one(".approval--title", Static).update(tool + f"  {clean_line(self.question.reason)}{more}")

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

    def begin(self, event: events.Key) -> bool:
        """No key begins a text here: each that does anything answers."""
        return False

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
                self._show_rule()
            case "e":
                self._edit()
            case "r":
                self._open(Input(placeholder="why not? The model is told.", classes="approval--field"), "reason")
            case _:
                return False
        return True

    def _confirm_key(self, key: str) -> bool:
        if key in ("a", "enter"):
            self._add_rules()
        elif key == "tab":
            self._toggle_place()
        else:
            self._go("ask")
        return True

    def _toggle_place(self) -> None:
        """Between the folder at hand and everywhere."""
        if self.question.rule is not None and "folder" in self.question.rule:
            self._is_everywhere = not self._is_everywhere
            self._show_keys()

    def on_rule_field_toggled(self, event: RuleField.Toggled) -> None:
        event.stop()
        self._toggle_place()

    def on_rule_field_accepted(self, event: RuleField.Accepted) -> None:
        event.stop()
        self._add_rules()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self._stage == "rule":
            self._rules()

    def _rules(self) -> tuple[Json, ...]:
        """The rules as they are now; none, and what is wrong is said, when they would not do."""
        rules: tuple[Json, ...] = (self.question.rule,) if self.question.rule is not None else ()
        if self._stage == "rule" and self._draft is not None:
            try:
                rules = self._draft.read(self.query_one(RuleField).text)
            except ValueError as error:
                self._say(f"Not yet a rule: {error}")
                return ()
        self._say("")
        return tuple(without_folder(rule) if self._is_everywhere else rule for rule in rules)

    def _add_rules(self) -> None:
        if rules := self._rules():
            self._answer("always", rules=rules)

    def _answer(
        self, decision: Decision, reason: str = "", arguments: Json | None = None, rules: tuple[Json, ...] = ()
    ) -> None:
        if not self._is_answered:
            self._is_answered = True
            self.post_message(self.Answered(self.question.id, decision, reason, arguments, rules))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._answer("no", event.value.strip())

    def action_accept(self) -> None:
        """Allow the call as it was edited."""
        try:
            arguments = edited(self.question.call, self.query_one(CallField).text)
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
        self.query_one(ApprovalPreview).scroll(how)

    # Stages

    def _edit(self) -> None:
        self._open(CallField(editable(self.question.call)), "edit")

    def _show_rule(self) -> None:
        self._is_everywhere = False
        if self._draft is None:
            self._go("confirm")
        else:
            self._open(RuleField(self._draft.text), "rule")

    def _open(self, field: Input | TextArea, stage: _Stage) -> None:
        self.mount(field, before=".approval--problem")
        field.focus()
        self._go(stage)

    def _go(self, stage: _Stage) -> None:
        self._stage = stage
        if stage in ("ask", "confirm"):
            self.query(".approval--field").remove()
            self.focus()
        self.query_one(ApprovalPreview).display = stage != "edit"
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
        if self.question.rule is not None and self._stage in ("confirm", "rule"):
            text = Content(self._rule_words(self.question.rule)) + text
        self.query_one(".approval--keys", Static).update(text)

    def _rule_words(self, rule: Json) -> str:
        """The rule; where it is changed in a field, what is not there, and what can be done there."""
        shown = without_folder(rule) if self._is_everywhere else rule
        if self._stage == "confirm":
            return f"From now on, unasked: {rule_text(shown)}{' everywhere' * self._is_everywhere}\n"
        shown = {name: value for name, value in shown.items() if name != "command"}
        where = " everywhere" if self._is_everywhere else ""
        return f"From now on, unasked: {rule_text(shown)}{where}, these words. * at the end: any that follow.\n"

    @property
    def _is_plan(self) -> bool:
        return self.question.call.name == "present_plan"

    @property
    def _has_keys(self) -> bool:
        """Whether what is typed comes here."""
        focused = self.screen.focused
        return focused is not None and self in focused.ancestors_with_self

    def _keys(self) -> list[tuple[str, str]]:
        match self._stage:
            case "confirm":
                return [("a, enter", "add this rule"), *self._place_key(), ("esc", "back")]
            case "rule":
                return [("enter", "add"), *self._place_key(), ("esc", "back")]
            case "edit":
                accept = "accept it so" if self._is_plan else "run it so"
                return [("ctrl+s", accept), ("enter, ctrl+j", "new line"), ("esc", "back")]
            case "reason":
                return [("enter", "refuse"), ("esc", "back")]
        keys = [("y", "accept" if self._is_plan else "once"), ("n", "no"), ("e", "edit"), ("r", "refuse with a reason")]
        if self.question.rule is not None:
            keys.insert(1, ("a", self._always(self.question.rule, keys)))
        return keys

    def _place_key(self) -> list[tuple[str, str]]:
        if self.question.rule is None or "folder" not in self.question.rule:
            return []
        return [("tab", "only in this folder" if self._is_everywhere else "everywhere")]

    def _always(self, rule: Json, others: list[tuple[str, str]]) -> str:
        """The rule, as far as it has room on the line; whole it stands there before it is added."""
        if self._draft is not None:
            return "always…"  # it is shown where it can be changed
        used = sum(len(key) + 1 + len(what) + len(_GAP) for key, what in others) + len("a always: ")
        used += 0 if self._has_keys else len(_WAY_HERE)
        room = self.content_size.width - used
        return f"always: {clean_line(rule_text(rule), room)}" if room >= _NARROWEST_RULE else "always…"
