"""A request as the body of OpenAI Responses: the conversation as items, in the order in which they came.

Sources: PROTOCOLS 1.3 and 3.2; OpenAI's "Reasoning models" (stateless use), DeepSeek's and MiMo's Responses pages.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from tui.backends.spec import BackendSpec, Request, Rules, ToolSpec
from tui.backends.wires.bodies import merged, without
from tui.backends.wires.conversation import Conversation, Writing
from tui.backends.wires.replay import GO_ON, CallIds, fill_text, image_note, legal_name
from tui.core.messages import Block, Image, Json, Message, Reasoning, Text, ToolCall, ToolResult

REASONING = "reasoning"
"""The type of a reasoning item, and the key of the block that it becomes."""


def encode(request: Request, spec: BackendSpec, writing: Writing | None = None) -> Json:
    """The body that asks `request`. The same request gives the same body, so that prefix caches work.

    `writing` has what was encoded for the requests before this one.
    """
    rules, writing = spec.rules, writing or Writing()
    body: Json = {"model": spec.model} if spec.model else {}
    form, words = _format(request.schema, spec) if request.schema is not None else ({}, "")
    if instructions := f"{request.system}\n\n{words}".strip() if words else request.system:
        body["instructions"] = instructions
    body["input"] = writing.entries(_Items, request.messages, spec)
    body["stream"] = True
    if request.tools:
        body["tools"] = writing.tools(_tools, request.tools, rules)
    is_free = rules.tool_choice_while_thinking or spec.thinking == "off"
    if request.tool_choice and (is_free or request.tool_choice == "auto"):
        body["tool_choice"] = request.tool_choice
    if form:
        body["text"] = {"format": form}
    if spec.max_output:
        body["max_output_tokens"] = spec.max_output
    if not rules.stateless:
        body |= {"store": False, "include": ["reasoning.encrypted_content"], "prompt_cache_key": _cache_key(body)}
    thinking = rules.thinking.get(spec.thinking or "", {})
    return without(merged(body, thinking, spec.body, request.body), rules.unknown_fields)


def _cache_key(body: Json) -> str:
    """The same for all requests of a conversation, so that they meet the machine that has its beginning cached."""
    beginning = json.dumps([body.get("instructions"), body["input"][:1]], sort_keys=True)
    return hashlib.sha256(beginning.encode("utf-8", "replace")).hexdigest()[:32]


def _tools(tools: tuple[ToolSpec, ...], _: Rules) -> list[Json]:
    """`strict` is true unless it is said otherwise, and then schemas like ours are refused."""
    return [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
            "strict": False,
        }
        for tool in tools
    ]


def _format(schema: Json, spec: BackendSpec) -> tuple[Json, str]:
    """The format of the answer, and what the instructions have to say beside it."""
    if spec.rules.response_format == "json_schema":
        return {"type": "json_schema", "name": "answer", "schema": schema}, ""
    words = f"Answer with one JSON object and nothing else. It must fit this JSON schema:\n{json.dumps(schema)}"
    return ({"type": "json_object"} if spec.rules.response_format == "json_object" else {}), words


class _Items(Conversation):
    """Items in their order. Ids of calls that another server made, and of their results, are made acceptable."""

    def __init__(self, spec: BackendSpec) -> None:
        super().__init__(spec)
        self._ids = CallIds(each_once=True)

    def end(self) -> None:
        super().end()
        if self.entries and self.entries[-1].get("role") == "assistant":
            content = [{"type": "input_text", "text": GO_ON}]
            self.entries.append({"type": "message", "role": "user", "content": content})

    def _write(self, message: Message) -> None:
        if message.role == "assistant":
            self.entries += self._assistant(message)
        elif message.role == "tool":
            self.entries += self._results_of(message)
        elif parts := self._parts(message.blocks):
            self.entries.append({"type": "message", "role": message.role, "content": parts})

    def _assistant(self, message: Message) -> Iterator[Json]:
        """Its blocks one by one; words before calls where the order is not this server's own, as most servers have it.

        Nothing for a message that has neither words nor calls.
        """
        is_own = self._is_own(message)
        blocks = message.blocks if is_own else sorted(message.blocks, key=lambda block: isinstance(block, ToolCall))
        items = [item for block in blocks for item in self._block(block, message, is_own)]
        # Reasoning has to be followed by what it led to: without, as when an answer was cut, it is refused.
        while items and items[-1]["type"] == REASONING:
            items.pop()
        if message.tool_calls and self._rules.reasoning_required and all(item["type"] != REASONING for item in items):
            yield _said_openly(fill_text(message, self._rules.reasoning_fill))
        yield from items

    def _block(self, block: Block, message: Message, is_own: bool) -> Iterator[Json]:
        if isinstance(block, Text) and block.text:
            content = [{"type": "output_text", "text": block.text, "annotations": []}]
            yield {"type": "message", "role": "assistant", "content": content} | (block.extra or {} if is_own else {})
        elif isinstance(block, ToolCall):
            yield self._call(block, is_own)
        elif isinstance(block, Reasoning) and is_own:
            yield from self._own_reasoning(block, bool(message.tool_calls))
        elif isinstance(block, Reasoning) and block.text.strip() and self._rules.foreign_reasoning == "text":
            yield from self._block(Text(block.text), message, is_own)

    def _own_reasoning(self, block: Reasoning, has_calls: bool) -> Iterator[Json]:
        """What a block of this server goes back as; an item that we do not know goes back as it came.

        Ids are left out: a server that stores nothing does not find them. Without `encrypted_content` there is
        nothing then that it could read, unless it gave its reasoning as text (`content`).
        """
        data = block.data or {}
        if block.key != REASONING and data:
            yield data
            return
        replay = self._rules.replay_reasoning
        if replay == "none" or (replay == "tool_calls" and not has_calls):
            return
        if data.get("encrypted_content") or data.get("content"):
            kept = {name: value for name, value in data.items() if name not in ("id", "status") and value}
            yield {"type": REASONING, "summary": []} | kept
        elif self._rules.stateless and block.text:
            yield _said_openly(block.text)

    def _call(self, call: ToolCall, is_own: bool) -> Json:
        item: Json = {
            "type": "function_call",
            "call_id": self._ids.of_call(call.id, is_own),
            "name": legal_name(call.name),
            "arguments": json.dumps(call.arguments, ensure_ascii=False),
        }
        return item | (call.extra or {}) if is_own else item

    def _results_of(self, message: Message) -> Iterator[Json]:
        """One item each; pictures that the server does not take there follow as the user's."""
        shown: list[Json] = []
        for block in message.blocks:
            if not isinstance(block, ToolResult):
                continue
            pictures = self._parts(block.images)
            output: Any = block.content
            if pictures and self._rules.images is False:
                output = "\n".join([block.content, *(part["text"] for part in pictures)])
            elif pictures and self._rules.images_in_results:
                output = [{"type": "input_text", "text": block.content}, *pictures]
            else:
                shown += pictures
            yield {
                "type": "function_call_output",
                "call_id": self._ids.of_result(block.call_id),
                "output": output,
            }
        if shown:
            yield {"type": "message", "role": "user", "content": shown}

    def _parts(self, blocks: tuple[Block, ...]) -> list[Json]:
        """What the user gave: words and pictures."""
        parts: list[Json] = []
        for block in blocks:
            if isinstance(block, Text) and block.text:
                parts.append({"type": "input_text", "text": block.text})
            elif isinstance(block, Image) and self._rules.images is False:
                parts.append({"type": "input_text", "text": image_note(block)})
            elif isinstance(block, Image):
                url = f"data:{block.media_type};base64,{block.data}"
                parts.append({"type": "input_image", "image_url": url, "detail": "auto"})
        return parts


def _said_openly(text: str) -> Json:
    """Reasoning as the servers give it that do not encrypt it."""
    return {"type": REASONING, "summary": [], "content": [{"type": "reasoning_text", "text": text}]}
