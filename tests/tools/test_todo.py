"""The plan: kept on the desk, whole each time."""

from __future__ import annotations

from pathlib import Path

from tests.tools.running import outcome_of
from tui.tools.desk import Desk
from tui.tools.registry import validate
from tui.tools.todo import Todo

TODO = Todo()


async def test_the_plan_is_kept_and_told_to_people(folder: Path) -> None:
    desk = Desk()
    items = [{"text": "read", "state": "done"}, {"text": "mend", "state": "active"}]
    outcome = await outcome_of(TODO, folder, desk=desk, items=items)
    assert outcome.content == "The plan is kept: 1 of 2 done."
    assert outcome.detail == {"todo": items}
    assert desk.todo_text() == "[x] read\n[>] mend"
    again = Desk()
    again.recall([outcome.detail])
    assert again.plan == desk.plan
    assert (await outcome_of(TODO, folder, desk=desk, items=[])).content == "The plan is empty now."
    assert not desk.plan


def test_a_wrong_state_is_explained() -> None:
    problem = validate(TODO, {"items": [{"text": "x", "state": "later"}]})
    assert problem is not None and "later" in problem and "items (a list)" in problem
