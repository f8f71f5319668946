"""The documents say what the code does: settings, events, commands and links in them are held against it."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
import typing
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.scripted import ScriptedServer
from tests.scripted.demo import Demo
from tui.backends.presets import catalogue
from tui.backends.resolve import presets, resolve
from tui.backends.spec import Rules
from tui.cli import SUBCOMMANDS, main
from tui.cli.config import _NOT_YET
from tui.core.codec import EVENT_TYPES
from tui.core.errors import BackendErrorKind
from tui.headless import run as headless
from tui.settings.config import Settings, config_file, load
from tui.settings.paths import config_dir
from tui.widgets.themes import load_theme

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
CONFIGURATION, RUN = ROOT / "docs" / "configuration.md", ROOT / "docs" / "run.md"

_OPERATORS = set("|&;<>()\n")


class Block(NamedTuple):
    """Something in a fence, and where it begins."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield Block(page, text.count("\n", 0, found.start()) + 1, found[1], found[2])


def prose(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def codes(page: Path) -> list[str]:
    """What is in backquotes outside of fences."""
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose(page))]


EXAMPLES = [block for page in PAGES for block in blocks(page) if block.language == "toml"]


# Settings


def put_in_place(example: Block) -> Path:
    """Write an example where its first line says that it belongs; without one it is a config.toml."""
    named = re.match(r"# (\S+\.toml)\n", example.text)
    path = config_dir() / named[1] if named else config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(example.text, encoding="utf-8")
    return path


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda block: block.place)
def test_an_example_of_settings_can_be_used(home: Path, example: Block) -> None:
    path = put_in_place(example)
    (config_dir() / "corp.pem").touch()
    if path.parent.name == "themes":
        assert load_theme(path.stem).name == path.stem
        return
    settings = load(preset_names=presets())
    assert settings != Settings(), "nothing of it was read"
    for name in settings.backends:
        assert resolve(settings, name).name == name
    for theme in [settings.ui.theme, *(mode.theme for mode in settings.modes.values())]:
        assert theme is None or load_theme(theme)


def setting_names(hint: Any) -> set[str]:
    """The names of all keys that a type of the settings can have, those of the tables in it included."""
    if inner := typing.get_args(hint):
        return set().union(*map(setting_names, inner))
    if not isinstance(hint, type) or not hasattr(hint, "__annotations__"):
        return set()
    own = typing.get_type_hints(hint)
    return set(own).union(*map(setting_names, own.values()))


def test_every_setting_is_explained() -> None:
    names = setting_names(Settings) | set(Rules.__struct_fields__)
    said = {part for code in codes(CONFIGURATION) for part in re.split(r"[.\s\[\]]+", code)}
    assert names - said == set()


def test_the_page_of_backends_is_what_its_script_makes(home: Path) -> None:
    """If not: run `python docs/make_backends.py`."""
    made = runpy.run_path(str(ROOT / "docs" / "make_backends.py"))["page"]()
    assert (ROOT / "docs" / "backends.md").read_text(encoding="utf-8") == made


def test_every_preset_and_every_model_of_the_catalogue_is_on_that_page() -> None:
    page = (ROOT / "docs" / "backends.md").read_text(encoding="utf-8")
    for name in presets():
        assert page.count(f"\n| `{name}` |") >= 3, name
    for models in catalogue().values():
        assert not isinstance(models, dict) or all(f" | `{model}` | " in page for model in models)


def test_what_is_not_used_yet_is_said() -> None:
    section = prose(CONFIGURATION).partition("## Read but not used yet")[2].partition("\n## ")[0]
    for name in _NOT_YET:
        assert f"`{name.rpartition('*.')[2]}`" in section, name


# Events and exit codes


def test_every_event_is_in_the_table_with_its_fields() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \| .*\|$", RUN.read_text(encoding="utf-8"), re.MULTILINE))
    for name, event in EVENT_TYPES.items():
        assert name in rows, f"{name} is not in the table"
        missing = [field.name for field in fields(event) if f"`{field.name}`" not in rows[name]]
        assert not missing, f"{name}: {missing}"


def test_every_kind_of_error_and_exit_code_is_said() -> None:
    page = RUN.read_text(encoding="utf-8")
    for kind in typing.get_args(BackendErrorKind):
        assert f"| `{kind}` |" in page, kind
    for code in (headless.DONE, headless.FAILED, 2, headless.DENIED, headless.LIMIT, headless.INTERRUPTED):
        assert f"\n| {code} | " in page, code


# Commands


def commands_in(text: str) -> list[list[str]]:
    """The words after each `mimo-tui` that is called in some lines of shell."""
    found: list[list[str]] = []
    for line in re.split(r"\n", text.replace("\\\n", " ")):
        words = _words(line)
        starts = [place for place, word in enumerate(words) if re.fullmatch(r"(\S*/)?mimo-tui", word)]
        for place in starts:
            end = next((n for n in range(place, len(words)) if set(words[n]) <= _OPERATORS), len(words))
            found.append(words[place + 1 : end])
    return found


def _words(line: str) -> list[str]:
    for closing in ("", '"', "'"):  # a quote that goes on over several lines is the last thing that matters here
        lexer = shlex.shlex(line.replace("$(", " ; ") + closing, posix=True, punctuation_chars="();<>|&")
        lexer.whitespace_split = True
        try:
            return list(lexer)
        except ValueError:
            continue
    return []


CALLS = sorted(
    {
        (page.name, tuple(words))
        for page in PAGES
        for words in [
            *(words for block in blocks(page) if block.language == "sh" for words in commands_in(block.text)),
            *(words for code in codes(page) if code.startswith("mimo-tui") for words in commands_in(code)),
        ]
    }
)


@pytest.mark.parametrize(
    ("page", "words"), CALLS, ids=lambda value: value if isinstance(value, str) else shlex.join(value)
)
def test_a_command_that_is_named_exists_with_its_options(
    page: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    name = words[0] if words else ""
    if re.fullmatch(r"[a-z]+", name):
        assert name in SUBCOMMANDS, f"{page}: there is no subcommand {name}"
    path = [name] if name in SUBCOMMANDS else []
    if path and name != "run" and len(words) > 1 and not words[1].startswith("-"):
        path.append(words[1])
    with pytest.raises(SystemExit) as ended:
        main([*path, "--help"])
    help = capsys.readouterr().out
    assert ended.value.code == 0, f"{page}: there is no {shlex.join(words)}"
    for option in (word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)):
        assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", help), f"{page}: {path} has no {option}"


def test_the_options_of_run_are_those_that_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    there = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", capsys.readouterr().out)) - {"--help"}
    table = RUN.read_text(encoding="utf-8").partition("| option |")[2].partition("\n\n")[0]
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", table)) == there


@pytest.fixture
def shell(home: Path, tmp_path: Path, scripted: Callable[..., ScriptedServer]) -> Callable[..., str]:
    """Runs a program in a project, with `mimo-tui` on PATH and the demo's model behind it; what it printed."""
    server = scripted(Demo(None, None))
    config_file().parent.mkdir(parents=True)
    config_file().write_text(
        f'[defaults]\nbackend = "demo"\n[backends.demo]\nbase_url = "{server.base_url}"\n'
        'model = "scripted"\ncredential = "none"\n'
    )
    command, folder = tmp_path / "bin" / "mimo-tui", tmp_path / "project"
    command.parent.mkdir()
    folder.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tui "$@"\n')
    command.chmod(0o755)
    path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"

    def run(*argv: str) -> str:
        environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            argv, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
        return done.stdout

    return run


def test_the_examples_of_run_can_be_run(shell: Callable[..., str]) -> None:
    """The shell's without the one that needs jq."""
    first, *others = (block.text for block in blocks(RUN) if block.language == "sh")
    assert shell("bash", "-ec", first).count("You wrote:") == 4
    (using_the_code,) = (text for text in others if "jq" not in text)
    assert "it says: You wrote:" in shell("bash", "-c", using_the_code)
    (program,) = (block.text for block in blocks(RUN) if block.language == "python")
    assert shell(sys.executable, "-c", program).endswith("exit code 3 end turn_finished\n")


# Links


def slug(heading: str) -> str:
    """The anchor that a heading has on the pages of a forge."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", prose(file), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, f"{page.name}: {target}"


def test_the_files_that_contributing_names_are_there() -> None:
    for code in codes(ROOT / "CONTRIBUTING.md"):
        if re.fullmatch(r"(tui|tests|benchmarks|themes|docs|\.ci)/[\w./]*", code):
            assert (ROOT / code).exists(), code


def test_examples_are_toml_of_one_kind_each() -> None:
    """What the first line of an example names is a file that the program reads."""
    known = r"# (config|approvals|chosen|(backends|themes)/[\w-]+)\.toml\n"
    for example in EXAMPLES:
        assert tomllib.loads(example.text), example.place
        assert example.page.name == "README.md" or re.match(known, example.text), example.place
