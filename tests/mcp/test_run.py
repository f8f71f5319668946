"""`mimo-tui run` with servers of tools, from the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.driving import configure
from tests.scripted import Reply, ScriptedServer, tool_call

pytestmark = pytest.mark.slow

NOW = "mcp__time__get_current_time"
SERVER = f"""
[mcp.time]
command = ["{sys.executable}", "-m", "mcp_server_time"]
"""
ALLOWED = f"""
[[agent.allow]]
tool = "{NOW}"
"""


def _run(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tui", "run", "What time is it?", "--mode", "agent", "--policy", "auto"]
    done = subprocess.run(command, cwd=folder, env=dict(os.environ), input="", capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    return done


def test_a_tool_of_a_server_runs_when_a_rule_allows_it_and_is_denied_otherwise(
    home: Path, tmp_path: Path, scripted: Callable[..., ScriptedServer]
) -> None:
    replies = [Reply(tool_call(NOW, {"timezone": "Asia/Tokyo"})), "It is late."]
    server = scripted(2 * replies)
    configure(server, SERVER)
    denied = _run(tmp_path)
    assert denied.returncode == 3 and "nobody is here to give it" in denied.stderr
    configure(server, SERVER + ALLOWED)
    done = _run(tmp_path)
    assert done.returncode == 0 and done.stdout == "It is late.\n"
    assert "Asia/Tokyo" in str(server.requests[-1].body["messages"][-1])
