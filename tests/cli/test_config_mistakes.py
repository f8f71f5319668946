"""Each kind of mistake in a config file, as `mimo-tui config check` shows it: line, key and what was probably meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tui.cli import main

Checked = Callable[[str | bytes], list[str]]


@pytest.fixture
def folder(home: Path) -> Path:
    """The program's config folder."""
    path = home / ".config" / "mimo-tui"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def checked(folder: Path, capsys: pytest.CaptureFixture[str]) -> Checked:
    """The mistakes that `config check` shows in a config.toml, without the path; hints follow as lines of their own."""

    def check(content: str | bytes) -> list[str]:
        data = content if isinstance(content, bytes) else content.encode()
        (folder / "config.toml").write_bytes(data)
        code = main(["config", "check"])
        lines = capsys.readouterr().err.splitlines()
        assert code == (2 if lines else 0)
        start = f"mimo-tui: {folder}/config.toml:"
        return [line.removeprefix(start).strip() for line in lines]

    return check


# In each the mistake is in the line that ends with `# !`.
UNKNOWN = {
    "at the top": ("[ui]\n[agnet] # !\n", "agnet", "agent"),
    "in a table": ("[agent]\n\npolcy = 'ask' # !\n", "agent.polcy", "policy"),
    "in a nested table": (
        "[backends.deepseek]\n\n[backends.deepseek.timeouts]\nconect = 1 # !",
        "backends.deepseek.timeouts.conect",
        "connect",
    ),
    "in an inline table": (
        "[backends.deepseek]\ntimeouts = { idle = 1, conect = 1 } # !",
        "backends.deepseek.timeouts.conect",
        "connect",
    ),
    "in a dotted key": (
        "agent.policy = 'ask'\nbackends.deepseek.timeouts.conect = 1 # !",
        "backends.deepseek.timeouts.conect",
        "connect",
    ),
    "with the case wrong": ("[backends.deepseek]\nBase-URL = 'http://a' # !", "backends.deepseek.Base-URL", "base_url"),
    "in quotes": ('[agent]\n"max steps" = 3 # !', 'agent."max steps"', "max_steps"),
    "in an array of tables": (
        "[[agent.allow]]\ntool = 'a'\n[[agent.allow]]\ntool = 'a'\nwrods = ['a'] # !",
        "agent.allow[1].wrods",
        "words",
    ),
    "in a list of inline tables": (
        "[agent]\nallow = [\n { tool = 'a' },\n { tool = 'b', wrods = ['a'] }, # !\n]",
        "agent.allow[1].wrods",
        "words",
    ),
    "after texts that look like keys": (
        "[backends.deepseek]\nbody.x = '''\n[backends.y]\nretires = 1\n'''\nretires = 2 # !",
        "backends.deepseek.retires",
        "retries",
    ),
    "as a mode": ("[modes.agnet] # !\n", "modes.agnet", "agent"),
    "in a rule": (
        "[backends.deepseek.rules]\nreplay_resoning = 'all' # !",
        "backends.deepseek.rules.replay_resoning",
        "replay_reasoning",
    ),
    "in a credential": ("[backends.deepseek.credential]\nevn = 'A' # !", "backends.deepseek.credential.evn", "env"),
    "in a price": (
        "[backends.deepseek]\nprice = { input = 1, output = 2, cache = 1 } # !",
        "backends.deepseek.price.cache",
        "cached",
    ),
}


@pytest.mark.parametrize(("content", "key", "meant"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_key_is_found_on_its_line_with_the_nearest_right_name(
    checked: Checked, content: str, key: str, meant: str
) -> None:
    mistake = next(line for line in checked(content) if ": " in line)
    assert mistake.startswith(f"{line_of_mistake(content)}: {key}: ")
    assert mistake.endswith(f"did you mean `{meant}`?")


def test_where_no_name_is_near_the_known_ones_are_listed(checked: Checked) -> None:
    assert checked("[ui]\nzzzzzz = 1\n") == ["2: ui.zzzzzz: unknown key", "Known here: language, theme."]


WRONG = {
    "text for a number": ('retries = "4" # !', "retries: must be a whole number, not a text in quotes"),
    "a fraction": ("retries = 4.5 # !", "retries: must be a whole number, not a number"),
    "true for a number": ("retries = true # !", "retries: must be a whole number, not true or false"),
    "a negative number": ("retries = -1 # !", "retries: cannot be negative, but is -1"),
    "a negative timeout": ("timeouts = { connect = -0.5 } # !", "timeouts.connect: cannot be negative, but is -0.5"),
    "a timeout of nothing": ("timeouts.idle = 0 # !", "timeouts.idle: must be above 0"),
    "an endless timeout": ("timeouts.idle = inf # !", "timeouts.idle: must be a finite number"),
    "no number": ("timeouts.idle = nan # !", "timeouts.idle: must be a finite number"),
    "a table for a text": ("model = { id = 'x' } # !", "model: must be a text in quotes, not a table"),
    "a text for a table": ("timeouts = 'long' # !", "timeouts: must be a table, not a text in quotes"),
    "a text for a list": ("fallback = 'openai' # !", "fallback: must be a list, not a text in quotes"),
    "a wrong item": (
        "fallback = [\n 'openai',\n 3, # !\n]",
        "fallback[1]: must be a text in quotes, not a whole number",
    ),
    "a date": ("model = 1979-05-27 # !", "model: must be a text in quotes, not a date"),
    "a price without a part": ("price = { input = 1 } # !", "price: `output` is missing"),
    "a negative price": ("price = { input = 1, output = -2 } # !", "price.output: cannot be negative, but is -2"),
    "an empty model": ("model = '' # !", "model: cannot be empty"),
    "no context": ("context_window = 0 # !", "context_window: must be above 0"),
    "a word that is none of some": (
        "thinking = 'hihg' # !",
        'thinking: must be "off" or "low" or "medium" or "high" or "max", not "hihg", did you mean `high`?',
    ),
    "an unknown wire": (
        "wire = 'mesages' # !",
        'wire: must be "chat-completions" or "messages" or "responses" or "ollama", not "mesages", did you mean',
    ),
    "a number for a word": (
        "thinking = 1 # !",
        'thinking: must be "off" or "low" or "medium" or "high" or "max", not a whole number',
    ),
    "a URL without a scheme": (
        "base_url = 'localhost:8000/v1' # !",
        "base_url: must be a URL that begins with http:// or https://",
    ),
    "a URL with no port": (
        "base_url = 'http://a:b/v1' # !",
        "base_url: is not a URL: Port could not be cast to integer value as 'b'",
    ),
    "a URL with a line end": ('base_url = "http://a/\\n" # !', "base_url: is not a URL"),
    "a key in a URL": (
        "base_url = 'https://me:sk-1@a/v1' # !",
        "base_url: a key or password cannot be in the URL (see `credential`)",
    ),
    "a header with a line end": (
        'headers = { X-A = "a\\nX-B: b" } # !',
        "headers: the value of X-A is not printable ASCII text on one line",
    ),
    "a header with a space": ("headers = { 'X A' = 'a' } # !", "headers: 'X A' is not a header's name"),
    "a body that JSON cannot say": ("body = { a = [1979-05-27] } # !", "body: JSON has no dates: put it in quotes"),
    "a rule's wrong word": (
        "rules.replay_reasoning = 'al' # !",
        'rules.replay_reasoning: must be "none" or "tool_calls" or "all", not "al", did you mean `all`?',
    ),
    "a credential with two sources": (
        "credential = { env = 'A', command = ['b'] } # !",
        'credential: must be either { env = "..." } or { command = ["..."] }',
    ),
    "an empty command": ("credential = { command = [] } # !", "credential.command: cannot be empty"),
    "a file that is not there": ("ca_file = 'corp.pem' # !", "ca_file: there is no file "),
    "a preset that is none": (
        "preset = 'open-ai' # !",
        'preset: no preset is called "open-ai", did you mean `openai`?',
    ),
    "a fallback that is none": (
        "fallback = [\n'openai',\n'opnai', # !\n]",
        'fallback[1]: no backend is called "opnai", did you mean `openai`?',
    ),
    "itself as fallback": ("fallback = ['deepseek'] # !", "fallback[0]: a backend cannot be its own fallback"),
}


@pytest.mark.parametrize(("content", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_value_of_a_backend_is_found_on_its_line(checked: Checked, content: str, message: str) -> None:
    content = f"[backends.deepseek]\n{content}\n"
    mistake = checked(content)[0]
    assert mistake.startswith(f"{line_of_mistake(content)}: backends.deepseek.{message}")


ELSEWHERE = {
    "a backend that is none": (
        '[defaults]\nbackend = "opnai" # !',
        'defaults.backend: no backend is called "opnai", did you mean `openai`?',
    ),
    "a mode's backend that is none": (
        '[modes.agent]\nbackend = "opnai" # !',
        'modes.agent.backend: no backend is called "opnai", did you mean `openai`?',
    ),
    "a theme that is none": (
        '[ui]\ntheme = "chat-ere" # !',
        'ui.theme: no theme is called "chat-ere", did you mean `chat-era`?',
    ),
    "a mode's theme that is none": (
        '[modes.chat]\ntheme = "chat-ere" # !',
        'modes.chat.theme: no theme is called "chat-ere", did you mean `chat-era`?',
    ),
    "a backend without an address": (
        "[ui]\n[backends.lab] # !\nmodel = 'x'",
        "backends.lab: needs a `preset` or a `base_url`",
    ),
    "a backend's name for no file": (
        "[backends.'../x'] # !",
        'backends."../x": a backend\'s name has only letters, digits, - and _ of ASCII',
    ),
    "backends that are no table": ("backends = 3 # !", "backends: must be a table, not a whole number"),
    "a backend as a list": ("[[backends.lab]] # !", "backends.lab: must be a table, not a list"),
    "a policy that is none": (
        "[agent]\npolicy = 'aks' # !",
        'agent.policy: must be "ask" or "edits" or "plan" or "auto", not "aks", did you mean `ask`?',
    ),
    "a budget of nothing": ("[agent]\nbudget = 0 # !", "agent.budget: must be above 0"),
    "a rule without its tool": ("[[agent.allow]] # !\nwords = ['a']", "agent.allow[0]: `tool` is missing"),
    "a server of tools without anything": ("[mcp.docs] # !", "mcp.docs: needs either `command` or `url`"),
    "a hook without its command": ("[[hooks]] # !\non = 'before_tool'", "hooks[0]: `command` is missing"),
}


@pytest.mark.parametrize(("content", "message"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_wrong_value_anywhere_is_found_on_its_line(checked: Checked, content: str, message: str) -> None:
    assert checked(content)[0].startswith(f"{line_of_mistake(content)}: {message}")


BROKEN = {
    "no value": ("a =\n", "1: Invalid value (column 4)"),
    "no end of a text": ('\n[a]\nb = "x\n', "3: Illegal character '\\n' (column 7)"),
    "no end of a list": ("a = [\n1,\n2\n\n\n", "3: Unclosed array at the end of the file"),
    "twice": ("[a]\n[b]\n[a]\n", "3: Cannot declare ('a',) twice (column 3)"),
    "a value twice": ("a = 1\na = 2\n", "2: Cannot overwrite a value"),
    "a control character": ('a = "\x1b[31m"', "1: Illegal character '\\x1b' (column 6)"),
    "a word without quotes": ("mode = chat\n", "1: Invalid value (column 8)"),
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_toml_is_found_on_its_line(checked: Checked, content: str, message: str) -> None:
    assert checked(content)[0].startswith(message)


@pytest.mark.parametrize("content", ["", "\n\n", "# nothing\n", "\ufeff[agent]\r\nmax_steps = 3\r\n"])
def test_files_without_a_mistake(checked: Checked, content: str) -> None:
    assert checked(content) == []


def test_all_mistakes_are_shown_at_once(checked: Checked) -> None:
    mistakes = checked("[agent]\nmax_steps = 0\nsandbox = true\n[ui]\nlangauge = 'de'\n")
    assert [line.split(": ")[0] for line in mistakes] == ["2", "3", "5"]


def test_a_key_that_was_pasted_as_a_credential_is_not_shown(checked: Checked) -> None:
    mistakes = "\n".join(checked("[backends.deepseek]\ncredential = 'sk-abcdefgh12345678'\n"))
    assert '2: backends.deepseek.credential: must be "keyring", "none", ' in mistakes
    assert "abcdefgh" not in mistakes


def test_bytes_that_are_no_utf8_are_found_on_their_line(checked: Checked) -> None:
    assert checked(b"[ui]\n# \xff\n") == ["2: the file is not UTF-8 text", "Save it as UTF-8."]
    assert checked("[ui]\n".encode("utf-16"))[0] == "1: the file is not UTF-8 text"


@pytest.mark.parametrize("content", ["a = " + "[" * 100_000, "a = " + "9" * 10_000, "a = " + "{b=" * 10_000])
def test_absurd_files_are_mistakes_too(checked: Checked, content: str) -> None:
    assert len(checked(content)) >= 1


def line_of_mistake(content: str) -> int:
    return next(number for number, line in enumerate(content.split("\n"), 1) if line.endswith("# !"))


def test_mistakes_of_all_kinds_are_shown_at_once(checked: Checked) -> None:
    lines = checked(
        "[defaults]\nbackend = 'lba'\n"
        "[backends.q]\nmodel = 'x'\n"
        "[backends.lab]\nbase_url = 'http://127.0.0.1/v1'\nretires = 3\n"
        "[backends.other]\npreset = 3\n"
        "[backends.deepseek]\nwire = 'no-such'\n"
        "[ui]\ntheme = 'no-such'\n"
        "[modes.chat]\nbackend = 'other'\n"
        "[agent]\nplicy = 'ask'\n"
    )
    found = [line.split(":")[1].strip() for line in lines if line[0].isdigit() and ":" in line]
    assert sorted(found) == [
        *("agent.plicy", "backends.deepseek.wire", "backends.lab.retires", "backends.other.preset", "backends.q"),
        *("defaults.backend", "ui.theme"),
    ]


def test_what_cannot_be_read_hides_no_more_than_it_must(checked: Checked, folder: Path) -> None:
    (folder / "backends").mkdir()
    (folder / "backends" / "added.toml").write_text("base_url = 3\n")
    text = "\n".join(checked("[defaults\n"))
    assert "base_url" in text and "1:" in text
