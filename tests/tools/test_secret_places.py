"""Which places hold keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.tools.secret_places import is_secret


@pytest.mark.parametrize(
    "name", [".ssh", ".ssh/id_rsa", ".netrc", ".config/gh/hosts.yml", ".config/mimo-tui/config.toml"]
)
def test_places_of_keys_are_secret(home: Path, name: str) -> None:
    assert is_secret(home / name)


@pytest.mark.parametrize("name", ["", ".sshd", "project/.netrc2", ".config/git/config", "a"])
def test_other_places_are_not(home: Path, name: str) -> None:
    assert not is_secret(home / name)


def test_a_variable_can_name_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_secret(home / "kube" / "a")
    monkeypatch.setenv("KUBECONFIG", f"{home}/kube/a:{home}/kube/b")
    assert is_secret(home / "kube" / "a") and is_secret(home / "kube" / "b")


def test_a_home_behind_a_link_is_followed(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alias").symlink_to(home)
    monkeypatch.setenv("HOME", str(tmp_path / "alias"))
    assert is_secret(home / ".ssh" / "id_rsa")
