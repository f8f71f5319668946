"""The heads of Markdown files are read however they were written, and their bodies are kept to the letter."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tui.agent.project.front_matter import read_document

PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029\ufeff\r"), max_size=40)


@given(st.text(max_size=300))
def test_any_text_is_a_document(text: str) -> None:
    document = read_document(text)
    assert all(isinstance(value, str) for value in document.fields.values())
    assert document.body in text.removeprefix("\ufeff").replace("\r\n", "\n")


@given(st.dictionaries(st.from_regex(r"[a-z][a-z-]{0,10}", fullmatch=True), PLAIN, min_size=1), PLAIN)
def test_what_yaml_wrote_is_read_again(fields: dict[str, str], body: str) -> None:
    head = yaml.safe_dump(fields, allow_unicode=True, default_style='"', width=1000)
    document = read_document(f"---\n{head}---\n{body}")
    assert document.fields == {name: value.strip() for name, value in fields.items()}
    assert document.body == body


@pytest.mark.parametrize(
    ("head", "description"),
    [
        ("description: Use when: the tests fail", "Use when: the tests fail"),
        ("description: 'quoted: so'", "quoted: so"),
        ("description: >\n  two\n  lines", "two lines"),
        ("description: [a: {", "[a: {"),
        ("name: x\ndescription: a: b\n  and more", "a: b and more"),
        ("description: 1.10", "1.10"),
    ],
)
def test_a_description_is_read_though_it_is_no_proper_yaml(head: str, description: str) -> None:
    assert read_document(f"---\n{head}\n---\nbody").fields["description"] == description


def test_a_file_without_a_head_is_all_body() -> None:
    assert read_document("# Title\n---\nx: y\n---\n") == ({}, "# Title\n---\nx: y\n---\n")


def test_a_head_that_is_made_to_blow_up_does_not() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 30))
    assert read_document(f"---\n{bomb}name: x\n---\n").fields == {"name": "x"}
    assert read_document("---\n" + "[" * 5000 + "\n---\nbody").body == "body"
