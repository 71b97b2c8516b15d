"""Where the runners of a project ask for work: whoever is served first serves all who wait.

Thirty-two runners that ask at once cost one transaction and not thirty-two. The way is flat
combining (Hendler, Incze, Shavit, Tzafrir, SPAA 2010): requests are put down in a list, and one of
those who ask answers the whole list. Who has an answer leaves at once and never queues behind
those who come to ask again; so the next list is as long as it can be.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

LINGER_S = 0.001
"""How long the first of a crowd waits for the others: nothing beside what a transaction takes."""

Q = TypeVar("Q")
A = TypeVar("A")


class _Request(Generic[Q, A]):
    def __init__(self, question: Q) -> None:
        self.question = question
        self.called = threading.Lock()  # released when there is an answer, or it is to serve
        self.called.acquire()
        self.over = False
        self.answer: A | None = None
        self.failure: BaseException | None = None


class Desk(Generic[Q, A]):
    """May be used from any number of threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()  # guards what is below
        self._waiting: list[_Request[Q, A]] = []
        self._served: list[_Request[Q, A]] = []
        self._busy = False
        self._crowded = False

    @property
    def waiting(self) -> int:
        """How many questions nobody has taken up yet."""
        with self._guard:
            return len(self._waiting)

    def ask(self, question: Q, serve: Callable[[Sequence[Q]], Sequence[A]]) -> A:
        """The answer to this question; `serve` answers all that wait, in their order.

        What `serve` raises is raised to each of those whom it was to answer.
        """
        request: _Request[Q, A] = _Request(question)
        with self._guard:
            self._waiting.append(request)
            mine = not self._busy
            self._busy = True
        if not mine:
            request.called.acquire()
        if not request.over:
            self._serve(serve)
        if request.failure is not None:
            raise request.failure
        assert request.answer is not None
        return request.answer

    def latecomers(self) -> list[Q]:
        """For `serve` alone, when it has waited for something: the questions that came meanwhile.

        It takes them on: it has to answer them too, after the others.
        """
        with self._guard:
            late, self._waiting = self._waiting, []
            self._served += late
        return [request.question for request in late]

    def _serve(self, serve: Callable[[Sequence[Q]], Sequence[A]]) -> None:
        if self._crowded:
            # Those who were served together come back together, one after the other.
            time.sleep(LINGER_S)
        first = self.latecomers()
        try:
            answers = serve(first)
            for request, answer in list(zip(self._served, answers, strict=True)):
                request.answer = answer
        except Exception as error:  # noqa: BLE001 - it is raised again, to each of them
            for request in self._served:
                request.failure = error
        finally:
            self._call()

    def _call(self) -> None:
        """Send away those who were served, and have one of those who came meanwhile go on."""
        with self._guard:
            served, self._served = self._served, []
            self._crowded = len(served) > 1
            self._busy = bool(self._waiting)
            following = self._waiting[:1]
        for request in served:
            request.over = True
        for request in [*served, *following]:
            request.called.release()
