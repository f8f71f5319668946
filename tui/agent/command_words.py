"""A shell command taken apart into simple commands and their words. Pure; parsed by tree-sitter's grammar of bash.

The grammar gives the structure only. What counts as a plain word is decided here, character by character, so that a
difference between the grammar and bash cannot make another command of it.
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tree_sitter import Node, Parser


def names(text: str) -> frozenset[str]:
    """The words of `text`, to look others up in."""
    return frozenset(text.split())


def program(word: str) -> str:
    """The name of the program that a first word starts, without its folder."""
    return word.rpartition("/")[2]  # not `PurePath.name`: of the builtin `.` that is nothing


_MAX_BYTES = 10_000
_MAX_DEPTH = 40
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_@%+,./:=-]+")
_NOT_IN_QUOTES = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BLANK = re.compile(rb"[ \t]*")
_BLANK_LINES = re.compile(rb"[ \t\n]*")
_CONTAINERS = names(
    "program list pipeline subshell compound_statement if_statement elif_clause else_clause while_statement do_group "
    "negated_command"
)
_TOKENS = frozenset("; \n && || | |& ( ) { } if then elif else fi while until do done !".split(" "))  # noqa: SIM905
_OPEN = names(
    "simple_expansion expansion command_substitution process_substitution arithmetic_expansion ansi_c_string "
    "translated_string brace_expression"
)
_RESERVED = names("! case coproc do done elif else esac fi for function if in select then time until while { } [[ ]]")
_DUPLICATES = re.compile(rb"[0-9]?>&[12]|[0-9]?>>?[ \t]*/dev/null|&>[ \t]*/dev/null")
"""The redirections that touch no file."""


Joint = Literal["", ";", "&&"]
"""How a command stands to the one before it, as far as it is certain. `&&`: it runs only after that went well. `;`: it
runs in the same shell, however that went. Nothing: it may run or not, or in a shell of its own."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a command, without its quotes as far as they are known."""

    text: str
    is_exact: bool = True
    """The command gets this word and no other."""
    is_open: bool = False
    """Anything may stand there: an expansion, a substitution."""


@dataclass(frozen=True, slots=True)
class Simple:
    """A simple command. It is plain when it is nothing but exact words."""

    words: tuple[Word, ...]
    text: str
    is_plain: bool
    pipeline: int | None = None
    """Which of the pipelines it is in; None: in none."""
    joint: Joint = ""

    @property
    def exact(self) -> tuple[str, ...] | None:
        """The words that the command gets; None where that is not known."""
        return tuple(word.text for word in self.words) if self.is_plain else None


@dataclass(frozen=True, slots=True)
class Written:
    """A file that a redirection writes to, and how the command of the redirection stands to the one before."""

    word: Word
    joint: Joint = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A command. It is plain when it consists of plain simple commands and what joins them, and of nothing else."""

    steps: tuple[Simple | Written, ...]
    """All commands, also those in substitutions and functions, in the order of the text; what a command writes to
    stands before it."""
    is_plain: bool

    @property
    def commands(self) -> list[Simple]:
        return [step for step in self.steps if isinstance(step, Simple)]

    @property
    def written(self) -> list[Word]:
        return [step.word for step in self.steps if isinstance(step, Written)]


def parse(command: str) -> Parsed | None:
    """None for what is no command of bash, or too long or too deep to look at. Raises nothing."""
    try:
        source = command.encode()
    except UnicodeEncodeError:
        return None
    if len(source) > _MAX_BYTES or b"\0" in source:
        return None
    return _parse(source)


@functools.lru_cache(maxsize=64)
def _parse(source: bytes) -> Parsed | None:
    with _one_at_a_time:
        return _read(source)


def _read(source: bytes) -> Parsed | None:
    tree = _parser().parse(_CLOSING.sub(rb"\1&1", source.translate(_ASCII)))
    root = tree.root_node
    if root.has_error:
        return None
    reading = _Reading(source)
    try:
        around = source[: root.start_byte] + source[root.end_byte :]
        is_plain = _BLANK_LINES.fullmatch(around) is not None and reading.is_plain(root)
        reading.collect(root)
    except RecursionError:
        return None
    parsed = Parsed(tuple(reading.steps), is_plain)
    return parsed if parsed.commands else replace(parsed, is_plain=False)


@functools.cache
def _parser() -> Parser:
    """The one parser: it is not for several threads, and is made once, with its language."""
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


_one_at_a_time = threading.Lock()
_ASCII = bytes(byte if byte < 0x80 else ord("x") for byte in range(256))
"""The grammar's own code looks letters up in a table of ASCII, and ends the program for one far beyond it. To the shell
they are letters like others, so the parser is given another in place of each of their bytes; all is read from the text
itself."""

_CLOSING = re.compile(rb"([<>])&-(?=[\s;|&)]|\Z)")
"""What closes a descriptor: to the grammar an error when words follow, so it is given one that copies another."""


@dataclass(slots=True)
class _Reading:
    source: bytes
    steps: list[Simple | Written] = field(default_factory=list)
    behind: dict[int, list[Node]] = field(default_factory=dict)
    """The words of a command that stand behind its redirections, by its node."""

    def collect(
        self,
        node: Node,
        pipeline: int | None = None,
        depth: int = 0,
        joint: Joint = "",
        redirects: Sequence[Node] = (),
    ) -> None:
        """Find all simple commands and redirections. Raises RecursionError where they are too deep."""
        if depth > 4 * _MAX_DEPTH:
            raise RecursionError
        if redirects and node.type != "list":  # to the grammar `a && b > c` is a redirection of the whole list
            for redirect in redirects:
                self.collect(redirect, pipeline, depth + 1, joint)
            self._put_behind(node, redirects)
            redirects = ()
        if node.type == "pipeline":
            pipeline = node.id
        if node.type in ("command", "declaration_command", "unset_command", "test_command"):
            self.steps.append(self._simple(node, pipeline, joint))
        elif node.type == "file_redirect" and ">" in self._text(node):
            self.steps += [Written(self.word(child), joint) for child in _destinations(node)[:1]]
        elif node.type == "redirected_statement" and (body := node.child_by_field_name("body")) is not None:
            self._put_behind(body, [child for child in node.named_children if child.type == "heredoc_redirect"])
        elif node.type == "redirected_statement":  # all of the command stands behind a redirection
            found = [word for redirect in node.named_children for word in _words_behind(redirect)]
            if words := [self.word(word) for word in found if not self._is_descriptor(word)]:
                self.steps.append(Simple(tuple(words), self._text(node), False, pipeline, joint))
        inner = None if node.type in _OPEN else pipeline
        for child, child_joint, child_redirects in _parts(node, joint, redirects):
            self.collect(child, inner, depth + 1, child_joint, child_redirects)

    def _put_behind(self, node: Node, redirects: Sequence[Node]) -> None:
        words = [word for redirect in redirects for word in _words_behind(redirect)]
        self.behind.setdefault(_last_of(node).id, []).extend(words)

    def _simple(self, node: Node, pipeline: int | None, joint: Joint) -> Simple:
        behind = self.behind.get(node.id, [])
        words = [self.word(child) for child in (*_words_of(node), *behind) if not self._is_descriptor(child)]
        if node.type != "command" and node.children:
            words.insert(0, Word(self._text(node.children[0])))
        is_plain = not behind and self._is_plain_command(node)
        return Simple(tuple(words), self._text(node), is_plain, pipeline, joint)

    def is_plain(self, node: Node, depth: int = 0) -> bool:
        """Whether there is nothing in it but plain simple commands. Raises RecursionError."""
        if depth > _MAX_DEPTH:
            raise RecursionError
        if node.type == "command":
            return self._is_plain_command(node)
        if node.type == "comment":
            return _is_clean(self._text(node))
        if not node.is_named:
            return node.type in _TOKENS
        if node.type == "redirected_statement":
            return self._is_spaced(node, _BLANK) and all(
                self._is_harmless(child) if child.type == "file_redirect" else self.is_plain(child, depth + 1)
                for child in node.children
            )
        if node.type not in _CONTAINERS or not self._is_spaced(node, _BLANK_LINES):
            return False
        return all(self.is_plain(child, depth + 1) for child in node.children)

    def _is_plain_command(self, node: Node) -> bool:
        if node.type != "command" or not self._is_spaced(node, _BLANK):
            return False
        children = node.children
        if not children or children[0].type != "command_name":
            return False
        words = [self.word(child) for child in children]
        name = words[0].text
        return all(word.is_exact for word in words) and "=" not in name and bool(name) and name not in _RESERVED

    def _is_harmless(self, redirect: Node) -> bool:
        return _DUPLICATES.fullmatch(self._bytes(redirect)) is not None

    def _is_spaced(self, node: Node, between: re.Pattern[bytes]) -> bool:
        """Whether there is nothing but blanks between the parts of it that the grammar tells of."""
        at = node.start_byte
        for child in node.children:
            if not between.fullmatch(self.source[at : child.start_byte]):
                return False
            at = child.end_byte
        return between.fullmatch(self.source[at : node.end_byte]) is not None

    def word(self, node: Node) -> Word:
        """What the shell makes of a word, as far as it can be told without running it."""
        text = self._text(node)
        if self._is_descriptor(node):
            return Word(text, False)
        if node.type in ("word", "number"):
            if _PLAIN_WORD.fullmatch(text):
                return Word(text)
            is_open = "{" in text or "$" in text or "`" in text
            return Word(re.sub(r"\\(.)", r"\1", text.replace("\\\n", "")), False, is_open)
        if node.type == "raw_string":
            return Word(text[1:-1], _is_clean(text))
        if node.type == "string":
            return self._quoted(node, text)
        if node.type in ("concatenation", "command_name"):
            return self._joined(node)
        return Word(text, False, True)

    def _is_descriptor(self, node: Node) -> bool:
        """Whether it is the number that a redirection begins with: of `0>x` the grammar makes a word and `>x`."""
        return self._bytes(node).isdigit() and self.source[node.end_byte : node.end_byte + 1] in (b"<", b">")

    def _quoted(self, node: Node, text: str) -> Word:
        if any(child.type in _OPEN for child in node.named_children):
            return Word(text[1:-1], False, True)
        inner = text[1:-1]
        return Word(re.sub(r"\\(.)", r"\1", inner), re.search(r'[$`\\!"]', inner) is None and _is_clean(inner))

    def _joined(self, node: Node) -> Word:
        parts = [self.word(child) for child in node.children]
        is_exact = bool(parts) and all(part.is_exact for part in parts)
        text = "".join(part.text for part in parts)
        is_whole = is_exact and self._is_spaced(node, re.compile(b""))
        return Word(text, is_whole, any(part.is_open for part in parts) or (not is_whole and "{" in text))

    def _bytes(self, node: Node) -> bytes:
        return self.source[node.start_byte : node.end_byte]

    def _text(self, node: Node) -> str:
        return self._bytes(node).decode(errors="replace")


def _is_clean(text: str) -> bool:
    return _NOT_IN_QUOTES.search(text) is None


def _parts(node: Node, joint: Joint, redirects: Sequence[Node]) -> Iterator[tuple[Node, Joint, Sequence[Node]]]:
    """The parts of a node in their order, how each stands to what is before it, and its redirections to files."""
    children = node.named_children
    has_body = node.type == "redirected_statement" and children[0].type != "file_redirect"
    files = [child for child in children if child.type == "file_redirect"] if has_body else []
    is_and = bool(joint) and any(child.type == "&&" for child in node.children)
    for n, child in enumerate(children):
        if node.type == "program":
            after = child.next_sibling
            yield child, "" if after is not None and after.type == "&" else ";", ()
        elif node.type == "list":
            yield (child, joint, ()) if n == 0 else (child, "&&" if is_and else "", redirects)
        elif child not in files:
            yield (child, joint, files) if has_body and n == 0 else (child, "", ())


def _last_of(node: Node) -> Node:
    """The command whose redirections those of the node are."""
    while node.type in ("pipeline", "negated_command", "list"):
        node = node.named_children[-1]
    return node


def _destinations(redirect: Node) -> list[Node]:
    """The file of a redirection; the words behind it, which are the command's, are others of it to the grammar."""
    return redirect.children_by_field_name("destination")


def _words_behind(redirect: Node) -> list[Node]:
    """The words of the command behind a redirection, and those behind the start of a heredoc."""
    return [*_destinations(redirect)[1:], *redirect.children_by_field_name("argument")]


def _words_of(node: Node) -> Iterator[Node]:
    for child in node.named_children:
        if child.type not in ("variable_assignment", "file_redirect", "herestring_redirect", "heredoc_redirect"):
            yield child
