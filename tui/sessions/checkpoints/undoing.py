"""Takes back what turns have changed, and brings it back again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tui.core.errors import SessionError, UsageError
from tui.sessions.checkpoints.ledger import Entry
from tui.sessions.checkpoints.plan import Plan, net, plan
from tui.sessions.checkpoints.recorder import Place, Recorder
from tui.sessions.checkpoints.restore import restore, sweep
from tui.sessions.checkpoints.states import Change, State

_LOOK_IN = 0o500
"""What the owner may do with a folder that can be looked into."""


class Result(NamedTuple):
    """What was done. `left` was not, as somebody has changed it since; `failed` could not be, and why.

    `remarks` are sentences about what else had to be done.
    """

    turns: tuple[int, ...]
    changes: tuple[Change, ...]
    left: tuple[str, ...]
    failed: dict[str, str]
    remarks: tuple[str, ...] = ()


class FileChange(NamedTuple):
    """What became of a file or link: its states and contents (None: nothing was there, or it was not kept)."""

    path: str
    before: State | None
    after: State | None
    old: bytes | None
    new: bytes | None


def _is_folder(state: State | None, *, is_open: bool) -> bool:
    """Whether it is a folder that can be looked into, or one that cannot."""
    return state is not None and state.kind == "folder" and (state.mode & _LOOK_IN == _LOOK_IN) is is_open


class Undoing:
    """Of one session. Blocking. Raises UsageError when there is nothing to do, SessionError, OSError."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder, self._ledger = recorder, recorder.ledger

    def undo(self, turns: int = 1, *, is_forced: bool = False) -> Result:
        """Take back the last turns that changed something. What somebody has changed since is left alone, unless
        `is_forced`, which after an undo does what that left alone."""
        with self._recorder.at_work():
            entries = self._settled()
            if is_forced and (last := _last_undo(entries)) is not None and last.left:
                return self._finish(entries, last)
            active = [entry for entry in entries if _is_active(entry)]
            numbers = sorted({entry.turn for entry in active})[-turns:]
            if not numbers:
                raise UsageError("there is nothing to take back", _why_nothing(entries))
            return self._take_back(entries, [entry for entry in active if entry.turn >= numbers[0]], is_forced)

    def undo_from(self, turn: int) -> Result:
        """Take back this turn, and those after it."""
        with self._recorder.at_work():
            entries = self._settled()
            took = [entry for entry in entries if _is_active(entry) and entry.turn >= turn]
            if not took:
                raise UsageError(f"turn {turn} and those after it have changed nothing that could be taken back")
            return self._take_back(entries, took, False)

    def redo(self) -> Result:
        """Bring back what was taken back last, if no turn has changed anything since."""
        with self._recorder.at_work():
            entries = self._settled()
            if (last := _last_undo(entries)) is None:
                raise UsageError("there is nothing to bring back", "It is for what was taken back last.")
            what = plan(net([last]), self._recorder.look)
            made, failed = self._carry_out(what)
            if made or what.done or not (what.left or failed):
                self._ledger.redone(last)
            return Result(last.turns, made, what.left, failed)

    def preview(self, turn: int, step: int) -> Plan:
        """What `back_to` would change. Raises UsageError when that is nothing."""
        with self._recorder.at_work():
            return plan(net(_after((turn, step), self._ledger.entries())), self._recorder.look)

    def back_to(self, turn: int, step: int) -> Result:
        """Make all files what they were after this step."""
        with self._recorder.at_work():
            entries = self._settled()
            return self._take_back(entries, _after((turn, step), entries), False)

    def session_changes(self) -> list[FileChange]:
        """What the session's turns have changed, against what is there now."""
        with self._recorder.at_work():
            found = net(entry for entry in self._settled() if entry.is_of_model)
            now = {path: self._recorder.look(path) for path in found}
            return self._file_changes((path, change.before, now[path]) for path, change in found.items())

    def turn_changes(self) -> list[FileChange]:
        """What the last turn that changed something has changed. Empty when none has."""
        with self._recorder.at_work():
            active = [entry for entry in self._settled() if _is_active(entry)]
        last = max((entry.turn for entry in active), default=0)
        found = net(entry for entry in active if entry.turn == last)
        return self._file_changes((path, change.before, change.after) for path, change in found.items())

    def take_words(self) -> str:
        """What the model has to be told, once: that its changes were taken back, or brought back."""
        untold = [
            e for e in self._ledger.entries() if e.kind == "undo" and not e.is_open and e.is_told is e.is_reverted
        ]
        if untold:
            self._ledger.told(untold)
        return "\n".join(_words(entry) for entry in untold)

    def _settled(self) -> list[Entry]:
        """All entries, with what has changed since the last look."""
        entries = self._ledger.entries()
        sweep(self._recorder.folder, (c.path for e in entries if e.kind == "undo" and e.is_open for c in e.changes))
        last = max((entry.place for entry in entries), default=(0, 0))
        self._recorder.settle(last)
        return self._ledger.entries()

    def _take_back(self, entries: Sequence[Entry], took: Sequence[Entry], is_forced: bool) -> Result:
        if opened := self._open_up(took):
            known = {entry.number for entry in entries}
            took = [*took, *(entry for entry in self._ledger.entries() if entry.number not in known)]
        what = plan(net(took), self._recorder.look, is_forced=is_forced)
        turns = tuple(sorted({entry.turn for entry in took}))
        if not what.changes and not what.done:
            return Result(turns, (), what.left, dict(what.unkept))
        cut = {c.path: c.before for e in entries if e.kind == "undo" and e.is_open for c in e.changes}
        # Of what is as it was already nothing is to be brought back, but for what an undo did that was cut off.
        done = [change._replace(before=cut[change.path]) for change in what.done if change.path in cut]
        number = self._ledger.begin(turns[-1], 0, "undo", what.changes)
        made, failed = self._carry_out(what)
        made = (*opened, *made)
        left = (*what.left, *(path for path in failed if path not in what.unkept))
        if made or what.done:
            self._ledger.undone(number, [*made, *done], [entry.number for entry in took], turns=turns, left=left)
        else:
            self._ledger.close(number, ())
        return Result(turns, made, what.left, failed)

    def _finish(self, entries: Sequence[Entry], last: Entry) -> Result:
        """Do what an undo has left alone."""
        nets = net(entry for entry in entries if entry.number in last.took)
        what = plan({path: nets[path] for path in last.left if path in nets}, self._recorder.look, is_forced=True)
        self._ledger.needs()
        made, failed = self._carry_out(what)
        left = tuple(path for path in failed if path not in what.unkept)
        self._ledger.undone(last.number, [*last.changes, *made], last.took, turns=last.turns, left=left)
        return Result(last.turns, made, (), failed)

    def _carry_out(self, what: Plan) -> tuple[tuple[Change, ...], dict[str, str]]:
        failed = dict(what.unkept) | self._restore(what.changes)
        self._recorder.restored()
        return tuple(change for change in what.changes if change.path not in failed), failed

    def _open_up(self, took: Sequence[Entry]) -> list[Change]:
        """Let those folders be looked into again that were closed by what is taken back, and take in what was hidden
        there: else that would not be taken back. Returns what was done."""
        closed = [
            Change(path, now, target)
            for path, (target, _, _) in net(took).items()
            if _is_folder(target, is_open=True) and _is_folder(now := self._recorder.look(path), is_open=False)
        ]
        if not closed:
            return []
        failed = self._restore(closed)
        self._recorder.reveal(took[-1].place)
        return [change for change in closed if change.path not in failed]

    def _restore(self, changes: Sequence[Change]) -> dict[str, str]:
        targets = {change.path: change.after for change in changes}
        return restore(self._recorder.folder, targets, self._ledger.blobs.read)

    def _file_changes(self, changes: Iterable[tuple[str, State | None, State | None]]) -> list[FileChange]:
        found = []
        for path, before, after in sorted(changes, key=lambda change: change[0]):
            before, after = (state if state and state.kind in _SHOWN else None for state in (before, after))
            if before != after:
                found.append(FileChange(path, before, after, self._contents(before), self._contents(after)))
        return found

    def _contents(self, state: State | None) -> bytes | None:
        if state is None or state.kind == "unkept":
            return None
        if state.kind == "link":
            return state.what.encode(errors="surrogateescape")
        try:
            return self._ledger.blobs.read(state.what)
        except SessionError:
            return None


_SHOWN = ("file", "link", "unkept")
_NAMED = 30
"""Of the files of an undo, for the model."""


def _is_active(entry: Entry) -> bool:
    return entry.is_of_model and not entry.is_open and not entry.is_reverted


def _last_undo(entries: Sequence[Entry]) -> Entry | None:
    """The last one that still holds, if no later turn has changed anything since.

    What goes on in the background belongs to an earlier one: it only leaves alone what it has changed.
    """
    for place, entry in reversed(list(enumerate(entries))):
        if entry.kind == "undo" and not entry.is_open and not entry.is_reverted:
            known = max((before.place for before in entries[:place] if before.is_of_model), default=(0, 0))
            since = (after for after in entries[place:] if after.is_of_model and not after.is_open)
            return None if any(after.place > known for after in since) else entry
    return None


def _why_nothing(entries: Sequence[Entry]) -> str:
    if not any(entry.is_of_model and entry.is_reverted for entry in entries):
        return "No turn of this session has changed a file that is kept here."
    but = ", but for what has changed since" if (last := _last_undo(entries)) and last.left else ""
    return f"All that its turns have changed here is taken back already{but}."


def _after(place: Place, entries: Sequence[Entry]) -> list[Entry]:
    if any(e.is_of_model and e.is_reverted and e.turn == place[0] and e.place <= place for e in entries):
        raise UsageError("what that step did was taken back", "/redo brings it back.")
    took = [entry for entry in entries if _is_active(entry) and entry.place > place]
    if not took:
        raise UsageError("nothing has changed since that step", "All is as it was when it ended.")
    return took


def _words(entry: Entry) -> str:
    turns = ", ".join(map(str, entry.turns))
    names = [change.path for change in entry.changes]
    files = ", ".join(name if name.isprintable() else repr(name) for name in names[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    did = "brought back" if entry.is_reverted else "took back"
    return f"The user {did} the changes of turn{'s' if len(entry.turns) > 1 else ''} {turns}: {files}{more}."
