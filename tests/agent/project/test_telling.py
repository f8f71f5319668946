"""What the model is told of the project: once, in the user's message, the same bytes ever after."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agent.conftest import Stage, events_of
from tests.scripted import Reply, tool_call
from tui.core.events import Notice, ToolFinished, TurnFinished
from tui.settings.memory import add_memory
from tui.settings.trust import trust


@pytest.fixture
def project(stage: Stage) -> Path:
    folder = stage.folder
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / "AGENTS.md").write_text("Use tabs.")
    (folder / "sub").mkdir()
    (folder / "sub" / "AGENTS.md").write_text("Here spaces.")
    (folder / "sub" / "a").write_text("a")
    skill = folder / ".agents" / "skills" / "review"
    skill.mkdir(parents=True)
    (skill / "SKILL.md").write_text("---\ndescription: how we review\n---\nRead it twice.")
    return folder


def said(stage: Stage, request: int, message: int = 1) -> str:
    return str(stage.server.requests[request].messages[message]["content"])


async def test_nothing_of_a_project_is_given_before_it_is_trusted(stage: Stage, project: Path) -> None:
    replies = [Reply(tool_call("read_file", {"path": "sub/a"})), "Done."]
    await events_of(stage.conversation(replies).send("go"))
    text = str(stage.server.requests[1].messages)
    assert "tabs" not in text and "spaces" not in text and "how we review" not in text
    assert "branch main" in said(stage, 0)


async def test_notes_memory_and_skills_are_told_once_and_stay_as_they_were(stage: Stage, project: Path) -> None:
    trust(project)
    add_memory(project, "tests are slow")
    conversation = stage.conversation(["One.", "Two.", "Three."])
    await events_of(conversation.send("go"))
    first = said(stage, 0)
    assert first.startswith("go") and "Use tabs." in first and "- tests are slow" in first
    assert "- review: how we review" in first and "Read it twice" not in first
    (project / "AGENTS.md").write_text("Use nothing.")
    await events_of(conversation.send("again"))
    assert said(stage, 1) == first and said(stage, 1, 3) == "again"
    session = conversation.session_id
    await conversation.close()
    await events_of(stage.reopen(session=session).send("and again"))
    assert said(stage, 2) == first and said(stage, 2, 5) == "and again"


async def test_the_system_prompt_is_the_same_with_and_without(stage: Stage, project: Path) -> None:
    for _ in range(2):
        await events_of(stage.conversation(["One."]).send("go"))
        system = said(stage, 0, 0)
        trust(project)
    assert system == said(stage, 0, 0) and "tabs" not in system and len(system) < 1500


async def test_what_has_changed_is_told_again_at_the_end(stage: Stage, project: Path) -> None:
    conversation = stage.conversation(["One.", "Two."])
    await events_of(conversation.send("go"))
    (project / ".git" / "HEAD").write_text("ref: refs/heads/other\n")
    await events_of(conversation.send("again"))
    assert "branch main" in said(stage, 1) and "branch other" in said(stage, 1, 3)


async def test_trust_in_the_middle_of_a_session_counts_from_the_next_message_on(stage: Stage, project: Path) -> None:
    conversation = stage.conversation(["One.", "Two."])
    await events_of(conversation.send("go"))
    trust(project)
    conversation.project.look_again()
    await events_of(conversation.send("again"))
    assert "tabs" not in said(stage, 1) and "Use tabs." in said(stage, 1, 3)


async def test_notes_of_a_sub_folder_come_with_the_first_file_of_it(stage: Stage, project: Path) -> None:
    trust(project)
    read = Reply(tool_call("read_file", {"path": "sub/a"}))
    events = await events_of(stage.conversation([read, read, "Done."]).send("go"))
    first, second = [event.result for event in events if isinstance(event, ToolFinished)]
    assert "Here spaces." in first and "Here spaces." not in second


async def test_a_name_that_is_too_long_is_an_error_for_the_model(stage: Stage, project: Path) -> None:
    trust(project)
    calls = [Reply(tool_call("read_file", {"path": name})) for name in ("n" * 300, "sub/" + "n/" * 2500)]
    events = await events_of(stage.conversation([*calls, "Done."]).send("go"))
    results = [event for event in events if isinstance(event, ToolFinished)]
    assert all(result.is_error and "too long" in result.result for result in results) and len(results) == 2
    assert isinstance(events[-1], TurnFinished) and events[-1].reason == "done"


async def test_a_skill_is_read_by_its_tool_or_named_by_the_user(stage: Stage, project: Path) -> None:
    trust(project)
    conversation = stage.conversation(
        [*(Reply(tool_call("use_skill", {"name": n})) for n in ("review", "reviews")), "One.", "Two."]
    )
    events = await events_of(conversation.send("go"))
    good, bad = [event.result for event in events if isinstance(event, ToolFinished)]
    assert "Read it twice." in good and str(project / ".agents" / "skills" / "review") in good
    assert "The skills are: review" in bad
    await events_of(conversation.send("/review the last commit"))
    assert "Read it twice." in stage.server.requests[3].messages[-1]["content"]


async def test_chat_mode_is_told_nothing(stage: Stage, project: Path) -> None:
    trust(project)
    await events_of(stage.conversation(["Hello."], mode="chat").send("hi"))
    assert said(stage, 0) == "hi"


async def test_git_filters_of_a_folder_that_is_not_trusted_are_not_run(stage: Stage, project: Path) -> None:
    (project / ".git" / "config").write_text(f"[core]\nfsmonitor = touch {project}/ran\n")
    await events_of(stage.conversation(["One."]).send("go"))
    assert not (project / "ran").exists()


async def test_a_skill_that_cannot_be_used_is_named_once_with_the_reason(stage: Stage, project: Path) -> None:
    for name, head in (("silent", "name: silent"), ("Upper", "description: d"), ("broken", "description: [")):
        folder = project / ".agents" / "skills" / name
        folder.mkdir()
        (folder / "SKILL.md").write_text(f"---\n{head}\n---\nx")
    conversation = stage.conversation(["One.", "Two.", "Three."])
    events = await events_of(conversation.send("go"))
    assert not any("skill cannot be used" in event.message for event in events if isinstance(event, Notice))
    trust(project)
    conversation.take_settings(conversation.settings)
    events = await events_of(conversation.send("go"))
    told = [event.message for event in events if isinstance(event, Notice)]
    assert any("skills/silent: " in words and "`description`" in words for words in told)
    assert any("skills/Upper: the folder's name" in words for words in told)
    assert not any("review" in words for words in told)
    events = await events_of(conversation.send("go"))
    assert not any("skill cannot be used" in event.message for event in events if isinstance(event, Notice))
