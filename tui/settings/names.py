"""What a mistyped name was meant to be."""

from __future__ import annotations

from collections.abc import Iterable


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


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")
