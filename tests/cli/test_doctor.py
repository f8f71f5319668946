"""`doctor` says what works here, and ends with 1 only for what is needed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui.cli import main
from tui.tools.sandbox import find_sandbox


def test_all_that_is_needed_is_there(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    sandbox = find_sandbox()
    assert (sandbox.name if sandbox else "none works here") in out
    for what in ("program", "settings", "log", "limits", "ripgrep", "keyring", "embedded", "terminal"):
        assert f" {what} " in out
    assert list(home.iterdir()) == []


def test_a_mistake_in_the_settings_is_told_with_its_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / ".config/mimo-tui/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[agent]\npolicy = 'yes'\n")
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "BROKEN settings" in out and "config.toml" in out and "policy" in out


def test_a_place_that_cannot_be_written_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".local").write_text("a file")
    assert main(["doctor"]) == 1
    assert f"{home}/.local/state/mimo-tui cannot be written, because of {home}/.local" in capsys.readouterr().out


def test_where_only_landlock_works_its_gaps_are_told(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tui.tools import environment, sandbox
    from tui.tools.landlock import find_landlock

    landlock, _ = find_landlock()
    if landlock is None:
        pytest.skip("needs a kernel with Landlock")
    monkeypatch.setattr(environment, "_SYSTEM_FOLDERS", ())
    monkeypatch.setenv("PATH", os.fspath(home))
    sandbox._tried.cache_clear()
    try:
        assert main(["doctor"]) == 0
    finally:
        sandbox._tried.cache_clear()
    out = capsys.readouterr().out
    assert "Landlock, which has gaps" in out and all(gap in out for gap in landlock.gaps)


def test_servers_of_tools_are_named_with_what_is_missing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / ".config/mimo-tui/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text('[mcp.shell]\ncommand = ["sh"]\n[mcp.gone]\ncommand = ["no-such-server"]\n')
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert (
        "note   mcp          gone: there is no program no-such-server" in out and "ok     mcp          shell: /" in out
    )
