"""The tool `use_skill`: the whole text of a skill of which the model knows name and description."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Literal

from tui.core.messages import Json
from tui.tools.base import Outcome, ToolContext
from tui.tools.skill import Skill


class UseSkill:
    """`skills` gives those of the session when it is called: they are found when its first turn begins."""

    name = "use_skill"
    description = "Read how a skill is done, by the name it has in the list of skills, before you do what it is for."
    parameters: Json = {
        "type": "object",
        "properties": {"name": {"type": "string", "description": "The skill's name."}},
        "required": ["name"],
        "additionalProperties": False,
    }
    effect: Literal["read"] = "read"

    def __init__(self, skills: Callable[[], Mapping[str, Skill]]) -> None:
        self._skills = skills

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return ()

    def preview(self, arguments: Json, context: ToolContext) -> str:
        return f"read the skill {arguments['name']}"

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        skills = self._skills()
        skill = skills.get(str(arguments["name"]).removeprefix("/"))
        if skill is None:
            names = ", ".join(skills) or "none"
            yield Outcome(f"There is no skill {arguments['name']!r}. The skills are: {names}.", is_error=True)
        else:
            yield Outcome(skill.text())
