"""What a skill is: a folder with a `SKILL.md` that says how something is done, read when it is needed."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Skill(NamedTuple):
    """A skill that the user or the project brought."""

    name: str
    description: str
    """What it does and when it is of use: all that the model is told before it asks."""
    folder: Path
    """Where its files are; links followed."""
    body: str
    """What `SKILL.md` says after its head."""
    is_projects: bool = False
    """It came with the project, not from the user."""

    def text(self) -> str:
        """The skill for the model."""
        return f"[Skill {self.name}; its files are in {self.folder}]\n{self.body.strip()}"
