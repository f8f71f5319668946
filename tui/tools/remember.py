"""The tool `remember`: a note for later sessions, which the user is always asked about."""

from __future__ import annotations

import difflib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Literal

from tui.core.errors import MimoError
from tui.core.messages import Json
from tui.core.text import clean
from tui.settings.memory import add_memory, notes_file
from tui.tools.base import Outcome, ToolContext, outcome_of
from tui.tools.errors import ToolError


class Remember:
    name = "remember"
    description = (
        "Keep one short note for later sessions, when the user wants it or it will matter again: what no file tells. "
        "The user is asked first."
    )
    parameters: Json = {
        "type": "object",
        "properties": {
            "text": {"type": "string", "minLength": 1, "maxLength": 1000, "description": "One sentence or two."},
            "everywhere": {"type": "boolean", "description": "For all folders, not only for this project."},
        },
        "required": ["text"],
        "additionalProperties": False,
    }
    effect: Literal["edit"] = "edit"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def paths(self, arguments: Json) -> tuple[str, ...]:
        """The program's own file: so the policy asks each time, for it changes what later sessions are told."""
        try:
            return (str(notes_file(self._folder, bool(arguments.get("everywhere")))),)
        except MimoError:  # without a home there is none, which a run says
            return ()

    def preview(self, arguments: Json, context: ToolContext) -> str:
        for_whom = "in all folders" if arguments.get("everywhere") else "in this project"
        return f"tell later sessions {for_whom}:\n- {' '.join(arguments['text'].split())}"

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        yield await outcome_of(lambda: self._remember(arguments["text"], bool(arguments.get("everywhere"))))

    def _remember(self, text: str, everywhere: bool) -> Outcome:
        try:
            path = notes_file(self._folder, everywhere)
            before = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
            after = add_memory(self._folder, clean(text), everywhere).read_text(encoding="utf-8", errors="replace")
        except MimoError as error:
            raise ToolError(f"That cannot be remembered: {error.message}. {error.hint}".strip()) from error
        if before == after:
            return Outcome("That is remembered already.")
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "memory", "memory", n=1, lineterm="")
        return Outcome("It is remembered: later sessions are told.", detail={"diff": "\n".join(lines)})
