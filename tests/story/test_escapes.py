"""An agent that really tries to get out of its container, to break it, or to stay."""

import secrets
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from steroids.engines.base import Engine
from tests.support.escaping import (
    PLANT,
    assert_held,
    environment_of_a_user,
    listens,
    monorepo_with_attempts,
    script,
    sights,
    start_peer,
    targets,
)
from tests.support.story import Story, told

DATABASE = (
    *("DATABASE_URL", "TEST_DATABASE_URL"),
    *("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE"),
)
RIGHTS = "id -u; id -G; grep -E '^(CapPrm|CapEff|CapAmb|NoNewPrivs)' /proc/self/status"


def test_whatever_an_agent_tries_it_stays_inside(
    story_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = secrets.token_hex(20)
    environment_of_a_user(monkeypatch, secret)
    with contextmanager(told)(tmp_path, monorepo_with_attempts, story_engine) as story:
        _tries(story, secret)


def _tries(story: Story, secret: str) -> None:
    database = {"strategy": "isolated", "migrate": "psql -qc 'CREATE TABLE users (name text)'"}
    story.configure(env={"GREETING": "hello"}, database=database)
    story.add_section("A", "sh look.sh review", options=("--port", "8080"))
    story.add_section("B", options=("--port", "3000"))
    story.add_section("C")
    peer = start_peer(story, "B")
    # Some engines' rules that keep networks apart go with the container that goes.
    story.run("up", "--detach", "--keep", "--section", "A", "--section", "C")
    story.run("down", "--section", "C")
    (own,) = [each for each in story.runners() if each["section"] == "A"]
    asked = targets(story, own, peer, secret, "GREETING", "PORT", *DATABASE)
    task = story.add_task("A", "Tries to get out", f"{script(asked)}\n{PLANT}")
    story.wait_for_status(task, "completed")

    assert_held(story, asked)
    # What it has left for others: neither its review nor another runner comes by it. The next
    # task of its own runner does, whose container it is; it runs no other programs for that.
    assert sights(story, "review") == {"has looked"}
    assert story.run("exec", "B", "--", "sh", "look.sh", "peer").out == "peer has looked\n"
    after = story.add_task("A", "Comes after it", "sh look.sh next")
    story.wait_for_status(after, "completed")
    left = {"bin", "tmp", "shm", "the profile", "npmrc", "gitconfig"}
    assert sights(story, "next") == {"has looked", *(f"sees {each}" for each in left)}

    # A shell that the user opens there is no more than the agent.
    shell = story.run("exec", "A", "--", "sh", "-c", RIGHTS).out.split()
    assert shell[:2] == ["1000", "1000"] and shell[-1] == "1", shell
    assert {word for word in shell if len(word) == 16} == {"0" * 16}, shell
    # And what the peer has published is there, on this host.
    assert listens(peer)


PIDS = 80
BOMB = """import os, time
while True:
    try:
        os.fork()
    except OSError as error:
        time.sleep(0.01)
"""
NO_MORE = ("Cannot fork", "Resource temporarily unavailable")
EATER = """eaten = []
while True:
    eaten.append(bytearray(16 << 20))
    print("ate", len(eaten) * 16, flush=True)
"""
STAYS = """import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv("/usr/bin/python3", ["python3", "-c", sys.argv[1], "keeps", sys.argv[2]])
os._exit(0)
"""
STAYING = """import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    time.sleep(0.2)
    if os.fork() != 0:
        os._exit(0)
"""


def test_what_an_agent_takes_too_much_of_breaks_nobody_and_nothing_of_it_stays(
    story: Story,
) -> None:
    word = secrets.token_hex(8)
    story.configure(runners={"pids": PIDS, "memory": "256m"}, review={"max_rejections": 1})
    story.add_section("A")
    story.run("up", "--detach", "--keep", "--section", "A")
    (runner,) = story.runners()

    # It ends by its own doing: at last its shell cannot start the next `true` either.
    script = f"setsid python3 -c '{BOMB}' &\nwhile /bin/true; do :; done; exit 9"
    bomb = story.add_task("A", "Fork bomb", script)
    story.wait_for_status(bomb, "disputed")
    why = story.task(bomb)["attempts"][0]["reason"]
    assert any(words in why for words in NO_MORE), why
    # Nothing of it is left, and the runner goes on.
    assert len(psutil.Process(runner["pid"]).children(recursive=True)) < 5

    eater = story.add_task("A", "Eats memory", f"python3 -c '{EATER}'")
    story.wait_for_status(eater, "disputed")
    why = story.task(eater)["attempts"][0]["reason"]
    assert "ran out of memory (limit 256" in why, why
    ate = [event["text"] for event in story.events("log") if event["text"].startswith("ate ")]
    assert 0 < len(ate) < 16

    stays = f"python3 -c '{STAYS}' '{STAYING}' {word}"
    stay = story.add_task("A", "Stays", f"{stays}; echo x > apps/a/x.txt")
    story.wait_for_status(stay, "completed")
    assert [each["id"] for each in story.runners()] == [runner["id"]]
    assert not _of(word)
    # Put in from outside it is not the runner's to end.
    story.run("exec", "A", "--", "python3", "-c", STAYS, STAYING, word)
    assert story.wait("it is seen from the host", lambda: _of(word))
    story.run("down")
    assert not _of(word) and not psutil.pid_exists(runner["pid"])


def _of(word: str) -> list[int]:
    """Processes of this host that have it among their arguments."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if word in process.cmdline() and "keeps" in process.cmdline():
                found.append(process.pid)
    return found
