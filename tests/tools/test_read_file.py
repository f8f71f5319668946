"""What a model sees of a file."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.tools.running import content_of, error_of
from tui.tools.read_file import ReadFile

READ = ReadFile()


async def test_lines_have_their_numbers(folder: Path) -> None:
    (folder / "a").write_text("one\n\n  three\n")
    assert await content_of(READ, folder, path="a") == "1\tone\n2\t\n3\t  three"


async def test_a_last_line_without_its_end_is_a_line(folder: Path) -> None:
    (folder / "a").write_text("one\ntwo")
    assert await content_of(READ, folder, path="a") == "1\tone\n2\ttwo"


async def test_a_part_is_shown_with_its_place(folder: Path) -> None:
    (folder / "a").write_text("".join(f"line {n}\n" for n in range(1, 121)))
    assert await content_of(READ, folder, path="a", start=99, lines=2) == (
        " 99\tline 99\n100\tline 100\n[lines 99 to 100 of 120; read on with start=101]"
    )
    assert (await content_of(READ, folder, path="a", start=120)).endswith("[lines 120 to 120 of 120]")


async def test_a_long_file_is_cut_and_says_how_to_read_on(folder: Path) -> None:
    (folder / "a").write_text("x\n" * 5000)
    content = await content_of(READ, folder, path="a")
    assert content.endswith("2000\tx\n[lines 1 to 2000 of 5000; read on with start=2001]")
    assert (await content_of(READ, folder, path="a", lines=4000)).count("\tx") == 4000


async def test_reading_on_reaches_every_line_once(folder: Path) -> None:
    lines = [f"{n} {'y' * (n % 700)}" for n in range(1500)]
    (folder / "a").write_text("\n".join(lines))
    seen: list[str] = []
    while len(seen) < len(lines):
        content = await content_of(READ, folder, path="a", start=len(seen) + 1)
        assert len(content) < 80_000
        shown = [line for line in content.split("\n") if not line.startswith("[")]
        seen += [line.partition("\t")[2] for line in shown]
    assert seen == lines


async def test_a_very_long_line_is_cut(folder: Path) -> None:
    (folder / "a").write_text("ä" * 1_000_000 + "\nnext\n")
    content = await content_of(READ, folder, path="a")
    assert len(content) < 3000 and "more characters in this line" in content
    assert content.endswith("2\tnext")


async def test_windows_line_ends_are_not_shown(folder: Path) -> None:
    (folder / "a").write_bytes(b"one\r\ntwo\r\n")
    assert await content_of(READ, folder, path="a") == "1\tone\n2\ttwo"


@pytest.mark.parametrize(
    ("data", "note"),
    [
        ("süß\n".encode(), ""),
        ("süß\n".encode("utf-8-sig"), ""),
        ("süß\n".encode("utf-16"), "\n[encoded as utf-16-le]"),
        ("süß\n".encode("utf-16-be").join([b"\xfe\xff", b""]), "\n[encoded as utf-16-be]"),
        ("süß\n".encode("latin-1"), "\n[not valid UTF-8, so the lines that are not are shown as Latin-1]"),
    ],
)
async def test_encodings_are_understood_and_told(folder: Path, data: bytes, note: str) -> None:
    (folder / "a").write_bytes(data)
    assert await content_of(READ, folder, path="a") == f"1\tsüß{note}"


async def test_an_empty_file_says_so(folder: Path) -> None:
    (folder / "a").touch()
    assert await content_of(READ, folder, path="a") == "The file is empty."


async def test_a_start_past_the_end_says_how_long_the_file_is(folder: Path) -> None:
    (folder / "a").write_text("one\ntwo\n")
    assert await error_of(READ, folder, path="a", start=3) == "The file has 2 lines: start=3 is past its end."


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "binary file (PNG image, 10 B)"),
        (b"\x7fELF\0", "ELF program"),
        (b"ab\0cd", "binary file (unknown type, 5 B)"),
    ],
)
async def test_a_binary_file_is_refused_with_its_type_and_size(folder: Path, data: bytes, words: str) -> None:
    (folder / "a").write_bytes(data)
    assert words in await error_of(READ, folder, path="a")


async def test_a_missing_file_names_what_is_near(folder: Path) -> None:
    (folder / "src").mkdir()
    (folder / "src" / "settings.py").touch()
    assert await error_of(READ, folder, path="src/setings.py") == (
        "src/setings.py does not exist. Near it in src: settings.py."
    )
    assert "Near it in .: src" in await error_of(READ, folder, path="scr/settings.py")


async def test_a_folder_says_what_to_use(folder: Path) -> None:
    (folder / "src").mkdir()
    assert await error_of(READ, folder, path="src") == "src is a folder: use list_files."


async def test_a_pipe_or_socket_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert await error_of(READ, folder, path="pipe") == "pipe is not a regular file."
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "s"))
        assert "not a regular file" in await error_of(READ, folder, path="s")
    assert "not a regular file" in await error_of(READ, folder, path="/dev/zero")


async def test_what_can_be_no_path_is_a_plain_error(folder: Path) -> None:
    assert "NUL" in await error_of(READ, folder, path="a\0b")
    assert "too long" in await error_of(READ, folder, path="x" * 300)
    assert "not a usable path" in await error_of(READ, folder, path="\ud800")
    (folder / "a").symlink_to("a")
    assert "circle" in await error_of(READ, folder, path="a")
    (folder / "file").touch()
    assert await error_of(READ, folder, path="file/x")


async def test_files_of_unknown_size_are_read(folder: Path) -> None:
    assert "processor" in await content_of(READ, folder, path="/proc/cpuinfo", lines=3)


async def test_odd_names_stay_on_one_line(folder: Path) -> None:
    (folder / "a\nb").mkdir()
    assert "\n" not in await error_of(READ, folder, path="a\nb")
