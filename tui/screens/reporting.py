"""What becomes of a worker that broke."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.worker import Worker, WorkerState

if TYPE_CHECKING:
    from tui.screens.window import MimoApp


class ReportsBrokenWorkers:
    """For screens whose workers run with `exit_on_error=False`: a mistake of ours is said and logged, never silent."""

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            cast("MimoApp", event.worker.node.app).report(event.worker.error)
