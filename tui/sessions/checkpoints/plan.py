"""What taking back would change, and what it would leave alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from tui.sessions.checkpoints.ledger import Entry
from tui.sessions.checkpoints.states import Change, State, why_unkept

Look = Callable[[str], State | None]
"""What is at a path now."""


class Net(NamedTuple):
    """All that entries made of a path: `is_broken` when somebody else changed it in between."""

    before: State | None
    after: State | None
    is_broken: bool = False


class Plan(NamedTuple):
    """`changes` are to be made (from what is there now), `done` are there already, `left` is left alone.

    `unkept` are those of which the earlier state is not known, and why.
    """

    changes: tuple[Change, ...]
    done: tuple[Change, ...]
    left: tuple[str, ...]
    unkept: Mapping[str, str]


def net(entries: Iterable[Entry]) -> dict[str, Net]:
    """What entries, in their order, come to, path by path."""
    found: dict[str, Net] = {}
    for entry in entries:
        for path, before, after in entry.changes:
            if (old := found.get(path)) is None:
                found[path] = Net(before, after)
            else:
                found[path] = Net(old.before, after, old.is_broken or old.after != before)
    return found


def plan(changed: Mapping[str, Net], look: Look, *, is_forced: bool = False) -> Plan:
    """How to come from what is there now to what was before. What somebody has changed since is left alone, unless
    `is_forced`. Blocking."""
    changes, done, left, unkept = [], [], [], {}
    for path, (target, expected, is_broken) in sorted(changed.items()):
        now = look(path)
        if now == target:
            done.append(Change(path, expected, target))
        elif target is not None and target.kind == "cache":
            continue  # programs make it again
        elif why := why_unkept(target) if target else _why_not_removed(now):
            unkept[path] = why
        elif (now == expected and not is_broken) or is_forced:
            changes.append(Change(path, now, target))
        else:
            left.append(path)
    return Plan(tuple(changes), tuple(done), tuple(left), unkept)


def _why_not_removed(now: State | None) -> str:
    return "left, with what is in it" if now is not None and now.kind == "installed" else ""
