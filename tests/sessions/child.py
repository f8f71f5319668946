"""A program that writes a session, to be killed: `python -m tests.sessions.child DATABASE WHAT`.

It prints the session's id, then a line for each thing that has to be there afterwards.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from pathlib import Path

from tests.sessions.making import Stream
from tui.core.events import TextDelta, ToolFinished, ToolStarted
from tui.core.messages import Text, ToolCall
from tui.sessions.store import Store
from tui.sessions.writer import Writer


def say(word: object) -> None:
    print(word, flush=True)


async def write_steps(writer: Writer, stream: Stream) -> None:
    """Turns of three steps, without end. A line for each step, once it is stored."""
    for number in itertools.count(1):
        if number % 3 == 1:
            writer.put(stream.ask(f"Turn {number // 3 + 1}"))
        writer.put(stream.begin(messages=list(range(number))))
        for letter in "some words":
            writer.put(stream.record(TextDelta(letter)))
        call = ToolCall(f"c{number}", "read_file", {"path": "x" * 2000})
        writer.put(stream.finish(Text("some words"), call, reason="tool_calls"))
        await writer.flush()
        say(number)
        writer.put(stream.record(ToolStarted(call)))
        writer.put(stream.record(ToolFinished(call.id, False, "y" * 5000, 0.1, {})))
        if number % 3 == 0:
            writer.put(stream.end())


async def write_text(writer: Writer, stream: Stream) -> None:
    """One answer that grows by a word every 10 ms, without end. A line for each word: the time when it came."""
    writer.put(stream.ask())
    writer.put(stream.begin())
    while True:
        writer.put(stream.record(TextDelta("word ")))
        say(time.time())
        await asyncio.sleep(0.01)


async def write_turns(writer: Writer, stream: Stream) -> None:
    """Fifty turns, then an end."""
    for _ in range(50):
        for record in stream.answer():
            writer.put(record)
        await writer.flush()
    await writer.close()


async def main() -> None:
    store = Store.open(Path(sys.argv[1]))
    stream = Stream(store.create(Path("/project")).id)
    store.claim(stream.session)
    say(stream.session)
    await {"steps": write_steps, "text": write_text, "turns": write_turns}[sys.argv[2]](
        Writer(store, stream.session), stream
    )
    store.close()


asyncio.run(main())
