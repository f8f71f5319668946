"""The line of a key is the line on which it is first written, however TOML lets it be written."""

from __future__ import annotations

import tomllib
from itertools import count
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from tui.settings.checking import Key
from tui.settings.positions import key_lines

DOCUMENT = (
    r'''# a comment = 1
top = 1
"quoted key" = { inner = 2, deeper.still = 3 }
'literal.key' = """
not_a_key = 1
[not.a.table] # "quotes" and one at the end""""
dotted . name = 'it'''
    + "'"
    + r'''
[table]
a = "\"x = 1" # a = 2
b = [
  1, # first
  [2,
   3],
  { x = 4, "y z" = [
      5,
  ] },
  """six
is here""",
]
when = 1979-05-27 07:32:00
c = 1

[table.sub]
d = []
[table."sub two".deep]
[[list]]
e = 1
[list.part]
f = 1
[[list]]
[list.part]
f = 2
[[list.inner]]
g = 1
[[list.inner]]
g.h = 2
'''
)

EXPECTED: dict[Key, int] = {
    ("top",): 2,
    ("quoted key",): 3,
    ("quoted key", "inner"): 3,
    ("quoted key", "deeper"): 3,
    ("quoted key", "deeper", "still"): 3,
    ("literal.key",): 4,
    ("dotted",): 7,
    ("dotted", "name"): 7,
    ("table",): 8,
    ("table", "a"): 9,
    ("table", "b"): 10,
    ("table", "b", 0): 11,
    ("table", "b", 1): 12,
    ("table", "b", 1, 0): 12,
    ("table", "b", 1, 1): 13,
    ("table", "b", 2): 14,
    ("table", "b", 2, "x"): 14,
    ("table", "b", 2, "y z"): 14,
    ("table", "b", 2, "y z", 0): 15,
    ("table", "b", 3): 17,
    ("table", "when"): 20,
    ("table", "c"): 21,
    ("table", "sub"): 23,
    ("table", "sub", "d"): 24,
    ("table", "sub two"): 25,
    ("table", "sub two", "deep"): 25,
    ("list",): 26,
    ("list", 0): 26,
    ("list", 0, "e"): 27,
    ("list", 0, "part"): 28,
    ("list", 0, "part", "f"): 29,
    ("list", 1): 30,
    ("list", 1, "part"): 31,
    ("list", 1, "part", "f"): 32,
    ("list", 1, "inner"): 33,
    ("list", 1, "inner", 0): 33,
    ("list", 1, "inner", 0, "g"): 34,
    ("list", 1, "inner", 1): 35,
    ("list", 1, "inner", 1, "g"): 36,
    ("list", 1, "inner", 1, "g", "h"): 36,
}


def test_every_form_of_key_is_found_on_its_line() -> None:
    tomllib.loads(DOCUMENT)
    assert key_lines(DOCUMENT) == EXPECTED


@pytest.mark.parametrize("text", ["", "\n", "# only a comment", "a = 1 # no line end", "[a]", "\n\n  [a]\t# x\n"])
def test_small_texts_are_read_to_their_end(text: str) -> None:
    assert set(key_lines(text)) == set(keys_of(tomllib.loads(text)))


@pytest.mark.parametrize(
    "value",
    [
        *('""', "''", '""""""', "''''''", '"""""a"""', '"""a"""""', "'''a'''''", '"""\\""""', '"\\\\"', "'\\'"),
        *(
            "1_000",
            "0x1F",
            "+1e-3",
            "nan",
            "true",
            "07:32:00",
            "1979-05-27T07:32:00.5-07:00",
            "[ ]",
            "{ }",
        ),
        *('"#"', '"]"', "'}'", '"""a\n\\\n  b"""', '[ "a,b", # c, d\n ]', "[[], [[]], {}, ]"),
    ],
)
def test_what_follows_any_value_is_found(value: str) -> None:
    text = f"a = {value} # comment\nb = {{ c = {value}, d = [{value}, 1] }}\ne = 1\n"
    assert set(key_lines(text)) == set(keys_of(tomllib.loads(text)))
    assert key_lines(text)["e",] == text.count("\n")


names = st.one_of(st.sampled_from(["a", "b", "a b", 'a"b', "a.b", "", "'", "é", "\n"]), st.text(max_size=4))
trees = st.recursive(
    st.just("leaf"),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3), st.just("leaf\n")),
    max_leaves=12,
)


@given(st.dictionaries(names, trees, max_size=4), st.booleans())
def test_every_leaf_of_any_document_is_on_the_line_that_is_named(tree: dict[str, Any], multiline: bool) -> None:
    numbered = with_unique_leaves(tree, count())
    text = tomli_w.dumps(numbered, multiline_strings=multiline)
    lines = key_lines(text)
    assert set(lines) == set(keys_of(numbered))
    if not multiline:
        for key, value in keys_of(numbered).items():
            if isinstance(value, str):
                assert value.strip() in text.split("\n")[lines[key] - 1]


def with_unique_leaves(tree: Any, numbers: count[int]) -> Any:
    if isinstance(tree, dict):
        return {name: with_unique_leaves(item, numbers) for name, item in tree.items()}
    if isinstance(tree, list):
        return [with_unique_leaves(item, numbers) for item in tree]
    return f"<{next(numbers)}>{tree.removeprefix('leaf')}"


def keys_of(tree: Any, key: Key = ()) -> dict[Key, Any]:
    """Every way into a parsed document, and what is at its end."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    found: dict[Key, Any] = {key: tree} if key else {}
    for name, item in items:
        found |= keys_of(item, (*key, name))
    return found
