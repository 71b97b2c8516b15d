"""For stories about runners and locks: refusals read whole, and what a runner's token opens."""

from dataclasses import asdict
from typing import Any

from sqlmodel import select

from steroids.client import Client
from steroids.engines.spec import Handle
from steroids.store import home_models
from steroids.store import runners as rows
from steroids.store.session import Store
from steroids.wire.runner import Role
from tests.support.story import Story


def refused(
    story: Story, *args: str, exits: int, code: str, error: str, hint: str
) -> dict[str, Any]:
    """The command is refused in these words, for people and for programs.

    Returns the JSON object. Nothing is on the other stream, and nothing but the list of runners in
    the way is between sentence and hint.
    """
    shown = story.cli.run(*args)
    assert shown.code == exits, f"{args}: {shown}\n{story.log()}"
    lines = shown.err.splitlines()
    assert (lines[0], lines[-1]) == (f"error: {error}", f"hint: {hint}"), f"{args}: {shown}"
    assert shown.out == "", shown
    told = story.cli.run(*args, "--json")
    assert (told.code, told.err) == (exits, ""), told
    body = told.json
    assert list(body)[:4] == ["success", "error", "code", "hint"], body
    assert (body["success"], body["error"]) == (False, error), body
    assert (body["code"], body["hint"]) == (code, hint), body
    listed = body.get("existingRunners") or []
    assert len(lines) == (2 if not listed else 5 + len(listed)), shown
    for line, runner in zip(lines[3:], listed, strict=False):
        # For whoever looks at what is in the way: which it is, of what, where, since when.
        name, container = runner["section"] or "all sections", runner["containerId"][:12]
        start = f"  {runner['id'][:8]}  {name}  container {container}  started "
        assert line.startswith(start) and len(line) == len(start) + len("17:30:45"), shown
    return body


RUNNER_KEYS = {
    *("id", "project", "role", "section", "sectionId", "status", "engine", "container"),
    *("containerId", "pid", "host", "startedAt", "heartbeatAt", "taskId", "task", "waitsFor"),
    *("ports", "database", "unlimited"),
}
"""`wire.runner.Runner` as programs see it."""


def stand_in(story: Story, section: str, runner_id: str | None = None) -> Client:
    """Somebody with the token of a runner of this section, on an engine that is away: what it is
    told and what it hands over, and when, is the test's."""
    (found,) = [
        each
        for each in story.run("sections", "list", "--json").json["sections"]
        if each["name"] == section
    ]
    store = Store(story.home / "steroids.db", "home")
    try:
        with store.write() as session:
            project = session.exec(select(home_models.Project)).one()
            row, token = rows.register(
                session,
                project_id=project.id,
                role=Role.SECTION,
                section_id=found["id"],
                engine="docker",
                engine_address="unix:///nowhere/engine.sock",
            )
            row.id = runner_id or row.id
            row.container = asdict(Handle("docker", "0" * 64, "nobody"))
    finally:
        store.close()
    return Client(story.home / "runner.sock", token=token)


def working(story: Story, section: str | None) -> dict[str, Any]:
    """The runner of this section (none: of all), as soon as it has a task."""

    def look() -> dict[str, Any] | None:
        found = [each for each in story.runners() if each["section"] == section]
        return next((each for each in found if each["status"] == "working"), None)

    return story.wait(f"a runner of {section} at work", look)
