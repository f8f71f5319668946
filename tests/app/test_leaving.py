"""ctrl+c and other ways out, at any moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.app.driving import configure, opened
from tests.scripted import Reply, ScriptedServer, pause, text
from tui.settings.log import log_file

Model = Callable[..., ScriptedServer]


async def test_ctrl_c_clears_the_text_and_up_brings_it_back(folder: Path, model: Model) -> None:
    model()
    async with opened(folder) as it:
        await it.write("a long thought")
        await it.press("ctrl+c")
        assert it.prompt == ""
        await it.press("up")
        assert it.prompt == "a long thought"


async def test_ctrl_c_on_an_empty_prompt_quits_at_the_second_time(folder: Path, model: Model) -> None:
    model()
    async with opened(folder) as it:
        await it.press("ctrl+c")
        await it.until_shown("ctrl+c again")
        assert it.app.is_running
        await it.press("ctrl+c")
        await it.until(lambda: not it.app.is_running, "it ended")
        assert it.app.problem is None


async def test_ctrl_d_quits_only_from_an_empty_prompt(folder: Path, model: Model) -> None:
    model()
    async with opened(folder) as it:
        await it.write("x")
        await it.press("ctrl+d")
        assert it.app.is_running
        await it.press("backspace", "ctrl+d")
        await it.until(lambda: not it.app.is_running, "it ended")


async def test_ctrl_c_closes_what_is_open_first(folder: Path, model: Model) -> None:
    model()
    async with opened(folder) as it:
        await it.say("/help")
        await it.until_shown("Commands")
        await it.press("ctrl+c")
        await it.until(lambda: it.app.screen is it.chat, "help is closed")
        assert it.app.is_running


async def test_ctrl_c_copies_what_is_marked_in_the_prompt(folder: Path, model: Model) -> None:
    model()
    async with opened(folder) as it:
        await it.write("words")
        await it.press("f7", "ctrl+c")
        assert it.app.clipboard == "words"
        assert it.prompt == "words"


async def test_ctrl_c_stops_the_turn_first_and_keeps_what_was_written(folder: Path, model: Model) -> None:
    model(Reply(text("on and on"), pause()), may_complain=True)
    async with opened(folder) as it:
        await it.say("go")
        await it.until_shown("on and on")
        await it.write("next")
        await it.press("ctrl+c")
        await it.until(lambda: not it.chat.talk.is_working, "the turn is stopped")
        assert "ctrl+c stopped the turn" in it.screen
        assert it.app.is_running and it.prompt == "next"


async def test_one_can_quit_in_the_middle_of_an_answer(folder: Path, model: Model) -> None:
    model(Reply(text("on and on"), pause()), may_complain=True)
    async with opened(folder) as it:
        await it.say("go")
        await it.until_shown("on and on")
        await it.press("ctrl+q")
        await it.until(lambda: not it.app.is_running, "it ended")
        assert it.app.problem is None


async def test_one_can_quit_from_the_first_screen(home: Path, folder: Path) -> None:
    configure(None)
    async with opened(folder) as it:
        await it.until_shown("Who should answer?")
        await it.press("ctrl+c")
        await it.until(lambda: it.app.screen is it.chat, "it is closed")
        await it.press("ctrl+c", "ctrl+c")
        await it.until(lambda: not it.app.is_running, "it ended")


async def test_a_mistake_of_ours_ends_in_a_line_and_the_log_has_the_rest(folder: Path, model: Model) -> None:
    model()
    async with opened(folder) as it:
        it.chat.call_later(lambda: 1 / 0)
        await it.until(lambda: it.app.problem is not None, "it ended")
        assert it.app.problem is not None
        assert "Traceback" not in it.app.problem.message
        assert str(log_file()) in it.app.problem.message
        assert "ZeroDivisionError" in log_file().read_text()
        it.app._exception = None  # it was meant: the pilot need not raise it again


async def test_a_worker_of_ours_that_breaks_is_said_and_the_program_goes_on(folder: Path, model: Model) -> None:
    model("Hello.")

    async def broken() -> None:
        raise ZeroDivisionError

    async with opened(folder) as it:
        it.chat.run_worker(broken(), exit_on_error=False)
        await it.until_shown("something went wrong that should not")
        assert "ZeroDivisionError" in log_file().read_text()
        await it.say("hi")
        await it.until_shown("Hello.")


async def test_ctrl_c_copies_what_is_marked_in_an_answer(folder: Path, model: Model) -> None:
    model("Hello there.")
    async with opened(folder) as it:
        await it.say("hi")
        await it.until_shown("Hello there.")
        await it.until_done()
        y = next(y for y, line in enumerate(it.screen.splitlines()) if "Hello there." in line)
        x = it.screen.splitlines()[y].index("Hello")
        await it.pilot.mouse_down(offset=(x, y))
        await it.pilot.hover(offset=(x + 5, y))
        await it.pilot.mouse_up(offset=(x + 5, y))
        await it.press("ctrl+c")
        assert it.app.clipboard.strip() == "Hello"
