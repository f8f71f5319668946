"""What the user does with what the project brings: trusts it, calls its commands and skills, has its notes written."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING

from tui.commands.registry import COMMANDS, NAMES, Command, Front
from tui.core.errors import MimoError, UsageError
from tui.core.text import clean_line
from tui.screens import backstage
from tui.widgets.prompt import Completion

if TYPE_CHECKING:
    from tui.agent.conversation import Conversation
    from tui.agent.project.custom_commands import CustomCommand
    from tui.agent.project.offer import Offer
    from tui.screens.chat import ChatScreen
    from tui.screens.trust import Word

INIT = """\
Write the file AGENTS.md in the root of this project (if there is one, improve it and keep what is right in it): notes \
for an agent that works here and has never seen it. Look first: the readme, the build and test configuration, the \
layout, some typical files, the scripts that continuous integration runs. Then write at most a page of Markdown:
- what the project is, and where what is (only what one does not see at once);
- the exact commands to set up, build, test (one test, too), check and format;
- the habits of the code that a newcomer would get wrong, and what must not be done.
Write only what you found in the files, no general advice. Then say in two sentences what you wrote."""
_HELP_CHARACTERS = 100
_PLANNING = "The model only looks now, and shows a plan before it changes anything."


class Projecting:
    """The commands and skills are found in a thread once the screen is there."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self.commands: tuple[Command, ...] = ()
        """Those that are no part of the program: the user's and the project's, and a command for each skill."""

    async def look(self) -> None:
        """Find what the user and the project bring; a line above the prompt says what does not count yet."""
        conversation = self._screen.talk.conversation
        if conversation is None:
            return
        try:
            offer, custom = await asyncio.to_thread(backstage.look_at_project, conversation)
        except MimoError:
            return  # no home folder: there is nothing to find, and that is said elsewhere
        found = {command.name: self._command(command) for command in custom}
        for skill in conversation.project.skills.values():
            if skill.name not in NAMES:
                found.setdefault(skill.name, _skill_command(skill.name, skill.description))
        self.commands = tuple(found[name] for name in sorted(found))
        completions = [Completion(f"/{command.name}", command.help) for command in (*COMMANDS, *self.commands)]
        self._screen.prompt.offer_commands(completions, self._screen.serving.prompts)
        self._show_line(offer)

    def show_trust(self) -> None:
        self._work(self._ask())

    def write_notes(self) -> None:
        """Let the model write the project's AGENTS.md."""
        self._screen.talk.next_mode = "agent"
        self._screen.mode_changed()
        self._screen.sending.send(INIT)

    def show_window(self) -> None:
        self._work(self._show_window(self._conversation))

    def plan(self, task: str) -> None:
        """Switch the policy `plan` on, or off again; with a task it is on, and the task is sent."""
        conversation = self._conversation
        if not task and conversation.permissions.policy == "plan" and self._screen.talk.next_mode == "agent":
            policy = conversation.permissions.end_planning()
            self._screen.overview.show()
            self._screen.note.say(f"Nothing is planned first any more: the policy is `{policy}`.")
            return
        conversation.permissions.plan()
        self._screen.talk.next_mode = "agent"
        self._screen.mode_changed()
        self._screen.note.say(_PLANNING, "/plan ends it.")
        if task:
            self._screen.sending.send(task)

    def planned(self) -> None:
        """A plan was accepted: that it is planned first is not true any more."""
        if self._screen.note.texts[0] == _PLANNING:
            self._screen.note.clear_text()

    def _command(self, custom: CustomCommand) -> Command:
        return Command(custom.name, clean_line(custom.help, _HELP_CHARACTERS), partial(self._send, custom), "[WORDS]")

    def _send(self, custom: CustomCommand, front: Front, words: str) -> None:
        """Send a command's text, by the model and in the mode that it wants, which stay so."""
        spec = self._conversation.spec()
        if custom.model is not None and spec is not None:
            self._conversation.use(spec.name, custom.model)
            self._screen.overview.learn()
        if custom.mode is not None:
            self._screen.talk.next_mode = custom.mode
            self._screen.mode_changed()
        self._screen.sending.send(custom.text(words))

    async def _ask(self) -> None:
        from tui.screens.trust import TrustScreen

        conversation = self._conversation
        offer, _ = await asyncio.to_thread(backstage.look_at_project, conversation)
        self._screen.app.push_screen(TrustScreen(offer), partial(self._answered, conversation, offer))

    def _answered(self, conversation: Conversation, offer: Offer, word: Word | None) -> None:
        if word is not None:
            self._work(self._keep(conversation, offer, word))

    async def _keep(self, conversation: Conversation, offer: Offer, word: Word) -> None:
        try:
            settings = await asyncio.to_thread(backstage.keep_trust, offer, word, conversation.folder)
        except MimoError as error:
            self._screen.say(error)
            return
        self._screen.settings = settings
        conversation.take_settings(settings)
        await self.look()
        counts = "counts from your next message on" if word == "trust" else "does not count any more"
        self._screen.note.say(f"What this project brings {counts}.")

    async def _show_window(self, conversation: Conversation) -> None:
        from tui.agent.window_use import window_use
        from tui.screens.context import ContextScreen

        try:
            use = await asyncio.to_thread(window_use, conversation)
        except MimoError as error:
            self._screen.say(error)
            return
        self._screen.app.push_screen(ContextScreen(use))

    def _show_line(self, offer: Offer) -> None:
        from tui.widgets.trust_line import TrustLine

        self._screen.query(TrustLine).remove()
        if offer.state != "trusted" and not offer.is_empty:
            self._screen.mount(TrustLine(offer.summary(), offer.state == "changed"), before="#note")

    def _work(self, work: Coroutine[None, None, None]) -> None:
        self._screen.run_worker(work, group="project", exit_on_error=False)

    @property
    def _conversation(self) -> Conversation:
        conversation = self._screen.talk.conversation
        if conversation is None:
            raise UsageError("the conversation is still being opened", "Try again in a moment.")
        return conversation


def _skill_command(name: str, description: str) -> Command:
    """The words are sent as they were written: the conversation knows what a skill is."""

    def run(front: Front, words: str) -> None:
        front.send_words(f"/{name} {words}".strip())

    return Command(name, clean_line(f"skill: {description}", _HELP_CHARACTERS), run, "[WORDS]")
