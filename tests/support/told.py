"""A task on its third attempt, for what prompts and histories say of it."""

import json
from collections.abc import Sequence

from steroids.services import verdicts
from steroids.store import home_models as home
from steroids.store import project_models as db
from steroids.wire.assignment import Assignment
from steroids.wire.verdict import Decision
from tests.support.service import Bench

SPEC = """Users sign in with e-mail and password.

```http
POST /login   200 with a session cookie, 401 when the password is wrong
```

Limit it to ten tries a minute for each address.
"""
FAILED = """`npm test -w apps/API` exited 1
 FAIL  apps/API/login.test.ts
  x answers 401 for a wrong password
    expected 401, got 500
"""
LIMIT = "The rate limit is one try a minute; the task says ten."
TIMING = (
    "Passwords are compared with `===`, which takes longer the more of it is right.\n"
    "Use `timingSafeEqual`."
)


class Told:
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        settings = {
            "agents": {"security-bot": {"use": "command", "argv": ["bot", "--token=hidden"]}},
            "review": {"reviewers": ["checks", "security-bot", "human"]},
            "env": {"API_KEY": "very secret"},
        }
        (bench.host.path / "config.yaml").write_text(json.dumps(settings))
        bench.section("Types")
        bench.section("API", "Types", check=("npm test -w apps/API",))
        bench.section("Web", "Types")
        self.task = bench.task("Add user authentication", "API")
        bench.task("Delete sessions after a day", "API")
        bench.task("Login form", "Web")
        with bench.project.store.write() as session:
            # No shell block: what works on it here is no script.
            session.get_one(db.Task, self.task.id).spec = SPEC
        bench.claim(bench.runner("Web"))
        self.runner: home.Runner = bench.runner("API")

    def claim(self) -> Assignment:
        assignment = self.bench.claim(self.runner)
        assert assignment is not None
        return assignment

    def attempt(self, *works: tuple[str, dict[str, str]]) -> Assignment:
        """Claim, and hand over a commit for each of the works; the last one's message may have
        been made on top of the others."""
        assignment = self.claim()
        tip: str | None = None
        for message, files in works:
            tip = (
                self.bench.work(assignment, message, files)
                if tip is None
                else self.bench.agent.commit(message, files)
            )
        self.bench.submit(self.runner, assignment, tip)
        return assignment

    def say(
        self,
        reviewer: str,
        decision: Decision,
        reasons: Sequence[str] = (),
        files: Sequence[str] = (),
        actor: str | None = None,
    ) -> None:
        """A reviewer's verdict on what was handed over last; a rejection ends the attempt."""
        settings = self.bench.host.settings(self.bench.project)
        with self.bench.project.store.write() as session:
            row = session.get_one(db.Task, self.task.id)
            assert row.latest_commit is not None
            session.add(
                db.Verdict(
                    task_id=row.id,
                    attempt=row.current_attempt,
                    tip=row.latest_commit,
                    reviewer=reviewer,
                    decision=decision,
                    reasons=list(reasons),
                    files=list(files),
                    actor=actor,
                )
            )
            if decision is Decision.REJECT:
                reason = "\n\n".join(reasons)
                verdicts.reject(
                    session, row, reason, section="API", actor=reviewer, settings=settings
                )

    def third(self) -> Assignment:
        """Attempt 1 rejected by the checks, attempt 2 by an agent with two reasons; the third one
        as it was claimed."""
        self.attempt(
            ("Add login endpoint", {"apps/API/login.ts": LOGIN_1}),
            ("Test login", {"apps/API/login.test.ts": "it.todo('answers 401')\n"}),
        )
        self.say("checks", Decision.REJECT, [FAILED])
        self.attempt(("Answer 401, limit tries", {"apps/API/login.ts": LOGIN_2}))
        self.say("checks", Decision.APPROVE)
        self.say("security-bot", Decision.REJECT, [LIMIT, TIMING], ["apps/API/login.ts"])
        return self.claim()

    def hand_over_third(self, assignment: Assignment) -> None:
        files = {"apps/API/login.ts": LOGIN_3, "packages/limits.ts": "export const TRIES = 10;\n"}
        tip = self.bench.work(assignment, "Ten tries a minute, compared in constant time", files)
        self.bench.submit(self.runner, assignment, tip)


LOGIN_1 = """export function login(user, password) {
  return user.password === password;
}
"""
LOGIN_2 = """const TRIES = 1;

export function login(user, password, tries) {
  if (tries > TRIES) return 429;
  return user.password === password ? 200 : 401;
}
"""
LOGIN_3 = """import { timingSafeEqual } from "node:crypto";
import { TRIES } from "../../packages/limits";

export function login(user, password, tries) {
  if (tries > TRIES) return 429;
  return timingSafeEqual(user.password, password) ? 200 : 401;
}
"""
