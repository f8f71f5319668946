"""The built-in model, for real: it calls the tool that was meant, and what it says stands in the result."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agent.conftest import events_of
from tui.agent.calls import Answer
from tui.agent.conversation import Conversation
from tui.agent.wishes import Wishes
from tui.core.events import StepFinished, ToolFinished, TurnFinished
from tui.settings.schema import BackendConfig, Settings

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("embedded_model")]

QUESTIONS = [
    ("What is the port in config.toml?", "port = 8080"),
    ("Who is the author in README.md?", "Author: Ada Byron"),
    ("Where is the word hello?", "src/main.py\n     2:     print('hello')"),
    ("Run echo seventeen", "seventeen"),
    ("What is in the folder docs?", "install.md  10 B"),
    ("Create hello.txt with good day", "Wrote the new file hello.txt (1 line, 8 bytes)."),
    ("In notes.txt change milk to bread", "Replaced 1 occurrence in notes.txt, line 1."),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "README.md": "# Colour tool\n\nPrints the colours of the rainbow.\nLicence: MIT\nAuthor: Ada Byron\n",
        "config.toml": 'port = 8080\nhost = "localhost"\nlevel = "debug"\n',
        "src/main.py": "def main():\n    print('hello')\n",
        "docs/install.md": "Run make.\n",
        "notes.txt": "buy milk\ncall Bob\n",
    }
    for name, content in files.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / "project"


async def test_it_answers_most_questions_about_a_folder_and_makes_nothing_up(folder: Path) -> None:
    right = []
    for question, answer in QUESTIONS:
        conversation = Conversation.open(Settings(), folder, Wishes(mode="agent", backend="embedded"))
        events = await events_of(conversation.send(question), Answer("once"))
        await conversation.close()
        results = [event.result for event in events if isinstance(event, ToolFinished)]
        said = [event.message.text for event in events if isinstance(event, StepFinished)][-1]
        assert said and all(line.strip() in results[-1] for line in said.splitlines()), (question, said, results)
        right += [question] if said == answer else []
    assert len(right) >= len(QUESTIONS) - 1, right


@pytest.mark.parametrize("strategy", ["native", "text"])
async def test_a_strategy_that_is_beyond_it_ends_well(folder: Path, strategy: str) -> None:
    config = BackendConfig(preset="embedded", strategy=strategy)
    settings = Settings(backends={"embedded": config})
    conversation = Conversation.open(settings, folder, Wishes(mode="agent", backend="embedded", max_steps=6))
    events = await events_of(conversation.send("Read notes.txt"), Answer("no"))
    await conversation.close()
    assert isinstance(events[-1], TurnFinished)
