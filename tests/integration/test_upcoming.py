"""What `loop --dry-run` says: what a claim would answer, without a claim."""

import json

from sqlmodel import select

from steroids.services import upcoming
from steroids.store import project_models as db
from steroids.wire.assignment import Outcome
from steroids.wire.next import Next
from steroids.wire.task import TaskStatus
from tests.support.service import Bench


def look(project: Bench, section: str | None = None) -> Next:
    return upcoming.upcoming(project.host, project.project, section)


def why(found: Next) -> dict[str, str | None]:
    """By title."""
    return {each.title: each.reason for each in found.passed}


def test_it_picks_what_a_claim_then_takes_and_takes_nothing_itself(project: Bench) -> None:
    zone = {"name": "deploy", "sections": ["API", "Web"], "exclusive": True}
    (project.host.path / "config.yaml").write_text(json.dumps({"runners": {"zones": [zone]}}))
    project.section("Types")
    project.section("API", "Types")
    project.section("Web")
    project.section("Last", after=("Web",))
    for name in ("Types", "API", "Web", "Last"):
        project.task(f"Change {name}", name)
    project.task("Again", "Web")
    assert look(project, "API").picked is not None
    writing = project.claim(project.runner("Types"))
    assert writing is not None

    found = look(project)
    assert why(found) == {
        "Change Types": "is being worked on",
        "Change API": "waits for Types to finish 'Change Types'",
    }
    assert found.picked is not None and found.picked.title == "Change Web"
    assert (found.picked.attempt, found.more) == (1, 2)
    assert found.refused == "without --section it works on every section, and 1 runner is active"
    last = look(project, "Last")
    assert (last.picked, why(last)) == (None, {"Change Last": "waits for Web to be finished"})
    with project.project.store.read() as session:
        assert {each.task_id for each in session.exec(select(db.Lease))} == {found.passed[0].id}

    web = project.claim(project.runner("Web"))
    assert web is not None and web.task is not None and web.task.id == found.picked.id
    project.submit(project.runner("Types"), writing, outcome=Outcome.FAILED, reason="no")
    mine = why(look(project, "API"))
    assert mine == {"Change API": "waits for Web to finish 'Change Web' with zone deploy"}


def test_what_needs_a_person_is_said_with_the_command(project: Bench) -> None:
    project.section("API")
    lost, disputed, held = (project.task(name, "API") for name in ("Lost", "Argued", "Held"))
    project.put(lost, TaskStatus.FAILED)
    project.put(disputed, TaskStatus.DISPUTED)
    project.put(held, TaskStatus.REVIEW, awaits="human")
    done = project.task("Done", "API")
    project.put(done, TaskStatus.COMPLETED)
    project.task("Next", "API")
    found = look(project)
    assert why(found) == {
        "Lost": f"failed: steroids tasks retry {lost.id[:8]}",
        "Argued": f"is disputed: steroids tasks dispute resolve {disputed.id[:8]} "
        "--approve|--retry|--skip",
        "Held": f"waits for a person's review: steroids tasks diff {held.id[:8]}",
    }
    assert found.picked is not None and found.picked.title == "Next"
