"""Images on the command line of `run`."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import PIL.Image

from tests.scripted import Reply, ScriptedServer


def mimo(*args: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tui", *args]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=os.environ, timeout=60
    )


def settle(home: Path, server: ScriptedServer, rules: str = "") -> None:
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "mimo-tui"
    folder.mkdir(parents=True, exist_ok=True)
    text = f'[defaults]\nbackend = "lab"\n[backends.lab]\nbase_url = "{server.base_url}"\nmodel = "scripted"\n'
    (folder / "config.toml").write_text(text + 'credential = "none"\n' + rules)


def test_an_image_goes_along_with_the_prompt(
    home: Path, tmp_path: Path, scripted: Callable[..., ScriptedServer]
) -> None:
    server = scripted([Reply("A cat.")])
    settle(home, server)
    out = io.BytesIO()
    PIL.Image.new("RGB", (8, 8), "red").save(out, "PNG")
    (tmp_path / "cat.png").write_bytes(out.getvalue())
    done = mimo("run", "What is this?", "--image", "cat.png", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "A cat.\n"), done.stderr
    (message,) = [m for m in server.requests[0].body["messages"] if m["role"] == "user"]
    url = f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
    assert {"type": "image_url", "image_url": {"url": url}} in message["content"]
    assert {"type": "text", "text": "What is this?"} in message["content"]


def test_a_broken_image_or_a_model_that_cannot_see_ends_with_2_and_asks_nobody(
    home: Path, tmp_path: Path, scripted: Callable[..., ScriptedServer]
) -> None:
    server = scripted([])
    settle(home, server, "[backends.lab.rules]\nimages = false\n")
    PIL.Image.new("RGB", (8, 8), "red").save(tmp_path / "cat.png")
    (tmp_path / "broken.png").write_text("no image")
    for name, words in {"cat.png": "cannot see", "broken.png": "no image", "none.png": "no such file"}.items():
        done = mimo("run", "What is this?", "--image", name, folder=tmp_path)
        assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
    assert server.requests == []
