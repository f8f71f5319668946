"""The plan above the trace."""

from __future__ import annotations

from textual.app import App, ComposeResult

from tests.widgets.transcript.stage import asked, finished, record
from tui.core.events import Record
from tui.widgets.plan import PlanPane


class Stage(App[None]):
    def compose(self) -> ComposeResult:
        yield PlanPane()

    @property
    def plan(self) -> PlanPane:
        return self.query_one(PlanPane)

    def lines(self) -> list[str]:
        return self.plan.render().plain.split("\n") if self.plan.display else []


def planned(*states: str) -> Record:
    return finished(detail={"todo": [{"text": f"point {n}", "state": state} for n, state in enumerate(states)]})


async def test_the_last_plan_is_shown_and_goes_when_it_is_done() -> None:
    app = Stage()
    async with app.run_test(size=(40, 12)):
        assert app.lines() == []
        app.plan.show(planned("done", "active", "pending"))
        app.plan.show(finished(result="of another tool"))
        assert app.lines() == ["✓ point 0", "▸ point 1", "○ point 2"]
        app.plan.show(asked("Go on.", turn=2))
        assert len(app.lines()) == 3
        app.plan.show(planned("done", "done", "done"))
        assert app.lines() == ["✓ point 0", "✓ point 1", "✓ point 2"]
        app.plan.show(asked("Something else.", turn=3))
        assert app.lines() == []


async def test_a_long_plan_shows_what_is_at_hand() -> None:
    app = Stage()
    async with app.run_test(size=(40, 20)):
        app.plan.show_all([planned(*["done"] * 6, "active", *["pending"] * 9)])
        lines = app.lines()
        assert len(lines) == 8
        assert lines[0] == "✓ 6 done" and lines[1] == "▸ point 6" and lines[-1] == "… 4 more"
        app.plan.show_all([])
        assert app.lines() == []


async def test_a_plan_of_a_subagent_is_its_own_and_odd_ones_are_harmless() -> None:
    app = Stage()
    async with app.run_test(size=(40, 12)):
        app.plan.show(record(planned("active").event, parent="c9"))
        assert app.lines() == []
        app.plan.show(finished(detail={"todo": [3, {"text": "\x1b[31m[b]x"}, None]}))
        assert len(app.lines()) == 1 and "\x1b" not in app.lines()[0] and "[b]x" in app.lines()[0]
