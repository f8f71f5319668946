"""Sensible replies for a person who tries the program: markdown in chat, believable tool calls in agent mode."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from tests.scripted.connection import Received
from tests.scripted.elements import Json, ToolCall, reasoning, text, tool_call
from tests.scripted.reply import Reply

ANSWER = """\
You wrote:

> {question}

## What a model might say

Here is **bold**, *italic*, `code` and a [link](https://example.org/). First a list:

1. read what is there
2. change as *little* as possible
   - with a nested point
3. try it

Then a table:

| step | tool | time |
|---|---|---:|
| 1 | `list_files` | 4 ms |
| 2 | `read_file` | 2 ms |
| 3 | `run_command` | 180 ms |

And some code:

```python
def fibonacci(count: int) -> list[int]:
    \"\"\"The first numbers of the sequence.\"\"\"
    numbers = [0, 1]
    while len(numbers) < count:
        numbers.append(numbers[-1] + numbers[-2])
    return numbers[:count]
```

```sh
$ python -c 'from fibonacci import fibonacci; print(fibonacci(10))'
[0, 1, 1, 2, 3, 5, 8, 13, 21, 34]
```

Wide text too: 漢字 and ✓. That is all.
"""
SECTION = """
### Part {number}

A longer answer goes on with prose that wraps over a few lines, so that scrolling has something to show, and with
`inline code`, **emphasis** and a list:

- point {number}.1
- point {number}.2

```python
for step in range({number}):
    print("step", step)
```
"""
NOTES = "mimo-demo.txt"


class Demo:
    """Answers each request from the conversation in it; keeps nothing."""

    def __init__(self, rate: float | None, tokens: int | None) -> None:
        self.rate = rate
        self.tokens = tokens

    def __call__(self, request: Received) -> Reply:
        question = _question(request.messages)
        tools = [_tool(tool) for tool in request.body.get("tools") or []]
        call = self._next_call(tools, question, request.messages) if tools else None
        if call:
            return Reply(reasoning(_thoughts(call)), call, rate=self.rate)
        thoughts = f"The user asks: {question[:80]!r}. I echo it, with a bit of everything that markdown has."
        return Reply(reasoning(thoughts), text(self._answer(question, bool(tools))), rate=self.rate)

    def _next_call(self, tools: list[tuple[str, Json]], question: str, messages: list[Json]) -> ToolCall | None:
        """The next call of the series that has not been made in this turn; None when all were.

        A tool that is offered alone and not known is the only one of its series: somebody tries out tool calls.
        """
        names = [name for name, _ in tools]
        made = len([message for message in _of_turn(messages) if _is_call(message)])
        wanted = [call for call in _series(question) if call.name in names]
        if len(tools) == 1 and not wanted:
            wanted = [tool_call(names[0], _example(tools[0][1]))]
        return wanted[made] if made < len(wanted) else None

    def _answer(self, question: str, after_tools: bool) -> list[str] | str:
        answer = ANSWER.format(question=question.replace("\n", "\n> "))
        if after_tools:
            answer = f"I looked at the folder, wrote `{NOTES}`, changed it and ran a command.\n\n{answer}"
        return answer if self.tokens is None else list(itertools.islice(_endless(answer), self.tokens))


def _series(question: str) -> list[ToolCall]:
    """What an agent does with a folder. A question with a command in backticks has that command run."""
    command = match[1] if (match := re.search(r"`([^`]+)`", question)) else f"wc -l {NOTES} && ls | head"
    return [
        tool_call("list_files", {"path": "."}),
        tool_call("write_file", {"path": NOTES, "content": "one\ntwo\n"}),
        tool_call("read_file", {"path": NOTES}),
        tool_call("edit_file", {"path": NOTES, "old": "two", "new": "two and a half"}),
        tool_call("run_command", {"command": command}),
    ]


def _thoughts(call: ToolCall) -> str:
    reasons = {
        "list_files": "I do not know this folder yet, so I look at what is in it.",
        "write_file": "A small file of notes will do to begin with.",
        "read_file": "Before I change the file I read it.",
        "edit_file": "The second line should say more.",
        "run_command": "Now I check the result with a command.",
    }
    return reasons.get(call.name, "I was asked to use this tool, so I call it.")


def _example(schema: Json) -> Json:
    """Arguments that fit a flat schema: of each required one the first allowed value, or an empty one of its type."""
    empty = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}
    properties = schema.get("properties", {})
    return {
        name: (properties[name].get("enum") or [empty.get(properties[name].get("type"))])[0]
        for name in schema.get("required", [])
    }


def _tool(tool: Json) -> tuple[str, Json]:
    """Name and schema of a tool, as any wire has it."""
    tool = tool.get("function", tool)
    return tool["name"], tool.get("parameters", tool.get("input_schema", {}))


def _is_call(message: Json) -> bool:
    return message.get("type") == "function_call" or message.get("role") == "assistant"


def _words(message: Json) -> str:
    """What the user said, on any wire; empty when it is only the result of a tool."""
    content = message.get("content") if message.get("role") == "user" else ""
    if isinstance(content, str):
        return content
    parts = [part for part in content or [] if part.get("type") != "tool_result"]
    return " ".join(part.get("text", "(an image)") for part in parts)


def _question(messages: list[Json]) -> str:
    return next(words for message in reversed(messages) if (words := _words(message)))


def _of_turn(messages: list[Json]) -> list[Json]:
    """What followed the last question of the user."""
    last = max(i for i, message in enumerate(messages) if _words(message))
    return messages[last + 1 :]


def _endless(answer: str) -> Iterator[str]:
    yield from text(answer).pieces
    for number in itertools.count(1):
        yield from text(SECTION.format(number=number)).pieces


def props() -> Json:
    """What llama.cpp says of itself on `/props`."""
    caps = {"supports_tools": True, "supports_tool_calls": True, "supports_system_role": True}
    return {"default_generation_settings": {"n_ctx": 32768}, "total_slots": 1, "chat_template_caps": caps}
