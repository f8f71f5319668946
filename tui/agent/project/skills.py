"""The skills that can be used here (https://agentskills.io): folders with a `SKILL.md`, the project's first.

Their heads are read leniently, their names strictly: a name becomes a word after `/` and leads to a folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from tui.agent.project.front_matter import read_document
from tui.agent.project.reading import names_in, read_text
from tui.settings.paths import config_dir
from tui.tools.skill import Skill

_FOLDERS = (".agents/skills", ".mimo/skills", ".claude/skills")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_NAME = 64
_LONGEST_DESCRIPTION = 1024
_MOST = 100
LIMIT_CHARACTERS = 8000
"""Of the list of skills."""


def find_skills(root: Path, *, is_trusted: bool) -> dict[str, Skill]:
    """By name, in the order of their names. Those of the project at `root` only when it is trusted. Blocking."""
    home = Path.home()
    found: dict[str, Skill] = {}
    if is_trusted:
        for name in _FOLDERS:
            _add(found, root / name, within=root)
    _add(found, config_dir() / "skills")
    for name in _FOLDERS:
        _add(found, home / name)
    return dict(sorted(found.items())[:_MOST])


def project_skills(root: Path) -> dict[str, Skill]:
    """Those that the project at `root` brings, trusted or not."""
    found: dict[str, Skill] = {}
    for name in _FOLDERS:
        _add(found, root / name, within=root)
    return found


def unusable_skills(root: Path, *, is_trusted: bool) -> list[str]:
    """`FOLDER: why`, of each skill that cannot be used; those of the project at `root` only when it is trusted."""
    home = Path.home()
    own = [_unusable(config_dir() / "skills"), *(_unusable(home / name) for name in _FOLDERS)]
    return [*(project_unusable_skills(root) if is_trusted else ()), *(line for lines in own for line in lines)]


def project_unusable_skills(root: Path) -> list[str]:
    """The same of those that the project at `root` brings, trusted or not; the folders as they are in it."""
    return [line for name in _FOLDERS for line in _unusable(root / name, within=root)]


def listed(skills: Mapping[str, Skill]) -> str:
    """Names and descriptions for the model, a line each; empty when there are none."""
    lines = [f"- {skill.name}: {skill.description}" for skill in skills.values()]
    text = "\n".join(lines)
    if len(text) <= LIMIT_CHARACTERS:
        return text
    room = max(20, LIMIT_CHARACTERS // len(lines) - _LONGEST_NAME)
    return "\n".join(f"- {skill.name}: {skill.description[:room]}" for skill in skills.values())


def _add(found: dict[str, Skill], folder: Path, within: Path | None = None) -> None:
    for name in names_in(folder):
        if name not in found and isinstance(skill := _skill(folder / name, within), Skill):
            found[name] = skill


def _unusable(folder: Path, within: Path | None = None) -> list[str]:
    lines = []
    for name in names_in(folder):
        if isinstance(why := _skill(folder / name, within), str):
            place = folder / name
            lines.append(f"{place if within is None else place.relative_to(within)}: {why}")
    return lines


def _skill(folder: Path, within: Path | None) -> Skill | str | None:
    """The skill in a folder, or why it cannot be used; None where there is no `SKILL.md`."""
    if not os.path.lexists(folder / "SKILL.md"):
        return None
    if len(folder.name) > _LONGEST_NAME or not _NAME.fullmatch(folder.name):
        return f"the folder's name must be small letters, digits and single hyphens, at most {_LONGEST_NAME}"
    text = read_text(folder / "SKILL.md", within=within)
    if not text:
        return "its SKILL.md is empty, no regular file, not readable, or leads out of the project"
    fields, body = read_document(text)
    description = " ".join(fields.get("description", "").split())[:_LONGEST_DESCRIPTION]
    if not description:
        return "its SKILL.md has no head with a `description`, or one that cannot be read as YAML"
    if (name := fields.get("name", folder.name)) != folder.name:
        return f"its `name` is {name[:_LONGEST_NAME]}, and has to be the folder's"
    return Skill(folder.name, description, Path(os.path.realpath(folder)), body, within is not None)
