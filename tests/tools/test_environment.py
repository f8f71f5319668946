"""What programs that tools start are given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tui.tools.environment import tool_environment


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("/usr/lib/cuda:", "/usr/lib/cuda"),
        (":/usr/lib/cuda::lib:./lib", "/usr/lib/cuda"),
        ("{project}/lib:/usr/lib/cuda:{project}/../project", "/usr/lib/cuda"),
        ("/usr/lib/cuda;{project}/lib;lib:;", "/usr/lib/cuda"),
        (":", None),
        ("", None),
    ],
)
def test_no_library_is_loaded_from_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, kept: str | None
) -> None:
    """The sandbox's own program would load it, outside of the sandbox. An empty part means the current folder."""
    project = tmp_path / "project"
    (project / "lib").mkdir(parents=True)
    monkeypatch.chdir(project)
    monkeypatch.setenv("LD_LIBRARY_PATH", given.format(project=project))
    assert tool_environment().get("LD_LIBRARY_PATH") == kept
    assert os.environ["LD_LIBRARY_PATH"] == given.format(project=project)
