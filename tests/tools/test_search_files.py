"""What a model finds."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import pytest

from tests.tools.running import content_of, error_of, outcome_of
from tui.tools.read_file import ReadFile
from tui.tools.search_files import COLUMNS, MATCHES, MATCHES_A_FILE, SearchFiles

SEARCH = SearchFiles()


async def test_matches_are_grouped_by_file_with_their_lines(folder: Path) -> None:
    (folder / "src").mkdir()
    (folder / "src" / "a.py").write_text("import os\n\nos.getcwd()\n")
    (folder / "b.py").write_text("no\nos: yes\n")
    assert (await content_of(SEARCH, folder, pattern=r"\bos\b")).split("\n") == [
        "b.py",
        "     2: os: yes",
        "src/a.py",
        "     1: import os",
        "     3: os.getcwd()",
    ]


async def test_a_folder_or_a_file_can_be_searched(folder: Path) -> None:
    (folder / "src").mkdir()
    (folder / "src" / "a").write_text("x1\n")
    (folder / "b").write_text("x2\n")
    assert await content_of(SEARCH, folder, pattern="x", path="src") == "src/a\n     1: x1"
    assert await content_of(SEARCH, folder, pattern="x", path="b") == "b\n     1: x2"
    assert await content_of(SEARCH, folder, pattern="x", path=str(folder / "b")) == "b\n     1: x2"


async def test_nothing_found_is_no_error(folder: Path) -> None:
    assert await content_of(SEARCH, folder, pattern="absent") == "Nothing matches absent."


async def test_an_invalid_pattern_gives_the_reason(folder: Path) -> None:
    message = await error_of(SEARCH, folder, pattern="cla(ss")
    assert "unclosed group" in message and "cla(ss" in message and "PCRE2" not in message


async def test_patterns_that_look_like_options_are_patterns(folder: Path) -> None:
    (folder / "a").write_text("--files here\n")
    assert "--files here" in await content_of(SEARCH, folder, pattern="--files")
    (folder / "-x").write_text("needle\n")
    assert "needle" in await content_of(SEARCH, folder, pattern="needle", path="-x")


async def test_look_around_works(folder: Path) -> None:
    (folder / "a").write_text("foobar\nfoobaz\n")
    assert await content_of(SEARCH, folder, pattern="foo(?!bar)") == "a\n     2: foobaz"


async def test_ignored_files_and_git_data_are_left_out_dotfiles_are_not(folder: Path) -> None:
    for name in (".git/x", "ignored/x", ".env", "kept"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("needle\n")
    (folder / ".gitignore").write_text("ignored\n")
    assert (await content_of(SEARCH, folder, pattern="needle")).split("\n")[::2] == [".env", "kept"]
    assert "ignored/x" in await content_of(SEARCH, folder, pattern="needle", path="ignored/x")


async def test_links_are_not_followed_out_of_the_folder(folder: Path) -> None:
    (folder.parent / "secret").write_text("needle\n")
    (folder / "file").symlink_to("../secret")
    (folder / "up").symlink_to("..")
    assert await content_of(SEARCH, folder, pattern="needle") == "Nothing matches needle."


async def test_many_matches_in_a_file_are_cut(folder: Path) -> None:
    (folder / "a").write_text("needle\n" * 1000)
    lines = (await content_of(SEARCH, folder, pattern="needle")).split("\n")
    assert len(lines) == 1 + MATCHES_A_FILE + 1
    assert "only the first" in lines[-1]


async def test_many_matches_in_all_are_cut(folder: Path) -> None:
    for n in range(MATCHES + 20):
        (folder / f"{n:04}").write_text("needle\n")
    lines = (await content_of(SEARCH, folder, pattern="needle")).split("\n")
    assert (
        lines[-1] == f"[only the first {MATCHES} of at least {MATCHES + 20} are shown: narrow the pattern or the path]"
    )
    assert len(lines) == 2 * MATCHES + 1


async def test_long_lines_are_cut(folder: Path) -> None:
    (folder / "a").write_text("x" * 2_000_000 + "needle\n")
    assert len(await content_of(SEARCH, folder, pattern="needle")) < 1000


@pytest.mark.parametrize("before", ["x" * 1_000_000, "süß" * 100_000, "🐼" * 50_000])
async def test_of_a_long_line_what_is_around_the_match_is_shown_with_its_column(folder: Path, before: str) -> None:
    line = f"{before}NEEDLE{'é' * 5000}NEEDLE"
    (folder / "a").write_text(f"first\n{line}\nlast\n")
    content = await content_of(SEARCH, folder, pattern="NEEDLE", context=1)
    found = re.search(r"2: \[column (\d+)\] …(.*)…", content)
    assert found and "NEEDLE" in found[2] and len(found[2]) == COLUMNS
    column = int(found[1])
    assert line[column - 1 :].startswith(found[2])
    assert "1- first" in content and "3- last" in content
    read = await content_of(ReadFile(), folder, path="a", start=2, column=column)
    assert read.startswith(f"2\t{found[2]}")


async def test_a_match_at_the_beginning_of_a_long_line_is_shown_from_there(folder: Path) -> None:
    (folder / "a").write_text("NEEDLE" + "x" * 5000)
    content = await content_of(SEARCH, folder, pattern="NEEDLE")
    assert "1: NEEDLExxx" in content and "column" not in content


async def test_in_what_is_not_utf_8_the_beginning_of_a_long_line_is_shown(folder: Path) -> None:
    (folder / "a").write_bytes(("x" * 5000 + "NEEDLE").encode("utf-16"))
    assert "1: xxx" in await content_of(SEARCH, folder, pattern="NEEDLE")


async def test_the_same_search_has_the_same_result(folder: Path) -> None:
    for n in range(60):
        (folder / f"d{n % 7}").mkdir(exist_ok=True)
        (folder / f"d{n % 7}" / str(n)).write_text("needle\n")
    results = {await content_of(SEARCH, folder, pattern="needle") for _ in range(3)}
    assert len(results) == 1


async def test_a_missing_path_names_what_is_near(folder: Path) -> None:
    (folder / "source").mkdir()
    assert "source" in await error_of(SEARCH, folder, pattern="x", path="sorce")
    assert "NUL" in await error_of(SEARCH, folder, pattern="\0")


async def test_text_that_is_not_utf_8_can_be_sent(folder: Path) -> None:
    (folder / "a").write_bytes(b"needle \xff\xfe\n")
    (folder / os.fsdecode(b"\xff")).write_text("needle\n")
    assert "needle" in (await outcome_of(SEARCH, folder, pattern="needle")).content


async def test_a_search_that_is_cancelled_ends(folder: Path) -> None:
    os.mkfifo(folder / "pipe")  # ripgrep waits for whoever writes into it
    task = asyncio.create_task(outcome_of(SEARCH, folder, pattern="x", path="pipe"))
    with await asyncio.to_thread((folder / "pipe").open, "w"):  # ripgrep has opened it
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_glob_alone_finds_files_by_name(folder: Path) -> None:
    (folder / "src" / "deep").mkdir(parents=True)
    for name in ("a.py", "src/b.py", "src/deep/c.py", "src/d.ts", "src/deep/e.tsx", "ignored.py"):
        (folder / name).touch()
    (folder / ".gitignore").write_text("ignored.py\n")
    assert (await content_of(SEARCH, folder, glob="*.py")).split() == ["a.py", "src/b.py", "src/deep/c.py"]
    assert (await content_of(SEARCH, folder, glob="src/**/*.py")).split() == ["src/b.py", "src/deep/c.py"]
    assert (await content_of(SEARCH, folder, glob="src/*.py")).split() == ["src/b.py"]
    assert (await content_of(SEARCH, folder, glob="**/*.{ts,tsx}")).split() == ["src/d.ts", "src/deep/e.tsx"]
    assert (await content_of(SEARCH, folder, glob="deep/*.py", path="src")).split() == ["src/deep/c.py"]
    assert await content_of(SEARCH, folder, glob="*.rs") == "No file matches *.rs."
    assert "`pattern`" in await error_of(SEARCH, folder)


async def test_a_glob_narrows_a_search(folder: Path) -> None:
    (folder / "src").mkdir()
    for name in ("a.py", "a.txt", "src/a.py"):
        (folder / name).write_text("needle\n")
    found = await content_of(SEARCH, folder, pattern="needle", glob="*.py")
    assert found == "a.py\n     1: needle\nsrc/a.py\n     1: needle"
    assert await content_of(SEARCH, folder, pattern="needle", glob="src/*.py") == "src/a.py\n     1: needle"


async def test_git_data_is_not_found_by_any_glob(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("needle\n")
    for glob in ("**", ".git/**", "config"):
        assert "No file" in await content_of(SEARCH, folder, glob=glob)
        assert "Nothing" in await content_of(SEARCH, folder, glob=glob, pattern="needle")


async def test_lines_around_are_shown(folder: Path) -> None:
    (folder / "a").write_text("1\n2\nneedle\n4\n5\n")
    found = await content_of(SEARCH, folder, pattern="needle", context=1)
    assert found == "a\n     2- 2\n     3: needle\n     4- 4"


async def test_letters_of_latin_1_are_found_where_nothing_else_is(folder: Path) -> None:
    (folder / "a").write_bytes("Grüße\n".encode("latin-1"))
    found = await content_of(SEARCH, folder, pattern="Grüße")
    assert "a\n     1: Grüße" in found and "Latin-1" in found
