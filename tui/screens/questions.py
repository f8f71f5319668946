"""What waits for the user's word, above the prompt: approvals, and a key that is missing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual.widget import Widget

from tui.core.errors import ErrorInfo, MimoError
from tui.core.events import ApprovalAsked, QuestionAsked
from tui.screens import backstage

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen
    from tui.widgets.approval import ApprovalBar
    from tui.widgets.approval_rule import RuleDraft
    from tui.widgets.question import QuestionBar

_KEY_ERRORS = ("credential", "auth")


class Questions:
    """At most one question is shown at a time. It takes the focus only from an empty prompt."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._bar: Widget | None = None
        self.open: ApprovalBar | QuestionBar | None = None
        """The question that single keys answer, while one is asked."""
        self._takes_prompt = False
        """What is written in the prompt is the answer: it was begun when the question could be read."""

    @property
    def is_unattended(self) -> bool:
        """Something is asked, and the keys go elsewhere."""
        return self._bar is not None and not self._bar.has_focus_within

    def ask(self, question: ApprovalAsked) -> None:
        from tui.widgets.approval import ApprovalBar

        bar = ApprovalBar(question, self._draft(question))
        self._show(bar, takes_focus=not self._screen.prompt.text)
        self.open = bar

    def put(self, question: QuestionAsked) -> None:
        """Show a question of the model's."""
        from tui.widgets.question import QuestionBar

        bar = QuestionBar(question)
        self._show(bar, takes_focus=not self._screen.prompt.text)
        self.open = bar
        self._takes_prompt = not self._screen.prompt.text

    @property
    def is_answered_in_prompt(self) -> bool:
        """The words in the prompt are an answer to the model, not its next message."""
        return self._takes_prompt and bool(self._screen.prompt.text) and not self._screen.attaching.images

    def prompt_changed(self, time: float) -> None:
        """Something was written into the prompt, or the last of it was deleted."""
        from tui.widgets.question import QuestionBar

        if not isinstance(bar := self.open, QuestionBar) or not self._takes_prompt:
            return
        if not self._screen.prompt.text:
            bar.focus()
        elif not bar.is_armed(time):
            self._takes_prompt = False  # a message, begun before the question could be read
        bar.note_in_prompt(self.is_answered_in_prompt)
        self._screen.overview.show()

    def reply_in_words(self, text: str) -> bool:
        """Answer the model with what was sent from the prompt. False when that is a message."""
        if self.open is None or not self._takes_prompt:
            return False
        self._reply(self.open.question.id, text.strip())
        return True

    def step_back(self) -> bool:
        """From the words in the prompt back to the choices; from an empty prompt, no answer. False: neither."""
        if self.open is None or not self._takes_prompt or not self._screen.prompt.has_focus:
            return False
        if self._screen.prompt.text:
            self._screen.prompt.clear_into_past()
        else:
            self._reply(self.open.question.id, None)
        return True

    def reply(self, given: QuestionBar.Answered) -> None:
        self._reply(given.id, given.answer)

    def _reply(self, id: str, answer: str | None) -> None:
        self.drop()
        self._screen.talk.answer(id, answer)

    def _draft(self, question: ApprovalAsked) -> RuleDraft | None:
        """What the user may change of the rule that `always` would add."""
        from tui.agent.rule_drafts import draft_of

        conversation = self._screen.talk.conversation
        if question.rule is None or conversation is None:
            return None
        return draft_of(question.rule, conversation.permissions.approvals)

    def answer(self, given: ApprovalBar.Answered) -> None:
        from tui.agent.calls import Answer

        self.drop()
        answer = Answer(given.decision, given.reason, given.arguments, given.rules)
        self._screen.talk.answer(given.id, answer)

    def offer_key(self, error: ErrorInfo, sent: str) -> None:
        """Ask for the key of the backend, if it was a key that was missing or wrong and the keyring would be asked.

        It takes the focus where the prompt holds nothing but the message that was `sent`, which is sent again then.
        """
        conversation = self._screen.talk.conversation
        spec = conversation.spec() if conversation is not None else None
        if error.kind in _KEY_ERRORS and spec is not None and spec.credential in (None, "keyring"):
            from tui.widgets.key_input import KeyInput

            self._show(KeyInput(spec.name, spec.name, spec.key_page), takes_focus=self._screen.prompt.text == sent)

    async def keep_key(self, key: str) -> None:
        """Save the key that was given; the message that failed is in the prompt, ready to be sent again."""
        conversation = self._screen.talk.conversation
        spec = conversation.spec() if conversation is not None else None
        if spec is None:
            return
        try:
            await asyncio.to_thread(backstage.keep_key, spec.name, spec.base_url, key)
        except MimoError as error:
            self._screen.say(error)
            return
        self.drop()
        self._screen.note.say(f"The key for {spec.name} is in the keyring.", "Enter sends the message again.")

    def focus(self) -> None:
        if self._bar is not None:
            self._bar.focus()
            is_of_model = self.open is not None and isinstance(self.open.question, QuestionAsked)
            self._takes_prompt = self._takes_prompt or (is_of_model and not self._screen.prompt.text)

    def drop(self) -> None:
        """Take away what is asked."""
        self._takes_prompt = False
        if self._bar is not None:
            had_focus = self._bar.has_focus_within
            self._bar.remove()
            self._bar = self.open = None
            if had_focus:
                self._screen.prompt.focus()

    def _show(self, bar: Widget, takes_focus: bool) -> None:
        self.drop()
        self._bar = bar
        self._screen.mount(bar, before="#prompt")
        if takes_focus:
            self._screen.call_after_refresh(self._focus_unless_written, bar, self._screen.prompt.text)

    def _focus_unless_written(self, bar: Widget, text: str) -> None:
        """Somebody may have begun to write while the bar was being drawn."""
        if bar is self._bar and self._screen.prompt.text == text:
            bar.focus()
