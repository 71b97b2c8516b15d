"""Claim, work, hand over, again."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from steroids.client import Client
from steroids.errors import SteroidsError
from steroids.runner.courier import Courier
from steroids.runner.failures import Broken
from steroids.runner.outbox import Outbox
from steroids.runner.patience import LATER
from steroids.wire.assignment import Assignment, Kind, Orders

if TYPE_CHECKING:
    from steroids.runner.coding import Coding
    from steroids.runner.workspace import Workspace

HEARTBEAT_S = 5.0
HURRY_S = 1.0
HAND_OVER_S = 25.0


class Loop:
    """`run` in a thread of its own; `stop` from another one.

    What only work needs is loaded when there is some: half of what there is to load, and a runner
    is ready that much sooner. `workspace` is called for the first assignment.
    """

    def __init__(self, client: Client, workspace: "Callable[[], Workspace]") -> None:
        self.exit_code = 0
        self._make_workspace = workspace
        self._workspace: Workspace | None = None
        self._stopping = threading.Event()
        self._over = threading.Event()
        self._courier = Courier(client, self._stopping)
        self._outbox = Outbox(client)
        self._coding: Coding | None = None

    def run(self) -> None:
        """Until there is nothing more to do, or `stop`, or the workspace breaks."""
        threading.Thread(target=self._heartbeats, name="heartbeat", daemon=True).start()
        try:
            while not self._stopping.is_set():
                assignment = self._courier.claim()
                if assignment is None:
                    continue
                if assignment.kind is Kind.STOP:
                    break
                self._do(assignment)
                if assignment.kind is not Kind.CODE:
                    break
        except (Broken, SteroidsError) as error:
            print(f"runner ends: {error}", flush=True)
            self.exit_code = 1
        except BaseException:
            import traceback

            traceback.print_exc()
            self.exit_code = 70
            raise
        finally:
            self._outbox.flush()
            self._over.set()

    def stop(self) -> None:
        """Stop the agent, hand over what there is, and return when that is done.

        What does no work on the task (waiting, a set-up, checks, a review) has nothing to hand
        over; its processes end with its container.
        """
        self._stopping.set()
        coding = self._coding
        if coding is None:
            return
        grace_s = self._grace_s(coding)
        if grace_s:
            threading.Thread(target=self._hurry, args=(coding,), name="hurry", daemon=True).start()
        if coding.stop(grace_s):
            self._over.wait(HAND_OVER_S)

    def _grace_s(self, coding: "Coding") -> float:
        """What the agent gets to end by itself: nothing when somebody is in a hurry."""
        from steroids.runner.coding import STOP_GRACE_S

        try:
            return 0 if self._courier.heartbeat(coding.fence).hurry else STOP_GRACE_S
        except SteroidsError:
            return STOP_GRACE_S

    def _hurry(self, coding: "Coding") -> None:
        """Somebody may come to be in a hurry while the agent still has time to end."""
        while not self._over.wait(HURRY_S):
            if self._grace_s(coding) == 0:
                coding.stop(0)
                return

    def _do(self, assignment: Assignment) -> None:
        from steroids.runner import oneshot, reviewing
        from steroids.runner.coding import Coding
        from steroids.runner.scratch import scratch_folder

        workspace = self._workspace = self._workspace or self._make_workspace()
        with scratch_folder() as scratch:
            if assignment.kind is not Kind.CODE:
                one = reviewing if assignment.kind is Kind.REVIEW else oneshot
                one.run(assignment, workspace, self._courier, self._outbox, scratch)
                return
            self._coding = Coding(assignment, workspace, self._courier, self._outbox)
            try:
                self._coding.run(scratch)
            finally:
                self._coding = None

    def _heartbeats(self) -> None:
        while not self._over.wait(HEARTBEAT_S):
            coding = self._coding
            try:
                orders = self._courier.heartbeat(coding.fence if coding else None)
            except SteroidsError as error:
                if error.code in LATER:
                    continue
                # This runner is no longer known; what it does is of no use to anybody.
                print(f"heartbeat refused: {error}", flush=True)
                orders = Orders(cancel=True)
            if orders.cancel and coding is not None:
                coding.cancel()
            elif orders.over is not None and self._workspace is not None:
                self._workspace.curfew.end(orders.over)
