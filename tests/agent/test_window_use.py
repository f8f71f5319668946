"""What `/context` counts, part by part."""

from __future__ import annotations

from tests.agent.conftest import Stage, events_of
from tests.scripted import Received, Reply, text
from tui.agent.window_use import window_use

SUMMARY = "## Task\nRead on.\n## Decisions\nThe memory is full.\n## Files\nmany\n## Open points\n" + "more " * 400


async def test_a_summary_is_a_part_of_its_own(stage: Stage) -> None:
    def answer(request: Received) -> Reply | str:
        is_asked = "Write a summary of it" in str(request.body["messages"][-1]["content"])
        return Reply(text(SUMMARY)) if is_asked else "word " * 300

    conversation = stage.conversation(answer)
    await events_of(conversation.send("Hi"))
    before = {part.name: part.tokens for part in window_use(conversation).parts}
    assert "summary" not in before
    conversation.ask_to_compact()
    await events_of(conversation.send("And now?"))
    after = {part.name: part.tokens for part in window_use(conversation).parts}
    assert after["summary"] > 10 * (after["date, folder and the like"] - before["date, folder and the like"])
