"""Images that go with the next message: by path, pasted, dropped, or from the clipboard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from tui.core.errors import MimoError, UsageError
from tui.core.messages import Image
from tui.screens import files
from tui.widgets.attachments import Attachments
from tui.widgets.pasted import readings
from tui.widgets.pictures import image_words, size_words

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen


class Attaching:
    """What is attached, shown as chips above the prompt. Files and the clipboard are read in threads."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self.images: tuple[Image, ...] = ()

    def attach(self, words: str) -> None:
        """By a path as a person writes it. Raises UsageError for none."""
        if not words:
            raise UsageError("which image?", "/attach PATH, or paste it with ctrl+v.")
        self._work(partial(self._attach, words))

    def paste(self, text: str) -> None:
        """Text was pasted that may be nothing but paths of images: then they are attached, else it is written."""
        self._work(partial(self._paste, text))

    def paste_clipboard(self) -> None:
        """The image on the system's clipboard."""
        self._work(partial(self._paste_clipboard))

    def complete(self, word: str) -> None:
        """Offer the files whose path begins so."""
        self._work(partial(self._complete, word), group="complete")

    def remove(self, index: int) -> None:
        """Take an image off again; -1 for the last one."""
        kept = list(self.images)
        if kept:
            del kept[index]
            self._show(kept)

    def clear(self) -> None:
        self._show(())

    def put_back(self, images: Sequence[Image]) -> None:
        """Those of a message that was not sent, before those that were attached since."""
        if images:
            self._show((*images, *self.images))

    async def _attach(self, words: str) -> None:
        try:
            self._add(await asyncio.to_thread(files.load_images, words, self._screen.folder))
        except MimoError as error:
            self._screen.say(error)

    async def _paste(self, text: str) -> None:
        try:
            images = await asyncio.to_thread(files.pasted_images, readings(text), self._screen.folder)
        except MimoError as error:
            images = []
            self._screen.say(error)
        if images:
            self._add(images)
        else:
            self._screen.prompt.write(text)

    async def _paste_clipboard(self) -> None:
        from tui.screens import clipboard

        try:
            self._add([await asyncio.to_thread(clipboard.image)])
        except MimoError as error:
            if text := self._screen.app.clipboard:
                self._screen.prompt.write(text)
            else:
                self._screen.say(error)

    async def _complete(self, word: str) -> None:
        found = await asyncio.to_thread(files.matching, self._screen.folder, word)
        self._screen.prompt.offer_files(word, found, self._screen.serving.resources(word))

    def _add(self, images: Sequence[Image]) -> None:
        self._show((*self.images, *images))
        self._screen.note.clear_text()
        conversation = self._screen.talk.conversation
        if conversation is not None and (objection := conversation.objection_to(self.images)):
            self._screen.say(UsageError(objection))

    def _show(self, images: Sequence[Image]) -> None:
        self.images = tuple(images)
        chips = [f"{image_words(image) or 'image'} {size_words(image)}" for image in self.images]
        self._screen.query_one("#attachments", Attachments).show(chips)

    def _work(self, work: Callable[[], Awaitable[None]], group: str = "attach") -> None:
        self._screen.run_worker(work, group=group, exclusive=group == "complete", exit_on_error=False)
