"""What a person sees of a session."""

from __future__ import annotations

from tests.widgets.transcript.stage import Stage, answered, asked, said, step_finished, step_started
from tui.core.messages import Text


async def test_a_question_and_its_answer_are_read_in_order() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)):
        app.show([asked("What is **that**?"), step_started(), *said("It is *plain*.\n\nReally.")])
        text = app.text()
        assert text.index("What is **that**?") < text.index("It is plain.") < text.index("Really.")


async def test_a_finished_step_adds_nothing_to_what_its_deltas_showed() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)):
        app.show(answered("Only once."))
        assert app.text().count("Only once.") == 1


async def test_a_finished_step_without_deltas_shows_its_message() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)):
        app.show([asked("?"), step_started(), step_finished(Text("Out of the store."))])
        assert "Out of the store." in app.text()
