"""Ollama's own wire: `POST {root}/api/chat`, a JSON object a line. Pure: values in, values out.

Its OpenAI-compatible wire takes no `num_ctx`, and a prompt that does not fit is then cut without a word. That an
answer's `prompt_eval_count` is smaller than the prompt is no sign of it: tokens that were cached are not in it.

Sources: ollama/ollama docs (api, capabilities, context-length), read on 2026-11-25.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from tui.backends.errors import explain
from tui.backends.ndjson import Parser
from tui.backends.spec import BackendSpec, Reply, Request, Rules, ToolSpec
from tui.backends.wires.bodies import merged, without
from tui.backends.wires.conversation import Conversation, Writing
from tui.backends.wires.reading import as_count, as_list, as_object, as_text, cut_off, not_a_reply, parse
from tui.backends.wires.replay import GO_ON, CallIds, image_note, legal_name, reasoning_text
from tui.backends.wires.runs import TEXT, Runs
from tui.backends.wires.think_tags import CLOSE, OPEN, ThinkTags
from tui.backends.wires.tool_calls import ToolCalls, new_id
from tui.core.events import Delta
from tui.core.messages import Image, Json, Message, Reasoning, ToolResult
from tui.core.usage import Usage

__all__ = ["HEADERS", "KEY_HEADER", "PATH", "Decoder", "Parser", "encode", "explain"]

PATH = "/api/chat"
KEY_HEADER = "Authorization"
HEADERS = {"Accept": "application/x-ndjson"}
WINDOW_TOKENS = 16_384
"""The context that is asked for when the model's is not known. Ollama would choose by the memory of the graphics card,
2,048 or 4,096 tokens on most machines: less than the tools of agent mode with a file or two. One of this size still
fits beside a model of 8 billion parameters on a laptop."""

_THINKING, _IN_TEXT = "thinking", "<think>"
"""The keys of pieces: reasoning as a field of its own, in tags within the text, and the answer itself."""


def encode(request: Request, spec: BackendSpec, writing: Writing | None = None) -> Json:
    """The body that asks `request`. The same request gives the same body, so that prefix caches work.

    `writing` has what was encoded for the requests before this one.
    """
    rules, writing = spec.rules, writing or Writing()
    body: Json = {"model": spec.model} if spec.model else {}
    system = request.system
    if request.schema is not None:
        body["format"] = request.schema if rules.response_format == "json_schema" else "json"
        if rules.response_format != "json_schema":
            words = "Answer with one JSON object and nothing else. It must fit this JSON schema:"
            system = f"{system}\n\n{words}\n{json.dumps(request.schema)}".strip()
        if rules.response_format == "none":
            del body["format"]
    body["messages"] = [{"role": "system", "content": system}] if system else []
    body["messages"] += writing.entries(_Messages, request.messages, spec)
    body["stream"] = True
    if request.tools:
        body["tools"] = writing.tools(_tools, request.tools, rules)
    body["options"] = {"num_ctx": spec.context_window or WINDOW_TOKENS}
    if spec.max_output:
        body["options"]["num_predict"] = spec.max_output
    thinking = rules.thinking.get(spec.thinking or "", {})
    return without(merged(body, thinking, spec.body, request.body), rules.unknown_fields)


def _tools(tools: tuple[ToolSpec, ...], _: Rules) -> list[Json]:
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
        }
        for tool in tools
    ]


class _Messages(Conversation):
    def __init__(self, spec: BackendSpec) -> None:
        super().__init__(spec)
        self._ids = CallIds()
        self._names: dict[str, str] = {}
        """Of each call's tool, by the call's id: a result names it."""

    def end(self) -> None:
        super().end()
        if self.entries and self.entries[-1]["role"] == "assistant":
            self.entries.append({"role": "user", "content": GO_ON})

    def _write(self, message: Message) -> None:
        if message.role == "assistant":
            self.entries += self._assistant(message)
        elif message.role == "tool":
            self.entries += self._results_of(message)
        else:
            images = [block for block in message.blocks if isinstance(block, Image)]
            if message.text or images:
                self.entries.append(self._with_images({"role": message.role, "content": message.text}, images))

    def _assistant(self, message: Message) -> Iterator[Json]:
        """Nothing at all for a message with neither text nor calls."""
        calls, content = message.tool_calls, message.text
        if not calls and not content:
            return
        entry: Json = {"role": "assistant", "content": content}
        is_own = self._is_own(message)
        replay = self._rules.replay_reasoning
        if is_own and (replay == "all" or (replay == "tool_calls" and calls)):
            thoughts = [block for block in message.blocks if isinstance(block, Reasoning)]
            if tagged := "".join(block.text for block in thoughts if block.key == _IN_TEXT):
                entry["content"] = f"{OPEN}{tagged}{CLOSE}{content}"
            if thought := "".join(block.text for block in thoughts if block.key != _IN_TEXT):
                entry["thinking"] = thought
        elif not is_own and self._rules.foreign_reasoning == "text" and (thought := reasoning_text(message).strip()):
            entry["content"] = f"{thought}\n\n{content}".strip()
        if calls:
            entry["tool_calls"] = []
        for call in calls:
            id, name = self._ids.of_call(call.id, is_own), legal_name(call.name)
            self._names[id] = name
            extra = call.extra or {} if is_own else {}
            entry["tool_calls"].append({"id": id, "function": {"name": name, "arguments": call.arguments}} | extra)
        yield entry

    def _results_of(self, message: Message) -> Iterator[Json]:
        """One entry each; pictures follow as the user's where a result cannot have any."""
        shown: list[Image] = []
        for block in message.blocks:
            if not isinstance(block, ToolResult):
                continue
            id = self._ids.of_result(block.call_id)
            entry = {
                "role": "tool",
                "tool_name": self._names.get(id, "unknown"),
                "tool_call_id": id,
                "content": block.content,
            }
            is_here = self._rules.images_in_results or self._rules.images is False
            shown += () if is_here else block.images
            yield self._with_images(entry, list(block.images) if is_here else [])
        if shown:
            yield self._with_images({"role": "user", "content": ""}, shown)

    def _with_images(self, entry: Json, images: list[Image]) -> Json:
        """The entry with its pictures as bare base64, or words in their place for a model that cannot see."""
        if images and self._rules.images is False:
            words = "\n".join(map(image_note, images))
            return entry | {"content": f"{entry['content']}\n{words}".strip()}
        return entry | {"images": [image.data for image in images]} if images else entry


class Decoder:
    """Puts one answer together from its lines: feed it each, then `finish`."""

    def __init__(self, spec: BackendSpec, make_id: Callable[[], str] = new_id) -> None:
        self._spec = spec
        self.is_done = False
        """The end mark came."""
        self._last: Json = {}
        """The line that has the end mark, with what was counted."""
        self._runs = Runs()
        self._tags = ThinkTags()
        self._calls = ToolCalls(make_id)
        self._call_count = 0

    def feed(self, data: str) -> list[Delta]:
        """What a line adds. Raises BackendError for one that says that the server failed, or is not JSON."""
        if self.is_done:
            return []
        line = self._parse(data)
        deltas = list(self._message(as_object(line.get("message"))))
        if line.get("done") is True:
            deltas += self._rest()
            self._last, self.is_done = line, True
        return deltas

    def finish(self) -> Reply:
        """The whole answer. Raises BackendError when no end came: it is cut then, however complete it looks."""
        if not self.is_done:
            raise cut_off(self._spec)
        calls = self._calls.finish()
        reason = as_text(self._last.get("done_reason")) or "stop"
        if calls and reason == "stop":
            reason = "tool_calls"
        blocks = self._runs.blocks()
        usage = Usage(as_count(self._last.get("prompt_eval_count")), as_count(self._last.get("eval_count")))
        return Reply(Message("assistant", (*blocks, *calls), self._spec.origin), usage, reason)

    def _parse(self, data: str) -> Json:
        """The line's object. Raises BackendError for one that says that the server failed, or is no object."""
        line = parse(data)
        is_ours = isinstance(line, dict) and (not line or "done" in line or isinstance(line.get("message"), dict))
        if is_ours and not line.get("error"):
            return as_object(line)
        if isinstance(line, list) or (isinstance(line, dict) and {"error", "message", "detail", "code"} & line.keys()):
            raise explain(200, {}, data, self._spec)
        raise not_a_reply(data, self._spec)

    def _message(self, message: Json) -> Iterator[Delta]:
        yield from self._runs.say(_THINKING, as_text(message.get("thinking")))
        if content := as_text(message.get("content")):
            if self._tags.is_over:
                yield from self._runs.say(TEXT, content)
            else:
                yield from self._tagged(self._tags.feed(content))
        for call in as_list(message.get("tool_calls")):
            if isinstance(call, dict) and isinstance(call.get("function"), dict):
                # Calls come whole. Their `index`, within the function, is 0 for each of them in some versions.
                if told := self._calls.add(call | {"index": self._call_count}):
                    yield told
                self._call_count += 1

    def _tagged(self, pieces: list[tuple[bool, str]]) -> Iterator[Delta]:
        for is_reasoning, piece in pieces:
            yield from self._runs.say(_IN_TEXT if is_reasoning else TEXT, piece)

    def _rest(self) -> Iterator[Delta]:
        """What was held back for what might follow, at the end."""
        if not self._tags.is_over:
            yield from self._tagged(self._tags.finish())
        yield from self._runs.rest()
