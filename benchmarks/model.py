"""The model of the benchmarks, in a process of its own: a scripted server that does what the question says.

`stream N at RATE`: an answer of N tokens, RATE a second (0: as fast as they come).
`steps N of read_file|write_file|run_command`: so many calls, one a step, then an answer.
Every answer ends with END. `/times` tells when each request came and when its reply was given.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator

from tests.scripted import Received, Reply, Response, ScriptedServer, json_response, text, tool_call

END = "Ω"
"""Last character of every answer; occurs nowhere else."""
WORDS = ["a", "**model**", "writes", "`text`", "about", "this", "and", "that,", "and", "the", "screen", "keeps", "up"]
CODE = '''\
```python
def section(number: int) -> str:
    """The title of a section."""
    return f"Section {number}"  # as above
```
'''
TABLE = """\
| name | value |
|---|---:|
| tokens | 100 |
| seconds | 1.0 |
"""


def tokens(count: int) -> list[str]:
    """So many tokens of markdown: prose, a list, code and a table in each section; the first code comes early."""
    return [*itertools.islice(_endless(), count - 1), f"\n\n{END}"]


def _endless() -> Iterator[str]:
    for number in itertools.count(1):
        yield from ("\n\n## ", "Section", f" {number}", "\n\n")
        yield from _prose(60)
        yield "\n\n"
        yield from re.findall(r"\s*\w+|[^\w]+", CODE)
        yield "\n"
        yield from _prose(40)
        yield "\n\n"
        for i in range(3):
            yield from ("- ", f"point {i}:", " ", *_prose(10), "\n")
        yield "\n"
        yield from re.findall(r"\s*\w+|[^\w]+", TABLE)


def _prose(count: int) -> Iterator[str]:
    return (f"{word} " for word in itertools.islice(itertools.cycle(WORDS), count))


def answer(request: Received) -> Reply:
    question = next(message["content"] for message in reversed(request.messages) if message["role"] == "user")
    if match := re.search(r"stream (\d+) at (\d+)", question):
        return Reply(text(tokens(int(match[1]))), rate=int(match[2]) or None)
    if match := re.search(r"steps (\d+) of (\w+)", question):
        done = sum(message["role"] == "tool" for message in request.messages)
        # Each call differs, so that no guard against loops takes notice.
        arguments = {"path": "file.txt", "start": done + 1, "lines": 2}
        if match[2] == "write_file":
            arguments = {"path": "file.txt", "content": f"written {done} times\n"}
        if match[2] == "run_command":
            arguments = {"command": f"true {done}"}
        return Reply(tool_call(match[2], arguments)) if done < int(match[1]) else Reply(END)
    return Reply(f"I was asked {question!r} {END}")


def serve() -> None:
    server = ScriptedServer(answer)

    def times(request: Received) -> Response:
        return json_response([[request.arrived_s, request.answered_s] for request in server.requests])

    server.routes["/times"] = times
    with server:
        print(server.base_url, flush=True)
        threading.Event().wait()


class Model:
    """The server as the benchmarks hold it."""

    def __enter__(self) -> Model:
        self._process = subprocess.Popen([sys.executable, "-m", "benchmarks.model"], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.base_url = self._process.stdout.readline().strip()
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.wait()

    def times(self) -> list[tuple[float, float]]:
        """Arrival of each request so far and end of its reply, in `time.monotonic()`; finished ones only."""
        with urllib.request.urlopen(self.base_url.removesuffix("/v1") + "/times") as response:
            return [(arrived, answered) for arrived, answered in json.load(response) if answered is not None]


if __name__ == "__main__":
    serve()
