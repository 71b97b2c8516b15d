"""What goes between the runner and the controller."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from steroids.client import Client
from steroids.errors import ControllerUnavailable, SteroidsError
from steroids.runner import limits
from steroids.runner.patience import patiently
from steroids.wire.assignment import Assignment, Claim, Heartbeat, Orders, Result, Submission
from steroids.wire.database import DatabaseAsk, DatabaseGrant
from steroids.wire.lock import Build, BuildTurn

NEVER = threading.Event()


class Courier:
    """Calls are repeated until the controller answers. Those that only ask give up once
    `stopping` is set (`ControllerUnavailable`); what hands over work does not."""

    def __init__(self, client: Client, stopping: threading.Event) -> None:
        self._client = client
        self._stopping = stopping
        self._told = False
        """Whether the controller has heard which limits hold here."""

    def claim(self) -> Assignment | None:
        """Wait for something to do; none: ask again."""
        body = Claim(limits=None if self._told else limits.found())
        limit_s = body.wait_s + 15
        answer = patiently(
            lambda: self._client.poll("/v1/claim", body, Assignment, timeout_s=limit_s),
            self._stopping,
        )
        self._told = True
        return answer

    def fetch(self, want: str, have: list[str], target: Path) -> bool:
        """Write a bundle of what leads to `want` from `have`; False when nothing is missing."""
        query = urlencode({"want": want, "have": have}, doseq=True)

        def call() -> bool:
            with target.open("wb") as file:
                return self._client.download(f"/v1/bundle?{query}", file)

        return patiently(call, self._stopping)

    def upload(self, bundle: Path) -> None:
        def call() -> None:
            with bundle.open("rb") as file:
                self._client.upload("/v1/bundle", file)

        patiently(call, NEVER)

    def submit(self, body: Submission) -> None:
        patiently(lambda: self._client.send("POST", "/v1/submission", body), NEVER)

    def result(self, body: Result) -> None:
        patiently(lambda: self._client.send("POST", "/v1/result", body), NEVER)

    @contextlib.contextmanager
    def alone(self, wanted: bool) -> Iterator[None]:
        """Have a turn with what set-up and checks share, when that is wanted."""
        if not wanted:
            yield
            return
        while not self._build_turn():
            continue
        try:
            yield
        finally:
            # Not known any more, then it is nobody's turn any more either.
            with contextlib.suppress(SteroidsError):
                patiently(lambda: self._client.send("POST", "/v1/build/end", {}), self._stopping)

    def _build_turn(self) -> bool:
        body = Build()
        limit_s = body.wait_s + 15
        answer = patiently(
            lambda: self._client.poll("/v1/build", body, BuildTurn, timeout_s=limit_s),
            self._stopping,
        )
        if self._stopping.is_set():
            raise ControllerUnavailable("stopped while it waited for its turn")
        return answer is not None and answer.granted

    def database(self, commit: str, fence: int | None) -> dict[str, str]:
        """The variables of a fresh test database, as that commit wants it; waits until it is made.

        Raises what making it failed with: code `MIGRATION_FAILED` when that is the commit's doing.
        """
        body = DatabaseAsk(commit=commit, fence=fence)
        limit_s = body.wait_s + 15
        while True:
            grant = patiently(
                lambda: self._client.poll("/v1/database", body, DatabaseGrant, timeout_s=limit_s),
                self._stopping,
            )
            if grant is not None:
                return grant.env
            if self._stopping.is_set():
                raise ControllerUnavailable("stopped while it waited for its database")

    def heartbeat(self, fence: int | None) -> Orders:
        """Once, without repeating: the next one comes soon."""
        return self._client.post("/v1/heartbeat", Heartbeat(fence=fence), Orders)
