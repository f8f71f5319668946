"""What a model sees of a file."""

from __future__ import annotations

import json
import os
import re
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pictures import picture_bytes
from tests.tools.running import content_of, error_of, outcome_of
from tui.tools.base import Outcome, ToolContext
from tui.tools.desk import Desk
from tui.tools.edit_file import EditFile
from tui.tools.read_file import ReadFile
from tui.tools.text_file import decode, encode

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


@pytest.mark.parametrize("character", ["a", "ä", "🐼"])
async def test_reading_on_by_columns_reaches_all_of_a_long_line(folder: Path, character: str) -> None:
    line = "".join(f"{n}{character}" for n in range(8000))
    (folder / "a").write_text(f"first\n{line}\nlast\n")
    content = await content_of(READ, folder, path="a", start=2, lines=1)
    read = ""
    while on := re.search(r"\t(.*) \[… about \d+ more characters in this line: read on with column=(\d+)\]", content):
        read += on[1]
        assert int(on[2]) == len(read) + 1
        content = await content_of(READ, folder, path="a", start=2, column=int(on[2]))
    rest, note = content.removeprefix("2\t").split("\n")
    assert read + rest == line and note == "[lines 2 to 2 of 3; read on with start=3]"


async def test_a_column_past_the_end_is_told(folder: Path) -> None:
    (folder / "a").write_text("one\nsüß\n")
    for column in (4, 5, 10_000):
        assert "Line 2 has 3 characters" in await error_of(READ, folder, path="a", start=2, column=column)
    assert (await content_of(READ, folder, path="a", start=2, column=3)).startswith("2\tß")


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
        ("süß\n".encode("latin-1"), "\n[encoded as cp1252]"),
    ],
)
async def test_encodings_are_understood_and_told(folder: Path, data: bytes, note: str) -> None:
    (folder / "a").write_bytes(data)
    assert await content_of(READ, folder, path="a") == f"1\tsüß{note}"


@pytest.mark.parametrize(
    ("encoding", "text", "told"),
    [
        ("cp1252", "# Größe „schön“ für €5", "cp1252"),
        ("latin-1", "# Copyright © 2020 José Núñez", "cp1252"),
        ("gbk", "# 读取配置文件", "gb18030"),
        ("gbk", "print('你好')", "gb18030"),
        ("gbk", "# 这是一个测试文件，用来检查编码", "gb18030"),
        ("shift_jis", "x = 'テスト'", "cp932"),
        ("shift_jis", "# 設定を読み込む", "cp932"),
        ("euc_jp", "# これはテストファイルです。文字コードを確認します 'こんにちは世界'", "euc_jp"),
        ("big5", "# 這是一個測試文件，用來檢查編碼", "big5"),
        ("euc_kr", "# 이것은 테스트 파일입니다. 안녕하세요", "cp949"),
        ("cp1251", "# Это тестовый файл для проверки", "cp1251"),
        ("koi8_r", "# Это тестовый файл для проверки кодировки, привет мир, здравствуй", "koi8_r"),
    ],
)
async def test_old_encodings_are_recognised_and_kept_by_an_edit(
    folder: Path, encoding: str, text: str, told: str
) -> None:
    code = "def main(argument):\n    return argument\n"
    (folder / "a").write_bytes(f"{code}{text}\n".encode(encoding))
    desk = Desk()
    outcome = await outcome_of(READ, folder, desk=desk, path="a")
    assert outcome.content.endswith(f"3\t{text}\n[encoded as {told}]")
    await content_of(EditFile(), folder, desk=desk, path="a", old=text, new=f"{text} {text}")
    assert (folder / "a").read_bytes() == f"{code}{text} {text}\n".encode(encoding)


async def test_a_broken_byte_in_utf8_stays_and_takes_nothing_with_it(folder: Path) -> None:
    (folder / "a").write_bytes("süß, größer, schöner, äöü\n".encode() + b"b\xffd\nend\n")
    desk = Desk()
    assert "2\tbÿd" in (await outcome_of(READ, folder, desk=desk, path="a")).content
    outcome = await outcome_of(EditFile(), folder, desk=desk, path="a", old="end", new="größter")
    outcome.detail["diff"].encode()  # it can be stored
    assert (folder / "a").read_bytes() == "süß, größer, schöner, äöü\n".encode() + b"b\xffd\n" + "größter\n".encode()


@given(st.binary(max_size=300))
def test_whatever_bytes_are_read_as_text_they_are_written_back(data: bytes) -> None:
    found = decode(data)
    assert encode(found.text, found) == data


async def test_an_image_is_shown_to_a_model_that_sees(folder: Path) -> None:
    (folder / "a.png").write_bytes(picture_bytes(40, 30))
    outcome = await outcome_of(READ, folder, path="a.png")
    assert "a.png is an image (image/png, 40 x 30 pixels" in outcome.content
    assert [image.name for image in outcome.images] == ["a.png"]


async def test_a_model_that_does_not_see_is_told_what_the_image_is(folder: Path) -> None:
    (folder / "a.jpg").write_bytes(picture_bytes(40, 30, "JPEG"))
    context = ToolContext(folder, None, sees_images=False)
    (outcome,) = [piece async for piece in READ.run({"path": "a.jpg"}, context)]
    assert isinstance(outcome, Outcome) and outcome.is_error and not outcome.images
    assert "40 x 30" in outcome.content and "you cannot see images" in outcome.content


async def test_a_notebook_is_shown_as_its_cells(folder: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "words"]},
        {
            "cell_type": "code",
            "source": "1 + 1",
            "outputs": [
                {"output_type": "execute_result", "data": {"text/plain": ["2"], "image/png": "AAAA" * 9999}},
                {"output_type": "stream", "text": ["said\n"]},
                {"output_type": "error", "ename": "NameError", "evalue": "x"},
            ],
        },
    ]
    (folder / "a.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4}))
    content = await content_of(READ, folder, path="a.ipynb")
    for line in (
        "[cell 1: markdown]",
        "# Title",
        "[cell 2: code]",
        "1 + 1",
        "2",
        "(image/png)",
        "said",
        "NameError: x",
    ):
        assert f"\t{line}\n" in content
    assert "AAAA" not in content and content.endswith("[a notebook, shown as its cells: edit_file works on its JSON]")


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": 3}', '{"cells": [{"source": "x"}]}'])
async def test_what_is_no_notebook_is_shown_as_it_is(folder: Path, text: str) -> None:
    (folder / "a.ipynb").write_text(text)
    assert await content_of(READ, folder, path="a.ipynb") == f"1\t{text}"


async def test_an_empty_file_says_so(folder: Path) -> None:
    (folder / "a").touch()
    assert await content_of(READ, folder, path="a") == "The file is empty."


async def test_a_start_past_the_end_says_how_long_the_file_is(folder: Path) -> None:
    (folder / "a").write_text("one\ntwo\n")
    assert await error_of(READ, folder, path="a", start=3) == "The file has 2 lines: start=3 is past its end."


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "an image that cannot be shown"),
        (b"%PDF-1.7\n%...\n", "a PDF document (14 B), which cannot be read here"),
        (b"\xfd7zXZ\x00", "binary file (xz data, 6 B)"),
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
