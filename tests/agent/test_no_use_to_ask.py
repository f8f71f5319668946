"""A change that cannot be made is an error for the model at once: the user is not asked about it."""

from __future__ import annotations

import pytest

from tests.agent.conftest import Stage, events_of, the
from tests.scripted import Reply, tool_call
from tui.agent.calls import Answer
from tui.core.events import ApprovalAsked, ToolFinished, TurnFinished
from tui.headless.run import Nobody


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("edit_file", {"path": "a.txt", "old": "43", "new": "44"}, "`old` is not in a.txt"),
        ("edit_file", {"path": "b.txt", "old": "43", "new": "44"}, "b.txt does not exist"),
        ("apply_patch", {"patch": "what is no patch"}, "patch"),
    ],
)
async def test_what_cannot_be_changed_is_told_the_model_and_nobody_is_asked(
    stage: Stage, name: str, arguments: dict[str, str], words: str
) -> None:
    (stage.folder / "a.txt").write_text("42\n")
    conversation = stage.conversation([Reply(tool_call(name, arguments)), "Sorry."])
    events = await events_of(conversation.send("Go", Nobody()))
    assert not [event for event in events if isinstance(event, ApprovalAsked)]
    finished = the(events, ToolFinished)
    assert finished.is_error and words in finished.result and "refused" not in finished.detail
    assert the(events, TurnFinished).reason == "done"


async def test_an_edit_of_what_changed_since_it_was_read_is_not_asked_about(stage: Stage) -> None:
    path = stage.folder / "a.txt"
    path.write_text("42\n")
    edit = tool_call("edit_file", {"path": "a.txt", "old": "4", "new": "5"})
    conversation = stage.conversation(
        [Reply(tool_call("read_file", {"path": "a.txt"})), "Read.", Reply(edit), "Sorry."]
    )
    await events_of(conversation.send("Read"))
    path.write_text("43 and more\n")
    events = await events_of(conversation.send("Edit"))
    assert "has changed on the disk" in the(events, ToolFinished).result
    assert not [event for event in events if isinstance(event, ApprovalAsked)]


@pytest.mark.parametrize("policy", ["ask", "edits"])
async def test_of_other_places_and_keys_nothing_is_told_before_the_user_allows_it(
    stage: Stage, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(stage.folder / "keys"))
    (stage.folder.parent / "x").write_text("42\n")
    (stage.folder / "keys").write_text("42\n")
    edits = [tool_call("edit_file", {"path": path, "old": "43", "new": ""}) for path in ("../x", "keys")]
    conversation = stage.conversation([*map(Reply, edits), "Sorry."], policy=policy)
    events = await events_of(conversation.send("Go"), Answer("no", "mine"))
    assert len([event for event in events if isinstance(event, ApprovalAsked)]) == 2
    for end in (event for event in events if isinstance(event, ToolFinished)):
        assert "mine" in end.result and "not in" not in end.result
