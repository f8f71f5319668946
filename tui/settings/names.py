"""What a mistyped name was meant to be."""

from __future__ import annotations

from collections.abc import Iterable

_FEW = 5
"""So many names are all shown."""
_SHOWN = 3


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `word` was most likely meant to be; None when none is near."""
    from rapidfuzz import process  # 8 ms, needed only when something is wrong anyway
    from rapidfuzz.distance import OSA

    best = process.extractOne(word, list(names), scorer=OSA.normalized_similarity, processor=_plain, score_cutoff=0.55)
    return best[0] if best else None


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """`, did you mean ...?` to end a message with, or nothing."""
    name = nearest(word, names)
    return f", did you mean `{name}`?" if name else ""


def nearest_few(word: str, names: Iterable[str]) -> str:
    """The three of `names` that are most like `word`, to show; all of them where there are not many."""
    from rapidfuzz import process
    from rapidfuzz.distance import JaroWinkler

    known = list(names)
    if len(known) <= _FEW:
        return ", ".join(known)
    found = process.extract(word, known, scorer=JaroWinkler.normalized_similarity, processor=_plain, limit=_SHOWN)
    return ", ".join(name for name, _, _ in found)


def known_backends(word: str, known: Iterable[str]) -> str:
    """A hint for a wrong name of a backend or preset: the nearest ones, and where all are shown."""
    names = list(known)
    said = "Nearest" if len(names) > _FEW else "There are"
    return f"{said}: {nearest_few(word, names)}. `mimo-tui backends list --all` shows all."


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")
