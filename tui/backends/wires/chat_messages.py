"""A conversation as the `messages` of Chat Completions, as each kind of server demands them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tui.backends.spec import BackendSpec, Rules
from tui.backends.wires.conversation import Conversation
from tui.backends.wires.replay import GO_ON, NINE_ID, CallIds, fill_text, image_note, legal_name, reasoning_text
from tui.backends.wires.think_tags import OPEN, tagged
from tui.core.messages import Image, Json, Message, Reasoning, Text, ToolCall, ToolResult

IN_TEXT = (OPEN, "<thought>")
"""The keys of reasoning that came inside the text: the tag that it began with."""
IN_PARTS = "thinking"
"""The key of reasoning that came as a part of a list (Mistral)."""
HAVE_READ = "I have read the results."
"""What the assistant says where a user's message must not follow a tool's result (Mistral)."""
_OWN_FIELDS = frozenset({"role", "content", "tool_calls", "tool_call_id", "name"})


def with_system(system: str, entries: list[Json], rules: Rules) -> list[Json]:
    """The entries with the system prompt before them, or in the first of the user's."""
    if not system:
        return entries
    if rules.system_role != "user":
        return [{"role": rules.system_role, "content": system}, *entries]
    if entries[0]["role"] != "user":
        return [{"role": "user", "content": system}, *entries]
    return [{"role": "user", "content": _behind(system, entries[0]["content"])}, *entries[1:]]


def _behind(words: str, content: Any) -> Any:
    return f"{words}\n\n{content}" if isinstance(content, str) else [{"type": "text", "text": words}, *content]


class ChatConversation(Conversation):
    """Entries of which none is empty, and the last word is not the model's."""

    def __init__(self, spec: BackendSpec) -> None:
        super().__init__(spec)
        self._ids = CallIds(NINE_ID) if spec.rules.call_ids == "nine" else CallIds()

    def end(self) -> None:
        super().end()
        if not self.entries or self.entries[-1]["role"] == "assistant":
            self.entries.append({"role": "user", "content": GO_ON})

    def _write(self, message: Message) -> None:
        for entry in self._entries_of(message):
            is_behind_result = entry["role"] == "user" and self.entries and self.entries[-1]["role"] == "tool"
            if is_behind_result and self._rules.assistant_before_user:
                self.entries.append({"role": "assistant", "content": HAVE_READ})
            self.entries.append(entry)

    def _entries_of(self, message: Message) -> Iterator[Json]:
        if message.role == "assistant":
            yield from self._assistant(message)
        elif message.role == "tool":
            yield from self._results_of([block for block in message.blocks if isinstance(block, ToolResult)])
        elif content := self._content(message):
            yield {"role": self._rules.system_role if message.role == "system" else "user", "content": content}

    def _content(self, message: Message) -> Any:
        """A string, or a list of parts when there is a picture among the blocks."""
        images = [block for block in message.blocks if isinstance(block, Image)]
        if not images:
            return message.text
        said = [
            block for block in message.blocks if isinstance(block, Image) or (isinstance(block, Text) and block.text)
        ]
        if self._rules.images is False:
            return "\n".join(image_note(block) if isinstance(block, Image) else block.text for block in said)
        return [_picture(block) if isinstance(block, Image) else _words(block.text) for block in said]

    def _results_of(self, results: list[ToolResult]) -> Iterator[Json]:
        """One entry each, a plain string: MiMo and others refuse a list here. Pictures follow all of them."""
        pictures: list[Json] = []
        for result in results:
            id, content = self._ids.of_result(result.call_id), result.content
            if result.images and self._rules.images is False:
                content = "\n".join([content, *map(image_note, result.images)]).strip()
            entry: Json = {"role": "tool", "tool_call_id": id, "content": content}
            if result.images and self._rules.images is not False:
                shown = [_picture(image) for image in result.images]
                if self._rules.images_in_results:
                    entry["content"] = [*([_words(content)] if content else []), *shown]
                else:
                    entry["content"] = content or "The image follows."
                    pictures += [_words(f"The image in the result of {id}:"), *shown]
            yield entry
        if pictures:
            yield {"role": "user", "content": pictures}

    def _assistant(self, message: Message) -> Iterator[Json]:
        """Nothing at all for a message with neither words nor calls: most servers refuse one."""
        calls, text = message.tool_calls, message.text
        is_own = self._is_own(message)
        is_filled = bool(calls) and self._rules.reasoning_required and not is_own
        if self._rules.foreign_reasoning == "text" and not is_own and not is_filled:
            text = "\n\n".join(words for words in (reasoning_text(message), text) if words)
        if not calls and not text.strip():
            return
        reasoning = self._reasoning(message, is_own)
        content: Any = text or self._rules.empty_content
        for tag in IN_TEXT:
            if thought := reasoning.pop(tag, None):
                content = tagged(tag, thought) + text
        if thought := reasoning.pop(IN_PARTS, None):
            content = [{"type": "thinking", "thinking": [_words(thought)]}, *([_words(text)] if text else [])]
        entry: Json = {"role": "assistant", "content": content}
        entry |= {key: value for key, value in reasoning.items() if key not in _OWN_FIELDS}
        if calls:
            entry["tool_calls"] = [self._call(call, is_own, place) for place, call in enumerate(calls)]
        yield entry

    def _reasoning(self, message: Message, is_own: bool) -> Json:
        """The fields that carry a message's reasoning back, by the rules (PROTOCOLS: reasoning, what must go back)."""
        rules, calls = self._rules, message.tool_calls
        is_demanded = bool(calls) and rules.reasoning_required
        if not is_demanded and (rules.replay_reasoning == "none" or (rules.replay_reasoning != "all" and not calls)):
            return {}
        fields: Json = {}
        blocks = [block for block in message.blocks if is_own and isinstance(block, Reasoning)]
        for block in blocks:
            if block.text:
                fields[block.key] = fields.get(block.key, "") + block.text
            fields |= block.data or {}
        if is_demanded and not fields.get(rules.reasoning_key):
            # Inside the content, or under another key, it counts as missing.
            fields = {key: value for key, value in fields.items() if key not in (*IN_TEXT, IN_PARTS)}
            own = "".join(block.text for block in blocks)
            fields[rules.reasoning_key] = own or fill_text(message, rules.reasoning_fill)
        return fields

    def _call(self, call: ToolCall, is_own: bool, place: int) -> Json:
        entry: Json = {
            "id": self._ids.of_call(call.id, is_own),
            "type": "function",
            "function": {"name": legal_name(call.name), "arguments": _arguments(call.arguments)},
        }
        if is_own and call.extra:
            return entry | {key: value for key, value in call.extra.items() if key not in entry}
        if self._rules.dummy_signature and place == 0:  # of calls in parallel only the first one is signed
            entry["extra_content"] = {"google": {"thought_signature": self._rules.dummy_signature}}
        return entry


def _arguments(arguments: Json) -> str:
    """Always the text of a JSON object: what is none makes servers fail in their templates, with a 500."""
    try:
        return json.dumps(arguments, ensure_ascii=False, allow_nan=False)
    except ValueError:  # a number that JSON does not have
        return "{}"


def _words(text: str) -> Json:
    return {"type": "text", "text": text}


def _picture(image: Image) -> Json:
    return {"type": "image_url", "image_url": {"url": f"data:{image.media_type};base64,{image.data}"}}
