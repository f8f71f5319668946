"""A server of unknown kind: it demands a chosen set of things, and complains of one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.scripted.checks import Complaint, Demands
from tests.scripted.connection import Received
from tests.scripted.elements import Json
from tests.scripted.vendors.vendor import Vendor, forces_a_tool, has_images, without_reasoning

Broken = Callable[[Json], bool]


def _has(name: str) -> Broken:
    return lambda body: name in body


def _has_role(role: str) -> Broken:
    return lambda body: any(message.get("role") == role for message in body["messages"])


def _has_null_content(body: Json) -> bool:
    return any(message["role"] == "assistant" and message.get("content") is None for message in body["messages"])


def _has_own_reasoning(body: Json) -> bool:
    return any("reasoning_content" in message for message in body["messages"])


def _wants(kind: str) -> Broken:
    return lambda body: (body.get("response_format") or {}).get("type") == kind


RULES: dict[str, tuple[Broken, str]] = {
    "max_completion_tokens": (
        _has("max_tokens"),
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    ),
    "max_tokens": (
        _has("max_completion_tokens"),
        "Unsupported parameter: 'max_completion_tokens' is not supported with this model. Use 'max_tokens' instead.",
    ),
    "no_stream_options": (_has("stream_options"), "Unrecognized request argument supplied: stream_options"),
    "no_temperature": (_has("temperature"), "Unknown parameter: 'temperature'."),
    "no_parallel_tool_calls": (_has("parallel_tool_calls"), "Unknown parameter: 'parallel_tool_calls'."),
    "no_reasoning_effort": (_has("reasoning_effort"), "Unknown parameter: 'reasoning_effort'."),
    "no_thinking": (_has("thinking"), "thinking: Extra inputs are not permitted"),
    "reasoning_back": (
        lambda body: bool(without_reasoning(body)),
        "The `reasoning_content` in the thinking mode must be passed back to the API.",
    ),
    "no_reasoning_back": (_has_own_reasoning, "property 'reasoning_content' is unsupported"),
    "no_developer": (_has_role("developer"), "developer is not one of ['system', 'assistant', 'user', 'tool']"),
    "no_system": (_has_role("system"), "System role not supported"),
    "no_forced_tools": (forces_a_tool, "Thinking mode does not support this tool_choice"),
    "no_images": (has_images, "This model does not support image input: image_url is not allowed"),
    "no_null_content": (_has_null_content, "`text` is not present"),
    "no_json_schema": (_wants("json_schema"), "response_format type json_schema is not supported"),
}
"""What can be demanded, by name: when it is broken, and the words of the refusal."""


class Unknown(Vendor):
    """`Unknown("max_completion_tokens", "reasoning_back")`; `refused` has the names of the rules that were broken."""

    wires = ("chat",)

    def __init__(self, *rules: str) -> None:
        super().__init__()
        self.rules = {name: RULES[name] for name in rules}
        self.refused: list[str] = []
        self.demands = Demands(roles=("system", "developer", "user"))

    def chat(self, body: Json, request: Received) -> Iterator[Complaint | str]:
        for name, (is_broken, words) in self.rules.items():
            if is_broken(body):
                self.refused.append(name)
                yield words
