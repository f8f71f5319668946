"""The status line at any width."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult

from tui.widgets.status import Status, StatusLine, context_text, cost_text, count_text, fit, len_of, parts

FULL = Status(
    mode="agent",
    next_mode="chat",
    backend="mimo",
    model="mimo-v2.6-pro",
    context_tokens=12_345,
    context_window=131_072,
    cost=0.0123,
    sandbox="sandbox",
    queued=2,
    working="working 3s",
    hint="esc stops",
)


async def drawn(status: Status, width: int) -> str:
    class Line(App[None]):
        def compose(self) -> ComposeResult:
            yield StatusLine()

    app = Line()
    async with app.run_test(size=(width, 3)) as pilot:
        line = app.query_one(StatusLine)
        line.status = status
        await pilot.pause()
        return line.render().plain


async def test_it_tells_all_where_there_is_room() -> None:
    text = await drawn(FULL, 160)
    for part in ("agent → chat", "mimo/mimo-v2.6-pro", "12.3k/131k 9%", "$0.012", "sandbox", "2 queued", "working 3s"):
        assert part in text
    assert text.endswith("esc stops")


@pytest.mark.parametrize("width", [1, 5, 20, 40, 60, 80, 120])
async def test_it_is_never_wider_than_its_place(width: int) -> None:
    assert cell_len(await drawn(FULL, width)) <= width


@pytest.mark.parametrize("width", range(0, 160, 7))
def test_the_mode_and_who_answers_are_the_last_to_go(width: int) -> None:
    left, right = fit(*parts(FULL), width=width)
    assert len_of(left) + len_of(right) <= width
    if right and left:
        assert left[0].style == "mode"


@pytest.mark.parametrize("width", [9, 20, 40, 60, 80])
async def test_how_to_stop_outlives_the_rest(width: int) -> None:
    assert (await drawn(FULL, width)).endswith("esc stops")


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("model", ["mimo-v2.6-pro", "a-model-with-a-name-that-is-as-long-as-names-of-models-get"])
async def test_while_a_question_stands_what_holds_commands_in_stays(width: int, model: str) -> None:
    asked = replace(FULL, next_mode=None, model=model, policy="ask", queued=0, hint="ctrl+y answers")
    text = await drawn(asked, width)
    assert "sandbox" in text and text.endswith("ctrl+y answers")


async def test_markup_and_controls_in_names_are_only_text() -> None:
    text = await drawn(Status(backend="[red]x[/red]", model="\x1b[31mm"), 80)
    assert "[red]x[/red]/␛[31mm" in text


async def test_no_backend_is_said() -> None:
    assert "no backend" in await drawn(Status(backend=""), 80)


async def test_before_anything_is_known_the_mode_stands_alone() -> None:
    assert (await drawn(Status(hint="/ commands"), 80)).split() == ["chat", "/", "commands"]


def test_what_is_not_known_is_not_made_up() -> None:
    assert cost_text(None) == "$–"
    assert context_text(None, None) == ""
    assert context_text(None, 131_072) == "–/131k"
    assert context_text(500, None) == "500 tokens"


def test_costs_have_the_places_that_tell_something() -> None:
    assert [cost_text(cost) for cost in (0.0, 0.00001, 0.0042, 0.5, 12.3)] == [
        "$0.00",
        "<$0.001",
        "$0.004",
        "$0.500",
        "$12.30",
    ]


def test_tokens_are_short() -> None:
    assert [count_text(n) for n in (0, 999, 1000, 32768, 128_000, 999_999, 1_048_576)] == [
        "0",
        "999",
        "1k",
        "32.8k",
        "128k",
        "1000k",
        "1.0M",
    ]
