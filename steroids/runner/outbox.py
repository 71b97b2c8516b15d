"""Events on their way to the controller, kept while it is away."""

import contextlib
import threading
from collections import deque

from steroids.client import Client
from steroids.errors import SteroidsError
from steroids.runner.patience import patiently
from steroids.wire.event import Batch, EventKind, Said

BATCH = 200
PAUSE_S = 0.15
"""How long events gather before they are sent together."""
CAPACITY = 20_000


class Outbox:
    """`say` never blocks and may be called from any thread. Order is kept; each event arrives
    once. When more gathers than fits, new ones are counted and left out, and that is said."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._queue: deque[Said] = deque()
        self._changed = threading.Condition()  # guards all below
        self._sent = 0
        self._dropped = 0
        threading.Thread(target=self._deliver, name="outbox", daemon=True).start()

    def log(self, text: str) -> None:
        self.say(Said(kind=EventKind.LOG, text=text))

    def note(self, text: str) -> None:
        """Something that people should see, who do not look at all that an agent prints."""
        self.say(Said(kind=EventKind.NOTICE, text=text))

    def say(self, said: Said) -> None:
        with self._changed:
            if len(self._queue) >= CAPACITY:
                self._dropped += 1
                return
            if self._dropped:
                note = f"({self._dropped} lines left out: more than could be sent)"
                self._queue.append(Said(kind=EventKind.NOTICE, text=note))
                self._dropped = 0
            self._queue.append(said)
            self._changed.notify_all()

    def flush(self, timeout_s: float = 10) -> bool:
        """Wait until all has been delivered; False when that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue, timeout_s)

    def _deliver(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._queue))
            # Without this pause every line would be a request of its own.
            threading.Event().wait(PAUSE_S)
            with self._changed:
                batch = list(self._queue)[:BATCH]
            # Refused means that this runner is no longer known, so nobody is there to read them.
            with contextlib.suppress(SteroidsError):
                self._send(Batch(first=self._sent, events=batch))
            with self._changed:
                for _ in batch:
                    self._queue.popleft()
                self._sent += len(batch)
                self._changed.notify_all()

    def _send(self, body: Batch) -> None:
        patiently(lambda: self._client.send("POST", "/v1/events", body), threading.Event())
