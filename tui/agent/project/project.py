"""The project of a session, as the model is told of it: once, beside the user's words, and the same ever after."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tui.agent.project.folder_state import folder_state
from tui.agent.project.notes import LIMIT_CHARACTERS, Note, joined, notes_below, notes_of
from tui.agent.project.reading import cut
from tui.agent.project.skills import find_skills, listed, unusable_skills
from tui.agent.project.workspace import read_workspace, workspace_folder
from tui.agent.strategies.base import SMALL_WINDOW_TOKENS
from tui.core.events import Compacted, Record, ToolFinished
from tui.core.messages import Context, Message, Text
from tui.settings.memory import read_memory
from tui.settings.project import project_root
from tui.settings.trust import trust_state
from tui.tools.skill import Skill

# How each part begins, by which it is known again.
WORKSPACE = "[Who you are and whom you work for, from the user's workspace:]"
NOTES = "[Notes that the project keeps for agents. They describe it and its habits; the user's words go before them:]"
MEMORY = "[What was remembered from earlier sessions:]"
SKILLS = "[Skills, to be read with use_skill before the work that they are for:]"
_STATE = "[Now: "
_PLANNING = (
    "The policy is `plan`: nothing can be changed yet. Find out by reading what has to be done, then show the plan "
    "with present_plan."
)
_SLASH = re.compile(r"/([a-z0-9][a-z0-9-]*)(?:\s|\Z)")


class Project:
    """What a conversation knows of the folder that it works in. Its methods raise nothing; most look at the disk."""

    def __init__(self, folder: Path, workspace: str | None = None) -> None:
        """`workspace` is the setting of that name."""
        self._folder, self._workspace = folder, workspace
        self._skills: dict[str, Skill] | None = None
        self._given: set[str] = set()
        self._named: set[str] = set()
        self._looked_for_unusable = False

    @property
    def skills(self) -> dict[str, Skill]:
        """Those of the session, as they were when it was first asked for them."""
        if self._skills is None:
            root = project_root(self._folder)
            self._skills = find_skills(root, is_trusted=trust_state(root) == "trusted")
        return self._skills

    def unusable_skills(self) -> list[str]:
        """The skills that cannot be used, with the reason: once, and what is new after `look_again`."""
        if self._looked_for_unusable:
            return []
        self._looked_for_unusable = True
        root = project_root(self._folder)
        found = unusable_skills(root, is_trusted=trust_state(root) == "trusted")
        new = [line for line in found if line not in self._named]
        self._named.update(new)
        return new

    def look_again(self) -> None:
        """The user's trust in the folder has changed: what it brings counts from the next message on, or no more."""
        self._skills = None
        self._looked_for_unusable = False

    def blocks(
        self, words: str, so_far: Iterable[Message], *, is_agent: bool, is_planning: bool, window: int | None
    ) -> tuple[Context, ...]:
        """What is added to a message of the user's, beside what the model has been told `so_far`.

        `window` is the model's, in tokens: what is known of the project takes at most about an eighth of it, and where
        it is small the model has no tools for skills and plans, so it is told of none.
        """
        told = [block for message in so_far for block in message.blocks if isinstance(block, Context)]
        blocks = self._asked_for(words)
        if not is_agent:
            return blocks
        standing = [text for text in self._standing(window) if not _is_told(text, told)]
        state = self._state(is_planning and not _is_small(window))
        if state != next((block.text for block in reversed(told) if block.text.startswith(f"\n\n{_STATE}")), None):
            blocks += (Context(state),)
        return (*(Context(f"\n\n{text}", lasts=True) for text in standing), *blocks)

    def notes_for(self, paths: Iterable[Path]) -> list[Note]:
        """Notes of folders in the project that a call touches, but for those that were given. Blocking."""
        found = [note for path in paths for note in notes_below(self._folder, path) if note.name not in self._given]
        if not found or trust_state(project_root(self._folder)) != "trusted":
            return []
        return [Note(note.name, cut(note.text, LIMIT_CHARACTERS // 4, note.name)) for note in found]

    def give(self, notes: Iterable[Note]) -> list[Note]:
        """Those of the notes that are now given to the model: each once until `forget`."""
        new = {note.name: note for note in notes if note.name not in self._given}
        self._given |= new.keys()
        return list(new.values())

    def recall(self, names: Iterable[str]) -> None:
        """Notes that have been given, in an earlier run of the session."""
        self._given |= set(names)

    def forget(self) -> None:
        """What tools returned was summarised: notes that came with it are given again."""
        self._given.clear()

    def _asked_for(self, words: str) -> tuple[Context, ...]:
        """The skill that the user named, as `/name` at the beginning of their words."""
        match = _SLASH.match(words)
        skill = self.skills.get(match[1]) if match else None
        return (Context(f"\n\n{skill.text()}"),) if skill else ()

    def _standing(self, window: int | None) -> list[str]:
        limit = LIMIT_CHARACTERS if window is None else min(LIMIT_CHARACTERS, window // 2)
        parts: list[tuple[str, str]] = []
        if self._workspace is not None:
            parts.append((WORKSPACE, read_workspace(workspace_folder(self._workspace), limit * 2)))
        if trust_state(self._folder) == "trusted":
            parts.append((NOTES, joined(notes_of(self._folder), limit)))
        parts.append((MEMORY, cut(read_memory(self._folder), limit, "the memory")))
        if not _is_small(window):
            parts.append((SKILLS, cut(listed(self.skills), limit, "the list of skills")))
        return [f"{title}\n{text}" for title, text in parts if text]

    def _state(self, is_planning: bool) -> str:
        root = project_root(self._folder)
        state = folder_state(root, is_trusted=trust_state(root) == "trusted")
        return f"\n\n{_STATE}{state}{f' {_PLANNING}' if is_planning else ''}]"


def _is_small(window: int | None) -> bool:
    return window is not None and window <= SMALL_WINDOW_TOKENS


def notes_given(records: Iterable[Record]) -> list[str]:
    """The names of the notes that came with results of tools, as far as these were not summarised since."""
    given: list[str] = []
    for record in records:
        if isinstance(record.event, Compacted):
            given.clear()
        elif isinstance(record.event, ToolFinished) and record.parent is None:
            given += map(str, record.event.detail.get("notes", ()))
    return given


def _is_told(text: str, told: Sequence[Text]) -> bool:
    """Whether something under the same title was said: what is on the disk may be another thing by now."""
    title = text.partition("\n")[0]
    return any(title in block.text for block in told)
