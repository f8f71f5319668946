"""`mimo-tui keys` with a real Secret Service, and on systems that have none."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.settings.secret_service import SecretService, needs_gnome_keyring
from tui.cli import main

pytestmark = pytest.mark.slow

KEY = "Zq9-Zq9-Zq9"
AT_DEEPSEEK = "https://api.deepseek.com:443"
DEEPSEEK = "deepseek https://api.deepseek.com"

Environment = dict[str, str]


@pytest.fixture
def keyring(home: Path) -> Iterator[Environment]:
    """The environment of a program that can use a keyring, which is unlocked and empty."""
    with SecretService(home) as service:
        yield service.environment


@pytest.fixture
def no_keyring(home: Path) -> Environment:
    """The environment of a program on a bare server."""
    return {**os.environ, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}


def keys(environment: Environment, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tui", "keys", *arguments]
    done = subprocess.run(command, env=environment, input=typed, capture_output=True, text=True)
    assert "Zq9" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def keys_for(environment: Environment, *places: str) -> list[str]:
    """For each `BACKEND URL` the key that a request would carry, or the error."""
    program = """
import sys
from tui.core.errors import CredentialError
from tui.settings.credentials import credential_for
for place in sys.argv[1:]:
    try:
        print(credential_for(*place.split(), None).reveal())
    except CredentialError as error:
        print(error, error.hint)
"""
    command = [sys.executable, "-c", program, *places]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()


def configure(home: Path, text: str) -> None:
    folder = home / ".config" / "mimo-tui"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(text)


@needs_gnome_keyring
def test_a_key_is_set_used_replaced_and_removed(keyring: Environment) -> None:
    assert keys(keyring, "status", "deepseek").returncode == 1
    done = keys(keyring, "set", "deepseek", typed=f"{KEY}\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "The key of deepseek is in the keyring (SecretService Keyring). "
        f"It will be sent to {AT_DEEPSEEK} and nowhere else.\n"
    )
    done = keys(keyring, "status", "deepseek")
    assert done.stdout == f"deepseek: in the keyring (SecretService Keyring), for {AT_DEEPSEEK}\n"
    assert done.returncode == 0
    assert keys_for(keyring, DEEPSEEK + "/v1") == [KEY]
    keys(keyring, "set", "deepseek", typed="another")
    assert keys_for(keyring, DEEPSEEK) == ["another"]
    done = keys(keyring, "remove", "deepseek")
    assert done.stdout == f"The key of deepseek for {AT_DEEPSEEK} is not in the keyring any more.\n"
    done = keys(keyring, "remove", "deepseek")
    assert (done.returncode, done.stdout) == (1, f"There is no key of deepseek for {AT_DEEPSEEK} in the keyring.\n")
    assert keys_for(keyring, DEEPSEEK)[0].startswith(
        f"no key is set for backend deepseek at {AT_DEEPSEEK} Set it: `mimo-tui keys set deepseek`."
    )


@needs_gnome_keyring
def test_a_key_is_for_one_backend_and_one_address_alone(home: Path, keyring: Environment) -> None:
    configure(home, "[backends.lab]\nbase_url = 'http://127.0.0.1:8000/v1'\n[backends.other]\npreset = 'deepseek'\n")
    assert keys(keyring, "set", "lab", typed=KEY).returncode == 0
    same, *others = keys_for(
        keyring,
        "lab http://127.0.0.1:8000/other",
        "lab http://127.0.0.1:8001/v1",
        "lab https://127.0.0.1:8000/v1",
        "lab http://localhost:8000/v1",
        "other http://127.0.0.1:8000/v1",
    )
    assert same == KEY
    assert all(line.startswith("no key is set") for line in others)
    configure(home, "[backends.lab]\nbase_url = 'http://127.0.0.1:8001/v1'\n")
    done = keys(keyring, "status", "lab")
    assert (done.returncode, "not in the keyring" in done.stdout) == (1, True)


@needs_gnome_keyring
def test_a_key_lies_in_no_plain_file(home: Path, keyring: Environment) -> None:
    assert keys(keyring, "set", "deepseek", typed=KEY).returncode == 0
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files
    assert not any(KEY.encode() in path.read_bytes() for path in files)
    assert not (home / ".config" / "mimo-tui").exists()


@needs_gnome_keyring
def test_what_is_typed_at_the_prompt_is_not_shown(keyring: Environment) -> None:
    shown, code = at_terminal(keyring, "set", "deepseek", typed=f"{KEY}\n")
    assert f"Key of deepseek for {AT_DEEPSEEK} (it is not shown): " in shown
    assert "The key of deepseek is in the keyring" in shown
    assert "Zq9" not in shown
    assert code == 0
    assert keys_for(keyring, DEEPSEEK) == [KEY]


@needs_gnome_keyring
def test_nothing_at_the_prompt_sets_nothing(keyring: Environment) -> None:
    for typed, words, code in (("\x04", "no key was given", 2), ("\x03", "", 130), ("\n", "empty", 2)):
        shown, ended_with = at_terminal(keyring, "set", "deepseek", typed=typed)
        assert words in shown
        assert "Traceback" not in shown
        assert ended_with == code
    assert keys(keyring, "status", "deepseek").returncode == 1


@needs_gnome_keyring
def test_what_is_no_key_is_refused_and_the_old_one_stays(keyring: Environment) -> None:
    keys(keyring, "set", "deepseek", typed="the old one")
    for typed, words in (
        ("", "empty"),
        ("Zq9\nZq9\n", "more than one line"),
        ("Zq9\x1b[A", "printable"),
        ("Zq9" * 9999, "too long"),
    ):
        done = keys(keyring, "set", "deepseek", typed=typed)
        assert words in done.stderr
        assert done.returncode == 2
    assert keys_for(keyring, DEEPSEEK) == ["the old one"]


@pytest.mark.parametrize("arguments", [["Zq9"], ["--key", "Zq9"], ["--key=Zq9"], ["-kZq9"], ["--", "Zq9"]])
def test_a_key_as_an_argument_is_refused_and_not_repeated(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(["keys", "set", "deepseek", *arguments]) == 2
    shown = "".join(capsys.readouterr())
    assert "a key is not taken as an argument" in shown
    assert "Zq9" not in shown


def test_an_unknown_backend_is_said_with_the_nearest_name(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "set", "depseek"]) == 2
    assert "did you mean `deepseek`?" in capsys.readouterr().err


@needs_gnome_keyring
def test_a_locked_keyring_is_said_and_nothing_hangs(home: Path) -> None:
    with SecretService(home) as service:
        keys(service.environment, "set", "deepseek", typed=KEY)
    with SecretService(home, locked=True) as service:
        done = keys(service.environment, "status", "deepseek")
        assert "the keyring cannot be opened" in done.stderr
        assert "Unlock it" in done.stderr
        assert "the keyring cannot be opened" in keys_for(service.environment, DEEPSEEK)[0]


@pytest.mark.parametrize("command", ["set", "status", "remove"])
def test_on_a_bare_server_the_other_ways_are_said(no_keyring: Environment, command: str) -> None:
    done = keys(no_keyring, command, "deepseek", typed=KEY)
    assert "mimo-tui: no keyring can be used here: none was found" in done.stderr
    assert "`mimo-tui backends add deepseek --key-env DEEPSEEK_API_KEY`" in done.stderr
    assert "under [backends.deepseek] in " in done.stderr and "config.toml: " in done.stderr
    assert 'credential = { env = "DEEPSEEK_API_KEY" }' in done.stderr
    assert '{ command = ["pass", "deepseek"] }' in done.stderr
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("{ env = 'LAB_KEY' }", "from the environment variable LAB_KEY, which is set"),
        ("{ env = 'LAB_KEY_2' }", "from the environment variable LAB_KEY_2, which is not set"),
        ("{ command = ['pass', 'lab'] }", "from the command `pass lab`"),
        ("'none'", "needs no key"),
    ],
)
def test_the_other_ways_need_no_keyring(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    setting: str,
    words: str,
) -> None:
    configure(home, f"[backends.lab]\nbase_url = 'http://127.0.0.1:1/v1'\ncredential = {setting}\n")
    monkeypatch.setenv("LAB_KEY", KEY)
    assert main(["keys", "status", "lab"]) == (1 if "not set" in words else 0)
    assert capsys.readouterr().out == f"lab: {words}\n"
    assert main(["keys", "set", "lab"]) == 2
    shown = capsys.readouterr().err
    assert "lab needs no key" in shown or "lab takes its key from" in shown


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("keyring.backends.fail.Keyring", "no keyring can be used here: none was found"),
        ("keyring.backends.null.Keyring", "no keyring can be used here: none was found"),
        ("keyrings.alt.file.PlaintextKeyring", "keyrings.alt.file.PlaintextKeyring keeps keys in a plain file"),
        ("no.such.Keyring", "the keyring does not work: ModuleNotFoundError"),
        ("broken.Keyring", "the keyring does not work: ConnectionError: the bus is gone"),
    ],
)
def test_a_keyring_that_the_user_chose_but_that_is_none_is_said(
    tmp_path: Path, no_keyring: Environment, backend: str, words: str
) -> None:
    environment = {**no_keyring, "PYTHON_KEYRING_BACKEND": backend, "PYTHONPATH": str(plain_keyring(tmp_path))}
    done = keys(environment, "set", "deepseek", typed=KEY)
    assert words in done.stderr
    assert "DEEPSEEK_API_KEY" in done.stderr
    assert done.returncode == 2
    assert not (tmp_path / "plain.txt").exists()


def test_a_plain_file_is_not_used_though_it_is_all_that_python_finds(tmp_path: Path, no_keyring: Environment) -> None:
    done = keys({**no_keyring, "PYTHONPATH": str(plain_keyring(tmp_path))}, "set", "deepseek", typed=KEY)
    assert "keeps keys in a plain file, so it is not used" in done.stderr
    assert not (tmp_path / "plain.txt").exists()


@needs_gnome_keyring
def test_beside_a_plain_file_the_real_keyring_is_used(tmp_path: Path, keyring: Environment) -> None:
    environment = {**keyring, "PYTHONPATH": str(plain_keyring(tmp_path))}
    assert "SecretService" in keys(environment, "set", "deepseek", typed=KEY).stdout
    assert not (tmp_path / "plain.txt").exists()
    assert keys_for(keyring, DEEPSEEK) == [KEY]


def plain_keyring(folder: Path) -> Path:
    """Something installed that Python's keyring finds by itself and prefers: it writes keys plainly to a file."""
    package = folder / "installed"
    (package / "keyrings" / "alt").mkdir(parents=True)
    (package / "plain-1.dist-info").mkdir()
    (package / "plain-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: plain\nVersion: 1\n")
    (package / "plain-1.dist-info" / "entry_points.txt").write_text("[keyring.backends]\nfile = keyrings.alt.file\n")
    (package / "keyrings" / "alt" / "__init__.py").write_text("")
    (package / "keyrings" / "alt" / "file.py").write_text(
        f"""
from pathlib import Path
from keyring.backend import KeyringBackend
class PlaintextKeyring(KeyringBackend):
    priority = 9
    file = Path({str(folder / "plain.txt")!r})
    def get_password(self, service, username):
        return self.file.read_text() if self.file.exists() else None
    def set_password(self, service, username, password):
        self.file.write_text(password)
"""
    )
    (package / "broken.py").write_text(
        """
from keyring.backend import KeyringBackend
class Keyring(KeyringBackend):
    priority = 1
    def get_password(self, service, username):
        raise ConnectionError("the bus is gone")
    set_password = delete_password = get_password
"""
    )
    return package


def at_terminal(environment: Environment, *arguments: str, typed: str) -> tuple[str, int]:
    """What a terminal shows when `typed` is typed at the first prompt, and the exit code."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "keys", *arguments],
        env=environment,
        preexec_fn=lambda: os.login_tty(theirs),
        close_fds=False,
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
            if typed and shown.endswith(b": "):
                os.write(ours, typed.encode())
                typed = ""
    except OSError:  # Linux says so when the program has closed the terminal
        pass
    os.close(ours)
    return shown.decode(), process.wait()


@needs_gnome_keyring
def test_a_value_for_servers_of_tools_is_set_used_and_removed(keyring: Environment) -> None:
    assert keys(keyring, "status", "name:github").returncode == 1
    done = keys(keyring, "set", "name:github", typed=f"{KEY}\n")
    assert done.returncode == 0 and KEY not in done.stdout + done.stderr
    code = "from tui.tools.mcp.values import values_of; print(values_of({'T': {'keyring': 'github'}})['T'])"
    given = subprocess.run([sys.executable, "-c", code], env=keyring, capture_output=True, text=True)
    assert given.stdout.strip() == KEY
    assert keys(keyring, "remove", "name:github").returncode == 0
    given = subprocess.run([sys.executable, "-c", code], env=keyring, capture_output=True, text=True)
    assert "the keyring has nothing of the name 'github'" in given.stderr


def test_a_value_that_is_named_cannot_be_kept_without_a_keyring(no_keyring: Environment) -> None:
    done = keys(no_keyring, "set", "name:github", typed=KEY)
    assert done.returncode == 2 and "the keyring cannot be used" in done.stderr and KEY not in done.stderr
