"""From the prompt to the model: what is sent, what waits for its turn, what comes back when a turn is cut short."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.commands.registry import run as run_command
from tui.core.errors import MimoError, UsageError
from tui.core.events import Record, TurnFailed, TurnFinished
from tui.screens import backstage
from tui.screens.talk import GO_ON, Outgoing
from tui.widgets.queued import QueuedMessages
from tui.widgets.transcript.feed import PASSING

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen


class Sending:
    """Sends one message at a time. `screen.talk` holds what waits; who writes meanwhile queues."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen

    def submit(self, text: str) -> None:
        """Do what a slash command says, answer the model, or send the words and the images that are attached."""
        screen = self._screen
        screen.note.clear_text()
        if screen.serving.takes(text):
            return
        try:
            is_command = run_command(text, screen.front)
            message = Outgoing(text, () if is_command else screen.attaching.images)
            self._refuse_unseen(message)
        except MimoError as error:
            screen.say(error)
            return
        if screen.prompt.clear_into_past():
            screen.run_worker(asyncio.to_thread(backstage.remember_prompt, text), exit_on_error=False)
        if is_command or (not message.images and screen.questions.reply_in_words(text)):
            return
        screen.attaching.clear()
        screen.talk.waiting.append(message)
        self.next()

    def send(self, text: str) -> None:
        """Send words that were not typed, with the images that are attached; they wait for their turn."""
        images = self._screen.attaching.images
        self._screen.attaching.clear()
        self._screen.talk.waiting.append(Outgoing(text, images))
        self.next()

    def enter_nothing(self) -> None:
        """Enter in an empty prompt: the images alone, or the answer that broke off goes on."""
        if self._screen.attaching.images:
            self.submit("")
        elif self._screen.talk.can_go_on:
            self.go_on()

    def go_on(self) -> None:
        """Have an answer that was cut go on. Raises UsageError when there is none."""
        talk = self._screen.talk
        if not talk.can_go_on:
            raise UsageError("there is nothing to go on with", "It is for an answer that was stopped or cut.")
        self._screen.note.clear_text()
        talk.waiting.append(Outgoing(GO_ON))
        self.next()

    def next(self) -> None:
        """Send what waits longest, if nothing is being answered."""
        screen, talk = self._screen, self._screen.talk
        if talk.is_ready and talk.waiting:
            turn = self._turn(talk.waiting.pop(0))
            screen.run_worker(turn, group="turn", exclusive=True, exit_on_error=False)
        screen.query_one("#queued", QueuedMessages).show([message.shown for message in talk.waiting])
        screen.overview.show()

    def take_back(self) -> str | None:
        """The message that was queued last, into the prompt; its images are attached again."""
        waiting = self._screen.talk.waiting
        message = waiting.pop() if waiting else None
        self.next()
        if message is None:
            return None
        self._screen.attaching.put_back(message.images)
        return message.text

    async def _turn(self, message: Outgoing) -> None:
        """Send it and show what comes of it."""
        screen = self._screen
        screen.add_class("-begun")
        last: Record | None = None
        try:
            self._refuse_unseen(message)
            last = await screen.talk.turn(message, screen.show)
        except MimoError as error:
            screen.say(error)
        except Exception as error:  # the worker's door: a mistake of ours ends the turn, not the program
            from tui.settings.log import log_crash

            screen.say(MimoError(f"something went wrong that should not: {log_crash(error)}"))
        self._ended(message, last)

    def _ended(self, message: Outgoing, last: Record | None) -> None:
        """Send what waits; after a turn that was stopped or failed, give it back instead."""
        screen, talk = self._screen, self._screen.talk
        screen.questions.drop()
        screen.mode_changed()
        if last is not None and isinstance(last.event, TurnFinished) and last.event.reason == "done":
            self.next()
            return
        has_failed = last is None or isinstance(last.event, TurnFailed)
        lost = [message] if not talk.has_answer and has_failed else []
        self._give_back([*lost, *talk.waiting])
        if last is None or not isinstance(last.event, TurnFailed):
            return
        error = last.event.error
        if talk.can_go_on and (error.kind in PASSING or not error.hint):
            screen.note.say("Enter, or /continue, lets the model go on from where the answer was cut.")
        screen.questions.offer_key(error, message.text)

    def _give_back(self, messages: Sequence[Outgoing]) -> None:
        screen = self._screen
        screen.talk.waiting.clear()
        texts = [text for message in messages if (text := message.text) and text != GO_ON]
        if texts:
            screen.prompt.put("\n\n".join([*texts, screen.prompt.text] if screen.prompt.text else texts))
        screen.attaching.put_back([image for message in messages for image in message.images])
        self.next()

    def _refuse_unseen(self, message: Outgoing) -> None:
        """Raises UsageError for images that the model, as far as is known, cannot see."""
        conversation = self._screen.talk.conversation
        if message.images and conversation is not None and (objection := conversation.objection_to(message.images)):
            raise UsageError(objection)
