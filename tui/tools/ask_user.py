"""The tool `ask_user`: a question to the user, who may choose an answer or write one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Literal

from tui.core.messages import Json
from tui.tools.base import Outcome, ToolContext

MOST_CHOICES = 9
"""Each is chosen by a single key."""


class AskUser:
    """Who runs a call puts the question (see `agent.asking`); by itself the tool has nobody to ask."""

    name = "ask_user"
    description = (
        "Ask the user one question and wait for the answer. Only for what you cannot find out yourself and what "
        "matters. They may choose one of the choices, or answer in their own words."
    )
    parameters: Json = {
        "type": "object",
        "properties": {
            "question": {"type": "string", "minLength": 1, "maxLength": 2000, "description": "The question."},
            "choices": {
                "type": "array",
                "maxItems": MOST_CHOICES,
                "items": {"type": "string", "minLength": 1, "maxLength": 300},
                "description": "Likely answers, the best first.",
            },
        },
        "required": ["question"],
        "additionalProperties": False,
    }
    effect: Literal["talk"] = "talk"

    def paths(self, arguments: Json) -> tuple[str, ...]:
        return ()

    def preview(self, arguments: Json, context: ToolContext) -> str:
        choices = [f"{number}. {choice}" for number, choice in enumerate(arguments.get("choices", ()), 1)]
        return "\n".join([arguments["question"], *choices])

    async def run(self, arguments: Json, context: ToolContext) -> AsyncGenerator[str | Outcome, None]:
        yield Outcome("There is nobody to ask here.", is_error=True)
