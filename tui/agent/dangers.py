"""Commands that are asked about in every policy and whatever the rules say. A net for what is common, not a wall.

What holds a command back is the sandbox; this is for what a sandbox allows and nobody can undo, and for where there is
none. What only hides its words (`$(echo rm)`) is not found.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tui.agent.command_words import Parsed, Simple, Word, Written, parse, program
from tui.agent.danger_places import Ground, Places
from tui.agent.danger_programs import found, starts, why_dangerous_program
from tui.agent.danger_words import (
    ACTS,
    FETCH,
    FETCHES,
    GIT_PLACES,
    GIT_READERS,
    INTERPRETERS,
    LISTS,
    NOWHERE,
    OUTSIDE,
    READERS,
    SHELLS,
    TAKES_TEXT,
    TEXT_RUNNERS,
    WORDS_OF_TEXT,
    WRAPPERS,
    operands,
    values,
)
from tui.settings.paths import APPLICATION, cache_dir, config_dir, data_dir, state_dir

__all__ = ["Ground", "why_dangerous"]

_REDIRECTION = re.compile(r"(?<!\S)\d*(?:<<-?|<>|>>|>\||[<>])&?[ \t]*[^\s;|&]+")
_DEEPEST = 4
_MOST_TEXTS = 4
"""As many commands that are given as words are looked at of those that a wrapper may run."""


def why_dangerous(command: str, ground: Ground) -> str | None:
    """Why it is always asked about, as words after "it"; None when nothing was found. Blocking: looks at links."""
    return _why(command, Places(ground, {ground.folder}), 0)


def _why(command: str, places: Places, depth: int) -> str | None:
    parsed = parse(command) if depth < _DEEPEST else None
    if own := _own_files(command, only_reads=parsed is not None and _only_reads(parsed)):
        return own
    if parsed is None:
        found = WORDS_OF_TEXT.search(command) or WORDS_OF_TEXT.search(_REDIRECTION.sub(" ", command))
        return f"cannot be read, and has `{' '.join(found[0].split())[:40]}` in it" if found else None
    return _Look(command, parsed, places, depth).at_all()


def _own_files(command: str, *, only_reads: bool) -> str | None:
    home, plain = str(Path.home()), _with_plain_variables(command)
    for place in (config_dir(), data_dir(), state_dir(), cache_dir()):
        shown = str(place)
        names = (shown, shown.replace(home, "~", 1), shown.replace(home, "$HOME", 1))
        if any(name in command or name in plain for name in names):
            return "names the program's own files"
    if re.search(rf"\$XDG_(CONFIG|DATA|STATE|CACHE)_HOME/{APPLICATION}\b", plain):
        return "names the program's own files"
    if re.search(r"\bapprovals\.toml", command, re.IGNORECASE):
        return "names the program's own settings"
    if not only_reads and re.search(r"(?<![\w.-])\.mimo(?![\w.-])", command, re.IGNORECASE):
        return "names the program's own settings"
    return None


def _with_plain_variables(command: str) -> str:
    """`command` without quotes, and with `$X` for `${X}` and `${X:-other}`."""
    text = re.sub(r"[\"'\\]", "", command)
    for pattern in (r"\$\{(\w+)\}", r"\$\{(\w+):?[-=][^{}]*\}"):  # the second may have the first in it
        text = re.sub(pattern, r"$\1", text)
    return re.sub(r"/(\.?/)+", "/", text)


def _only_reads(parsed: Parsed) -> bool:
    """Whether all its commands are known to write nothing, wherever their words lead."""
    return all(map(_reads, parsed.commands)) and all(NOWHERE.fullmatch(word.text) for word in parsed.written)


def _reads(simple: Simple) -> bool:
    name, *texts = [word.text for word in simple.words] or [""]
    if any(word.is_open for word in simple.words) or any(map(ACTS.fullmatch, texts)):
        return False
    if not simple.text.startswith(name):  # assignments before it, which may make another program of it
        return False
    return name in READERS or name == "find" or (name == "git" and bool(texts) and texts[0] in GIT_READERS)


class _Look:
    """At one parsed command, whose parts begin in `places`."""

    def __init__(self, command: str, parsed: Parsed, places: Places, depth: int) -> None:
        self._command, self._parsed, self._places, self._depth = command, parsed, places, depth
        self._traps: list[str] = []

    def at_all(self) -> str | None:
        if re.search(r":\s*\(\)\s*\{", self._command):
            return "starts ever more of itself"
        if fetched := self._runs_what_it_fetched():
            return fetched
        for step in self._parsed.steps:
            self._places.begin(step.joint)
            if isinstance(step, Written):
                why = f"writes {OUTSIDE}" if self._places.is_outside(step.word) else None
            else:
                why = self._at_simple(step)
            if why:
                return why
        return self._at_texts(self._traps, self._places.ever)

    def _runs_what_it_fetched(self) -> str | None:
        named = [(_name(simple), simple) for simple in self._parsed.commands]
        pipelines = {simple.pipeline for name, simple in named if name in FETCHES} - {None}
        if not any(name in FETCHES for name, _ in named):
            return None
        for name, simple in named:
            reads_program = name in INTERPRETERS and all(word.text == "-" for word in simple.words[1:])
            is_run = name in SHELLS | {"eval", "source", "."} or (reads_program and simple.pipeline in pipelines)
            if is_run or _takes_fetched_program(simple):
                return "runs what it fetches from the network"
            if simple.pipeline in pipelines and name in WRAPPERS and {w.text for w in simple.words} & SHELLS:
                return "runs what it fetches from the network"
        return None

    def _at_simple(self, simple: Simple) -> str | None:
        words = simple.words
        while words and "=" in words[0].text:  # `env A=1 rm`
            words = words[1:]
        if not words:
            return None
        if words[0].is_open:
            return self._in_text("hides what it runs")
        name, places = program(words[0].text), self._places
        mover = words[1:] if name in ("builtin", "command") and len(words) > 1 else words
        places.follow(program(mover[0].text), mover[1:], simple.joint)
        if name not in WRAPPERS:
            return self._at_words(words, places)
        if name == "env" and (folders := values(words[1:], "C", "--chdir")):
            places = places.within(folders[0])
        if why := self._at_words(words, places):
            return why
        with_texts = 0
        for inner in self._wrapped(name, simple, words):
            with_texts += program(inner[0].text) in TEXT_RUNNERS
            if with_texts > _MOST_TEXTS:
                return self._in_text("gives a shell what to run")
            if why := self._at_words(inner, places):
                return why
        texts = [word.text for word in words[1:] if " " in word.text] if name in TAKES_TEXT else []
        return self._at_texts(texts, places)

    def _wrapped(self, name: str, simple: Simple, words: Sequence[Word]) -> Iterator[Sequence[Word]]:
        """What it may run: the words from each of its words on, with the names that it finds or reads in them."""
        if name == "find":
            ends = [n for n, word in enumerate(words) if word.text in (";", "+")]
            words = _put(words, {"{}"}, found(words[1:], self._places))
            for n, word in enumerate(words[:-1], 1):
                if word.text in ("-exec", "-execdir", "-ok", "-okdir"):
                    inner = words[n : next((end for end in ends if end > n), len(words))]
                    is_wrapped = program(inner[0].text) in WRAPPERS
                    yield from (inner[m:] for m in range(len(inner) if is_wrapped else 1))
        elif name in ("xargs", "parallel"):
            given = next(filter(self._places.is_outside, self._names_before(simple)), None) or self._all_before(simple)
            stands = {"{}", *(word.text for word in values(words[1:], "I", "--replace"))}
            put = _put(words, stands | {word.text[2:] for word in words if re.match("-I.", word.text)}, given)
            words = put if list(put) != list(words) else (*words, given or Word("", False, True))
            yield from (words[n:] for n in range(1, len(words)))
        else:
            yield from (words[n:] for n in range(1, len(words)))

    def _names_before(self, simple: Simple) -> Iterator[Word]:
        """What the commands before it in its pipe are given, where they pass it on as names."""
        for other in self._parsed.commands:
            if other is simple:
                return
            if simple.pipeline is not None and other.pipeline == simple.pipeline:
                if _name(other) == "find":
                    yield from starts(other.words[1:])
                elif _name(other) in LISTS:
                    yield from operands(other.words[1:], "I")

    def _all_before(self, simple: Simple) -> Word | None:
        """The whole folder, where the one command before it in its pipe finds all that is in it."""
        others = [other for other in self._parsed.commands if other.pipeline == simple.pipeline]
        is_find = simple.pipeline is not None and others[1:2] == [simple] and _name(others[0]) == "find"
        return found(others[0].words[1:], self._places) if is_find else None

    def _at_words(self, words: Sequence[Word], places: Places) -> str | None:
        """A program and its words."""
        name, texts = program(words[0].text), [word.text for word in words[1:]]
        if name == "eval":
            return self._at_texts([" ".join(texts)], places)
        if name == "trap":
            self._traps += [word.text for word in operands(words[1:], "l")[:1]]
        if name in SHELLS:
            for n, text in enumerate(texts):
                if re.fullmatch(r"-[a-z]*c[a-z]*", text) and n + 1 < len(texts):
                    # The options may go on after it, with values that look like a command, too.
                    scripts = [text for text in texts[n + 1 :] if not text.startswith(("-", "+"))]
                    given = [word for word in words[n + 3 :] if places.is_outside(word) or places.is_whole(word)]
                    return self._at_texts([_filled(text, given) for text in scripts], places)
            return self._in_text("gives a shell what to run")
        if name.startswith("python") and (module := _module(words[1:])):
            name = "mimo-tui" if module[0].text.partition(".")[0] == "tui" else module[0].text
            return why_dangerous_program(name, module[1:], places)
        if name == "git":
            moved = [Word(f"--work-tree={given}", False, "$" in given) for given in GIT_PLACES.findall(self._command)]
            words = [words[0], *moved, *words[1:]]
        return why_dangerous_program(name, words[1:], places)

    def _at_texts(self, texts: Sequence[str], places: Places) -> str | None:
        """Programs that are given as words."""
        found = (_why(text, Places(places.ground, places.now), self._depth + 1) for text in texts)
        return next((why for why in found if why), None)

    def _in_text(self, what: str) -> str | None:
        """Whether there are dangerous words anywhere, where nothing better is known."""
        found = WORDS_OF_TEXT.search(self._command)
        return f"{what}, and has `{' '.join(found[0].split())[:40]}` in it" if found else None


def _takes_fetched_program(simple: Simple) -> bool:
    """Whether an interpreter is given what a substitution fetches: after `-c` or the like, or as its script."""
    texts = [word.text for word in simple.words]
    for n, name in enumerate(map(program, texts)):
        if name not in INTERPRETERS or (n > 0 and program(texts[0]) not in WRAPPERS):
            continue
        for before, text in zip(texts[n:], texts[n + 1 :], strict=False):
            is_program = re.fullmatch(r"-\w*[ceErp]|--(eval|print|run)", before) or text.startswith("<(")
            if is_program and FETCH.search(text):
                return True
    return False


def _module(words: Sequence[Word]) -> Sequence[Word]:
    """The module that Python is told to run, and the words after it."""
    for n, word in enumerate(words):
        if option := re.fullmatch(r"-[bBdEIOPqsSuvx]*m(.*)", word.text):
            return [Word(option[1]), *words[n + 1 :]] if option[1] else words[n + 1 :]
    return ()


def _put(words: Sequence[Word], stands: Collection[str], given: Word | None) -> Sequence[Word]:
    """The words with what is given in the place of what stands for it, also within a word."""
    if given is None:
        return words
    whole = (rf"\b{text}\b" if text.isalnum() else re.escape(text) for text in stands if text)
    stand = re.compile("|".join(whole))
    filled = ((word, stand.sub(lambda _: given.text, word.text)) for word in words)
    return [word if text == word.text else replace(given, text=text) for word, text in filled]


def _filled(script: str, given: Sequence[Word]) -> str:
    """A script with a word that it is given in the place of its parameters, and of variables that may be one."""
    if not given:
        return script
    text = given[0].text if re.fullmatch(r"[\w@%+,./:=~-]+", given[0].text) else "/"
    return re.sub(r"\$(?:[0-9@*]|[a-z_]\w*|\{[^}]*\})", lambda _: text, script)


def _name(simple: Simple) -> str:
    return program(simple.words[0].text) if simple.words else ""
