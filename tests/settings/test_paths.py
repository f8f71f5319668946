"""Files are private, whole, and in the folders that the system names; what cannot be written is said in words."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tui.core.errors import MimoError
from tui.settings.log import log
from tui.settings.paths import cache_dir, config_dir, data_dir, private_dir, state_dir, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_are_those_of_the_system(home: Path) -> None:
    assert config_dir() == home / ".config/mimo-tui"
    assert data_dir() == home / ".local/share/mimo-tui"
    assert state_dir() == home / ".local/state/mimo-tui"
    assert cache_dir() == home / ".cache/mimo-tui"
    assert not (home / ".config").exists()


def test_without_a_home_nothing_lands_in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that is run as a user whom its system does not know."""

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(MimoError, match="you have no home folder"):
        data_dir()
    assert "you have no home folder" in log("something")


def test_every_folder_made_on_the_way_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        private_dir(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(before)
    assert [mode(tmp_path / path) for path in ("a", "a/b", "a/b/c")] == [0o700] * 3


def test_a_folder_that_was_open_is_closed_but_not_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to("elsewhere")
    assert mode(private_dir(tmp_path / "open")) == 0o700
    assert mode(private_dir(tmp_path / "link")) == 0o755


def test_a_file_in_the_way_of_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(MimoError, match=f"cannot write {path}: ") as caught:
            private_dir(path)
        assert "move it away" in caught.value.hint


def test_a_file_is_written_whole_and_private_and_nothing_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file.toml"
    write_private(path, "é\n")
    write_private(path, b"\xff")
    assert path.read_bytes() == b"\xff"
    assert mode(path) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_link_is_replaced_and_what_it_points_to_is_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("theirs")
    (tmp_path / "file").symlink_to("other")
    write_private(tmp_path / "file", "ours")
    assert (tmp_path / "other").read_text() == "theirs"
    assert (tmp_path / "file").read_text() == "ours"


def test_a_folder_in_the_way_of_a_file_is_said_and_nothing_stays(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(MimoError, match="cannot write"):
        write_private(tmp_path / "file", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_may_not_be_written_is_said_and_the_old_file_stays(tmp_path: Path) -> None:
    """In a process without root's rights, for which mode bits do not count."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text("old")
    link = tmp_path / "link"  # through it the folder's mode is left alone
    link.symlink_to(folder)
    folder.chmod(0o500)
    program = """
import sys
from pathlib import Path
from tui.core.errors import MimoError
from tui.settings.log import log
from tui.settings.paths import write_private
try:
    write_private(Path(sys.argv[1]), "new")
except MimoError as error:
    print(error.message, error.hint)
"""
    prefix = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    command = [*prefix, sys.executable, "-c", program, str(link / "file")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert f"cannot write {link}/file: Permission denied Check who owns it" in done.stdout
    assert (folder / "file").read_text() == "old"


def test_a_disk_that_is_full_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    program = """
import resource, signal, sys
from pathlib import Path
from tui.core.errors import MimoError
from tui.settings.log import log
from tui.settings.paths import write_private
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
try:
    write_private(Path(sys.argv[1]), "x" * 100)
except MimoError as error:
    print(error.message)
"""
    command = [sys.executable, "-c", program, str(tmp_path / "file")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "cannot write" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to give a folder away")
def test_a_folder_of_another_user_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o755)
    os.chown(folder, 65534, 65534)
    with pytest.raises(MimoError, match="belongs to another user"):
        private_dir(folder)
    assert folder.stat().st_mode & 0o777 == 0o755
