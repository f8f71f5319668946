"""What markdown looks like."""

from __future__ import annotations

import pytest

from tests.widgets.transcript.stage import Stage, answered
from tui.widgets.transcript import engines
from tui.widgets.transcript.markdown import draw_markdown
from tui.widgets.transcript.palette import palette_of
from tui.widgets.transcript.stack import Pen


@pytest.fixture(autouse=True)
def warm() -> None:
    engines.warm()


def drawn(source: str, width: int = 60) -> list[str]:
    lines = draw_markdown(source, Pen(width, palette_of({})), {})
    assert all(line.strip.cell_length == width for line in lines)
    return [line.strip.text.rstrip() for line in lines]


def test_headings_have_no_hashes() -> None:
    assert drawn("# One\n## Two\n") == [" One", "", " Two"]


def test_lists_have_bullets_numbers_and_hanging_indents() -> None:
    source = "- one two three four\n  - inner\n- two\n\n3. three\n4. four\n"
    assert drawn(source, 16) == [
        " • one two",
        "   three four",
        "   ◦ inner",
        " • two",
        "",
        " 3. three",
        " 4. four",
    ]


def test_a_loose_list_has_blank_lines_between_its_items() -> None:
    assert drawn("- one\n\n- two\n") == [" • one", "", " • two"]


def test_a_quote_has_a_bar_on_every_line() -> None:
    assert drawn("> one\n>\n> two\n") == [" ▎ one", " ▎", " ▎ two"]


def test_line_breaks_of_the_source_stay() -> None:
    assert drawn("Roses are red,\nviolets are blue.\n") == [" Roses are red,", " violets are blue."]


def test_code_keeps_its_lines_and_names_its_language() -> None:
    assert drawn("```python\ndef f():\n\treturn 1\n```\n") == ["  python", "  def f():", "      return 1"]


def test_code_that_is_too_wide_is_broken_and_loses_nothing() -> None:
    rows = drawn("```\n" + "x" * 100 + "\n```\n", 40)
    assert "".join(row.strip() for row in rows) == "x" * 100


def test_a_table_is_aligned_under_its_head() -> None:
    assert drawn("| name | n |\n|:---|--:|\n| one | 1 |\n| `two` | 22 |\n") == [
        " name │   n",
        " ─────┼────",
        " one  │   1",
        " two  │  22",
    ]


def test_a_table_that_is_too_wide_wraps_its_widest_column() -> None:
    rows = drawn("| a | b |\n|---|---|\n| 1 | " + "word " * 20 + "|\n", 40)
    assert max(len(row) for row in rows) <= 39
    assert " ".join(rows).count("word") == 20


def test_raw_html_is_shown_as_text() -> None:
    assert drawn("<b>x</b> <!-- y -->\n") == [" <b>x</b> <!-- y -->"]


def test_an_image_is_its_text() -> None:
    assert drawn("![a cat](https://example.org/cat.png)\n") == [" [a cat]"]


def test_a_link_that_pretends_to_be_another_is_followed_by_its_address() -> None:
    assert drawn("[https://good.example](https://evil.example/x)\n") == [
        " https://good.example (https://evil.example/x)"
    ]
    assert drawn("[the manual](https://good.example/x)\n") == [" the manual"]


def test_a_link_that_cannot_be_opened_shows_what_it_would_run() -> None:
    assert drawn("[click](javascript:alert(1))\n") == [" click (javascript:alert(1))"]


def test_nothing_is_lost_however_deep_it_is_nested() -> None:
    assert "found" in " ".join(drawn(">" * 200 + " found\n"))
    for depth in range(1, 30):
        nested = "".join("  " * level + f"- level {level}.\n" for level in range(depth))
        text = " ".join(drawn(nested, 120))
        assert all(f"level {level}." in text for level in range(depth))


async def test_prose_is_not_wider_than_a_hundred_cells_on_a_wide_screen() -> None:
    app = Stage()
    async with app.run_test(size=(200, 24)):
        app.show(answered("word " * 100))
        assert 90 < max(len(line) for line in app.lines() if "word" in line) <= 101


async def test_a_reference_that_is_defined_below_becomes_a_link() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(answered("See [the manual][m].\n\nMore.\n\n[m]: https://example.org/manual\n"))
        row = next(y for y, line in enumerate(app.lines()) if "the manual" in line)
        assert app.lines()[row] == " See the manual."
        await pilot.click(offset=(8, row))
        assert app.links == ["https://example.org/manual"]
