"""Commands that run in the background: what `/jobs` shows and stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.core.errors import UsageError
from tui.core.text import clean_line, reveal_line
from tui.screens.choice import Choice

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen
    from tui.tools.background import Job
    from tui.tools.desk import Desk

_COMMAND_CHARACTERS, _OUTPUT_CHARACTERS = 60, 80


def show_jobs(screen: ChatScreen, desk: Desk, words: str) -> None:
    """List them, the one that is chosen is stopped; or stop one by its number. Raises UsageError."""
    from tui.screens.picker import Picker

    jobs = {str(job.number): job for job in desk.background}
    if words:
        verb, _, number = words.partition(" ")
        if verb != "stop" or number.strip() not in jobs:
            there = ", ".join(jobs) or "none"
            raise UsageError(f"/jobs cannot do {words}", f"/jobs stop NUMBER stops one. There are: {there}.")
        _stop(screen, jobs[number.strip()])
        return
    if not jobs:
        screen.note.say("Nothing runs in the background.")
        return
    choices = [Choice(number, f"{number} {job.state}", _told(job)) for number, job in jobs.items()]
    picker = Picker("In the background: enter stops one", choices)
    screen.app.push_screen(picker, lambda chosen: _stop(screen, jobs[chosen]) if chosen else None)


def _told(job: Job) -> str:
    """Its command, and the last lines that it wrote. The state comes before them: it must not be cut off."""
    lines = [clean_line(line) for line in job.last_lines]
    command = reveal_line(job.command.command, _COMMAND_CHARACTERS)
    return " · ".join([command, *([clean_line(" ⏎ ".join(lines), _OUTPUT_CHARACTERS)] if lines else [])])


def _stop(screen: ChatScreen, job: Job) -> None:
    if not job.is_running:
        screen.note.say(f"Background command {job.number} runs no more: {job.state}.")
        return

    async def stop() -> None:
        await job.stop()
        screen.note.say(f"Background command {job.number} is stopped.")
        screen.overview.show()

    screen.run_worker(stop(), group="jobs", exit_on_error=False)
