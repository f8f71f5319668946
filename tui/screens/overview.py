"""What the status line tells of the conversation at hand."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.core.events import Compacted, Record, StepFinished, StepStarted, TurnFailed, TurnFinished
from tui.widgets.status import Status, StatusLine

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen

_USUAL_SANDBOX = "bubblewrap"
"""The one that needs no name."""
_SANDBOX = {None: "sandbox", "on": "sandbox", "off": "sandbox off", "missing": "no sandbox"}


class Overview:
    """Keeps what changes with a step or with the backend, and shows it with what changes all the time."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self._known = Status()

    def learn(self) -> None:
        """The backend was changed, or a turn has ended: find out anew."""
        if (conversation := self._screen.talk.conversation) is None:
            return
        spec = conversation.spec()
        self._known = Status(
            backend=spec.name if spec else "",
            model=(spec.model or "") if spec else "",
            context_window=spec.context_window if spec else None,
            context_tokens=conversation.context_tokens,
            cost=conversation.cost,
        )
        self.show()

    def take(self, record: Record) -> None:
        """Something happened in the running turn. What a step says itself is not looked up: steps may be fast."""
        event, conversation = record.event, self._screen.talk.conversation
        if isinstance(event, TurnFinished | TurnFailed):  # another backend may have answered it than answers the next
            self.learn()
            return
        if isinstance(event, StepStarted) and record.parent is None:
            name, model = event.origin.backend, event.origin.model
            self._known = replace(self._known, backend=name, model=model, context_window=event.window)
        elif isinstance(event, StepFinished | Compacted) and conversation is not None:
            self._known = replace(self._known, context_tokens=conversation.context_tokens, cost=conversation.cost)
        self.show()

    def show(self) -> None:
        talk = self._screen.talk
        permissions = talk.conversation.permissions if talk.conversation is not None else None
        sandbox, found = (permissions.sandbox, permissions.usable_sandbox) if permissions is not None else (None, None)
        name = found.name if found is not None and found.name != _USUAL_SANDBOX else ""
        self._screen.query_one("#status", StatusLine).status = replace(
            self._known,
            mode=talk.mode,
            next_mode=talk.next_mode if talk.next_mode != talk.mode else None,
            policy=permissions.policy if permissions is not None and talk.mode == "agent" else "",
            sandbox=(name or _SANDBOX[sandbox]) if talk.mode == "agent" else "",
            is_sandboxed=sandbox in ("on", None) and not name,
            queued=len(talk.waiting),
            background=self._background(),
            working=self._working(),
            hint=self._hint(),
        )

    def _background(self) -> int:
        conversation = self._screen.talk.conversation
        return sum(job.is_running for job in conversation.desk.background) if conversation is not None else 0

    @property
    def is_old(self) -> bool:
        """A command in the background has begun or ended since."""
        return self._screen.query_one("#status", StatusLine).status.background != self._background()

    def _hint(self) -> str:
        """The one key that helps most now."""
        talk = self._screen.talk
        if self._screen.questions.is_unattended:
            return "enter answers" if self._screen.questions.is_answered_in_prompt else "ctrl+y answers"
        if self._screen.side.takes_keys:
            return "esc closes"
        if talk.is_working:
            return "esc stops"
        return "enter goes on" if talk.can_go_on and not self._screen.prompt.text else "/ commands"

    def _working(self) -> str:
        talk = self._screen.talk
        if not talk.is_working:
            return ""
        left_s = talk.countdown.left_s(time.time()) if talk.countdown else 0
        return f"retrying in {left_s} s" if left_s else f"working {talk.worked_s:.0f}s"
