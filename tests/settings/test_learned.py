"""What servers taught is kept, and a file that was broken by hand loses nothing that can be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui.cli import main
from tui.settings.learned import Learned, keep_learned, learned_file, learned_of, problem_with_learned

ONE = Learned("http://a/v1", "m", "stream_usage", False, "no stream_options", "2026-11-25")
OTHER = Learned("http://b/v1", "m", "images", False, "no images", "2026-11-25")


def test_a_rule_takes_the_place_of_an_older_one_of_its_name(home: Path) -> None:
    for value in ("a", "b"):
        keep_learned(Learned("http://a/v1", "m", "max_tokens_field", value, "", "2026-11-25"))
    keep_learned(OTHER)
    assert [entry.value for entry in learned_of("http://a/v1", "m")] == ["b"] and learned_of("http://b/v1", "m") == [
        OTHER
    ]


def test_one_entry_that_is_wrong_does_not_cost_the_others(home: Path) -> None:
    keep_learned(ONE)
    learned_file().write_text(learned_file().read_text() + '\n[[learned]]\nbase_url = "x"\n')
    assert learned_of(ONE.base_url, "m") == [ONE] and "1 entries" in problem_with_learned()
    keep_learned(OTHER)
    assert learned_of(ONE.base_url, "m") == [ONE] and learned_of(OTHER.base_url, "m") == [OTHER]


@pytest.mark.parametrize("content", [b"broken = [[[", b"\xff\xfe\x00", b"learned = 3\n"])
def test_a_broken_file_is_said_and_put_aside_not_lost(
    home: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    learned_file().parent.mkdir(parents=True)
    learned_file().write_bytes(content)
    assert learned_of(ONE.base_url, "m") == []
    assert main(["config", "check"]) == 0
    assert "learned.toml" in capsys.readouterr().out
    keep_learned(ONE)
    assert learned_of(ONE.base_url, "m") == [ONE]
    assert learned_file().with_name("learned.toml.broken").read_bytes() == content
