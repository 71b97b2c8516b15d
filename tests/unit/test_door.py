"""Who is let in to the controller, and who keeps it from ending."""

import asyncio
from typing import Any

import pytest

from steroids.controller.door import Door
from steroids.controller.visits import Visits

LIMIT_S = 1000.0


def ask(
    door: Door, headers: dict[str, str], path: str = "/v1/x", kind: str = "http"
) -> list[dict[str, Any]]:
    """What is sent back."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    asyncio.run(door({"type": kind, "path": path, "headers": raw}, receive, send))
    return sent


class App:
    """Answers everybody; keeps what was left while it did."""

    def __init__(self, visits: Visits) -> None:
        self.visits = visits
        self.left_s: list[float] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.left_s.append(self.visits.left_s(LIMIT_S))
        await send({"type": "http.response.start", "status": 200, "headers": []})


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        (None, {}, 200),
        (None, {"Origin": "null"}, 403),
        (None, {"Origin": "http://localhost"}, 403),
        ("word", {}, 401),
        ("word", {"Authorization": "Bearer word"}, 200),
        ("word", {"Authorization": "bearer word"}, 200),
        ("word", {"Authorization": "Bearer wor"}, 401),
        ("word", {"Authorization": "Bearer words"}, 401),
        ("word", {"Authorization": "Bearer"}, 401),
        ("word", {"Authorization": "word"}, 401),
        ("word", {"Authorization": "Basic word"}, 401),
        ("word", {"Authorization": "Bearer word", "Origin": "http://127.0.0.1:7333"}, 403),
    ],
)
def test_who_is_let_in(token: str | None, headers: dict[str, str], status: int) -> None:
    visits = Visits()
    app = App(visits)
    assert ask(Door(app, visits, token), headers)[0]["status"] == status
    assert len(app.left_s) == (status == 200)


def test_nothing_but_http_is_spoken() -> None:
    visits = Visits()
    app = App(visits)
    assert ask(Door(app, visits), {}, kind="websocket") == [{"type": "websocket.close"}]
    assert app.left_s == []


def test_who_keeps_it_from_ending() -> None:
    visits = Visits()
    app = App(visits)
    door = Door(app, visits)
    began = visits.last
    ask(door, {}, path="/v1/wakeups")
    ask(door, {"X-Steroids-Wakeup": "1"})
    assert visits.last == began
    ask(door, {})
    assert visits.last > began
    # While somebody is being answered, it does not end, whoever that is.
    assert app.left_s == [LIMIT_S] * 3
    assert visits.left_s(0) == 0
    assert 0 < visits.left_s(LIMIT_S) < LIMIT_S
