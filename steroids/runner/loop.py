"""Claim, work, hand over, again."""

import contextlib
import shutil
import tempfile
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

from steroids.client import Client
from steroids.errors import SteroidsError
from steroids.runner import oneshot, reviewing
from steroids.runner.coding import STOP_GRACE_S, Coding
from steroids.runner.courier import Courier
from steroids.runner.outbox import Outbox
from steroids.runner.patience import LATER
from steroids.runner.workspace import Broken, Workspace
from steroids.wire.assignment import Assignment, Kind, Orders

HEARTBEAT_S = 5.0
HAND_OVER_S = 25.0


class Loop:
    """`run` in a thread of its own; `stop` from another one."""

    def __init__(self, client: Client, workspace: Workspace) -> None:
        self.exit_code = 0
        self._workspace = workspace
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
        if coding is not None and coding.stop(self._grace_s(coding)):
            self._over.wait(HAND_OVER_S)

    def _grace_s(self, coding: Coding) -> float:
        """What the agent gets to end by itself: nothing when somebody is in a hurry."""
        try:
            return 0 if self._courier.heartbeat(coding.fence).hurry else STOP_GRACE_S
        except SteroidsError:
            return STOP_GRACE_S

    def _do(self, assignment: Assignment) -> None:
        with _scratch() as scratch:
            if assignment.kind is not Kind.CODE:
                one = reviewing if assignment.kind is Kind.REVIEW else oneshot
                one.run(assignment, self._workspace, self._courier, self._outbox, scratch)
                return
            self._coding = Coding(assignment, self._workspace, self._courier, self._outbox)
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
            elif orders.over is not None:
                self._workspace.curfew.end(orders.over)


@contextlib.contextmanager
def _scratch() -> Iterator[Path]:
    """A folder that the agent may read and not write."""
    folder = Path(tempfile.mkdtemp(prefix="steroids-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
