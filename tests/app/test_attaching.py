"""Images: by path, pasted, dropped or from the clipboard; shown before they are sent, and refused with a clear word."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual import events

from tests.app.driving import Driver, opened
from tests.pictures import picture_bytes
from tests.scripted import Reply, ScriptedServer, fault, pause, text

Model = Callable[..., ScriptedServer]
UNSEEING = "[backends.lab.rules]\nimages = false\n"


@pytest.fixture
def shot(folder: Path) -> Path:
    """A picture in the folder."""
    path = folder / "shot.png"
    path.write_bytes(picture_bytes(1200, 800))
    return path


def sent(server: ScriptedServer, request: int = -1) -> list[bytes]:
    """The images of the last message of a request."""
    content = server.requests[request].messages[-1]["content"]
    parts: list[Any] = content if isinstance(content, list) else []
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    return [base64.b64decode(url.partition(",")[2]) for url in urls]


async def paste(it: Driver, text: str) -> None:
    it.app.post_message(events.Paste(text))
    await it.pilot.pause()


async def test_an_image_is_attached_by_its_path_shown_and_sent_with_the_message(
    folder: Path, model: Model, shot: Path
) -> None:
    server = model("A teal field.", "Yes.")
    async with opened(folder) as it:
        await it.say("/attach shot.png")
        await it.until_shown("shot.png 1200×800", "kB", "backspace takes off")
        await it.say("what is this?")
        await it.until_shown("[image shot.png 1200×800]", "A teal field.")
        await it.until_done()
        assert "backspace takes off" not in it.screen
        assert sent(server) == [shot.read_bytes()]
        await it.say("really?")
        await it.until_shown("Yes.")
        assert sent(server) == []
        assert it.chat.prompt.past.entries[-1] == "really?"


async def test_enter_alone_sends_the_image(folder: Path, model: Model, shot: Path) -> None:
    server = model("A teal field.")
    async with opened(folder) as it:
        await it.say("/attach shot.png")
        await it.until_shown("shot.png 1200×800")
        await it.press("enter")
        await it.until_shown("A teal field.")
        assert sent(server) == [shot.read_bytes()]


async def test_the_at_sign_completes_files_and_picking_an_image_attaches_it(
    folder: Path, model: Model, shot: Path
) -> None:
    server = model("Seen.")
    (folder / "pictures").mkdir()
    (folder / "pictures" / "a cat.webp").write_bytes(picture_bytes(30, 20, "WEBP"))
    (folder / "notes.txt").write_text("notes")
    async with opened(folder) as it:
        await it.write("compare @sh")
        await it.until_shown("shot.png", "attach this image")
        await it.press("tab")
        await it.until_shown("shot.png 1200×800")
        assert it.prompt == "compare "
        await it.write("with @pic")
        await it.until_shown("pictures/")
        await it.press("tab")
        await it.until_shown("pictures/a cat.webp")
        await it.press("enter")
        await it.until_shown("a cat.webp 30×20")
        await it.write("and @no")
        await it.until_shown("notes.txt")
        await it.press("tab")
        assert it.prompt == "compare with and notes.txt "
        await it.press("enter")
        await it.until_shown("Seen.")
        assert len(sent(server)) == 2


@pytest.mark.parametrize(
    "pasted",
    ["{folder}/my shot.png", "'{folder}/my shot.png' ", "{folder}/my\\ shot.png", "file://{folder}/my%20shot.png\n"],
)
async def test_a_path_that_is_pasted_or_dropped_becomes_the_image(folder: Path, model: Model, pasted: str) -> None:
    model()
    (folder / "my shot.png").write_bytes(picture_bytes())
    async with opened(folder) as it:
        await paste(it, pasted.format(folder=folder))
        await it.until_shown("my shot.png 4×3")
        assert it.prompt == ""


async def test_several_files_are_dropped_at_once_and_told_by_what_is_in_them(folder: Path, model: Model) -> None:
    server = model("Both.")
    for name, kind in (("one", "JPEG"), ("two.dat", "GIF")):
        (folder / name).write_bytes(picture_bytes(5, 6, kind))
    async with opened(folder) as it:
        await paste(it, f"{folder}/one {folder}/two.dat")
        await it.until_shown("one 5×6", "two.dat 5×6")
        await it.say("compare")
        await it.until_shown("Both.")
        parts = server.requests[-1].messages[-1]["content"]
        kinds = [part["image_url"]["url"].split(";")[0] for part in parts if part["type"] == "image_url"]
        assert kinds == ["data:image/jpeg", "data:image/gif"]


@pytest.mark.parametrize(
    "pasted", ["/etc/hosts", "look at {folder}/shot.png", "/no/such.png", "~nobody-here/x.png", "'/unclosed.png"]
)
async def test_any_other_text_is_pasted_as_it_is(folder: Path, model: Model, shot: Path, pasted: str) -> None:
    model()
    async with opened(folder) as it:
        text = pasted.format(folder=folder)
        await paste(it, text)
        await it.until(lambda: it.prompt == text, "it is written")
        assert it.chat.attaching.images == ()


async def test_a_broken_image_says_so_and_its_path_stays(folder: Path, model: Model, shot: Path) -> None:
    model()
    shot.write_bytes(picture_bytes()[:40])
    async with opened(folder) as it:
        await paste(it, str(shot))
        await it.until_shown("shot.png cannot be read as an image")
        assert it.prompt == str(shot)
        await it.press("ctrl+c")
        (folder / "words.png").write_text("no picture")
        for path, word in (("words.png", "is no image that can be sent"), ("gone.png", "such")):
            await it.say(f"/attach {path}")
            await it.until_shown(word)
        await it.say("/attach")
        await it.until_shown("which image?")


async def test_backspace_in_an_empty_prompt_and_a_click_take_an_image_off(
    folder: Path, model: Model, shot: Path
) -> None:
    server = model("Fine.")
    async with opened(folder) as it:
        for name in ("a.png", "b.png", "c.png"):
            (folder / name).write_bytes(picture_bytes())
            await it.say(f"/attach {name}")
            await it.until_shown(f"{name} 4×3")
        await it.write("x")
        await it.press("backspace")
        assert "c.png" in it.screen
        await it.press("backspace")
        await it.until(lambda: "c.png" not in it.screen, "the last one is off")
        await it.pilot.click("#attachments", offset=(4, 0))
        await it.until(lambda: "a.png" not in it.screen, "the first one is off")
        await it.say("one")
        await it.until_shown("Fine.")
        assert len(sent(server)) == 1


async def test_a_model_that_cannot_see_is_said_and_nothing_is_sent(folder: Path, model: Model, shot: Path) -> None:
    server = model("Words are fine.", config=UNSEEING)
    async with opened(folder) as it:
        await it.say("/attach shot.png")
        await it.until_shown("cannot see images")
        await it.say("what is this?")
        await it.until_shown("cannot see images")
        assert it.prompt == "what is this?"
        assert "shot.png 1200×800" in it.screen
        assert not server.requests
        await it.press("ctrl+c", "backspace")
        await it.say("hello")
        await it.until_shown("Words are fine.")


async def test_a_message_that_waits_keeps_its_image_and_comes_back_with_it(
    folder: Path, model: Model, shot: Path
) -> None:
    server = model(Reply(text("one"), pause()), "two")
    async with opened(folder) as it:
        await it.say("first")
        await it.until_shown("one")
        await it.say("/attach shot.png")
        await it.until_shown("shot.png 1200×800")
        await it.say("second")
        await it.until_shown("next  second [image]")
        assert "backspace takes off" not in it.screen
        await it.press("up")
        await it.until_shown("shot.png 1200×800")
        assert it.prompt == "second"
        await it.press("enter")
        server.release()
        await it.until_shown("two")
        assert (sent(server, 0), sent(server, 1)) == ([], [shot.read_bytes()])


async def test_a_message_that_failed_comes_back_with_its_image(folder: Path, model: Model, shot: Path) -> None:
    server = model(fault(400, message="no such thing"), "now")
    async with opened(folder) as it:
        await it.say("/attach shot.png")
        await it.until_shown("shot.png 1200×800")
        await it.say("what?")
        await it.until_shown("no such thing", "backspace takes off")
        await it.until_done()
        await it.press("enter")
        await it.until_shown("now")
        assert sent(server, 0) == sent(server, 1) == [shot.read_bytes()]


PROGRAMS = {
    "wl-paste": ("WAYLAND_DISPLAY", '[ "$1" = --list-types ] && echo text/html image/png || cat "$SHOT"'),
    "xclip": ("DISPLAY", '[ "$5" = TARGETS ] && echo TARGETS image/png || cat "$SHOT"'),
}


@pytest.mark.parametrize("program", PROGRAMS)
async def test_ctrl_v_attaches_what_is_on_the_clipboard(
    folder: Path, model: Model, shot: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    model()
    display, script = PROGRAMS[program]
    clipboard(monkeypatch, folder, display, shot)
    path = folder / "bin" / program
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    async with opened(folder) as it:
        await it.press("ctrl+v")
        await it.until_shown("1200×800")


@pytest.mark.parametrize(
    "display,word",
    [
        ("WAYLAND_DISPLAY", "wl-paste is not installed"),
        ("DISPLAY", "xclip is not installed"),
        ("NONE", "no desktop is known"),
    ],
)
async def test_without_a_clipboard_that_can_be_read_a_word_says_what_to_do(
    folder: Path, model: Model, shot: Path, monkeypatch: pytest.MonkeyPatch, display: str, word: str
) -> None:
    model()
    clipboard(monkeypatch, folder, display, shot)
    async with opened(folder) as it:
        await it.press("ctrl+v")
        await it.until_shown(word, "/attach PATH")


async def test_a_clipboard_without_an_image_says_so_and_what_was_asked(
    folder: Path, model: Model, shot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model()
    clipboard(monkeypatch, folder, "DISPLAY", shot)
    path = folder / "bin" / "xclip"
    path.write_text("#!/bin/sh\nexit 1\n")
    path.chmod(0o755)
    async with opened(folder) as it:
        await it.press("ctrl+v")
        await it.until_shown("there is no image on the clipboard", "Asked with xclip")


@pytest.mark.parametrize(("name", "words"), [("pictures", "is a folder"), ("shot.png", "Is the file whole?")])
async def test_a_folder_and_a_torn_image_are_told_from_a_missing_file(
    folder: Path, model: Model, shot: Path, name: str, words: str
) -> None:
    model()
    shot.write_bytes(shot.read_bytes()[:-200])
    (folder / "pictures").mkdir()
    async with opened(folder) as it:
        await it.say(f"/attach {name}")
        await it.until_shown(words)


def clipboard(monkeypatch: pytest.MonkeyPatch, folder: Path, display: str, shot: Path) -> None:
    """A desktop whose only programs are those in `bin`."""
    for name in ("WAYLAND_DISPLAY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(display, ":1")
    monkeypatch.setenv("SHOT", str(shot))
    (folder / "bin").mkdir()
    (folder / "bin" / "cat").symlink_to("/bin/cat")
    monkeypatch.setenv("PATH", str(folder / "bin"))
