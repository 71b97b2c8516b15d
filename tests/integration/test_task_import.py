"""Files of tasks, added whole or not at all, and only once."""

import json
from pathlib import Path

import pytest

from steroids.services import task_import, tasks
from steroids.services.task_draft import BadSheet
from steroids.wire.task import Imported, Sheet, TaskImport, TaskStatus
from tests.integration.test_tasks import AGENTS, add, trail
from tests.support.service import SPEC, Bench

PLAN = f"""\
# Plan
## API
- [ ] Remove  moment

  {SPEC.replace(chr(10), chr(10) + "  ").strip()}
- [x] Done already
### Details
- [ ] Numbered
  ```sh
  true
  ```
## web
- [ ] Page
  ~~~sh
  true
  ~~~
"""
SHEET = """\
- title: Types first
  section: Web
  after: Remove moment
  spec: &spec-is-no-alias "```sh\\ntrue\\n```\\n"
- {title: Remove moment, section: API, priority: high, affects: apps/**, agent: claude}
- {title: Last, section: Web, agent: claude, after: [Old, Types first]}
"""


@pytest.fixture
def project(project: Bench) -> Bench:
    project.section("API")
    project.section("Web")
    (project.host.path / "config.yaml").write_text(AGENTS)
    return project


def take(
    project: Bench, text: str, name: str = "plan.md", section: str | None = None, **more: object
) -> Imported:
    body = TaskImport(name=name, text=text, section=section, **more)  # type: ignore[arg-type]
    return task_import.take_in(project.host, project.project, body)


def told(imported: Imported) -> list[tuple[str, str]]:
    return [(each.section, each.title) for each in imported.tasks]


def test_a_checklist_is_added_once(project: Bench) -> None:
    imported = take(project, PLAN)
    assert told(imported) == [("API", "Remove moment"), ("API", "Numbered"), ("Web", "Page")]
    assert (imported.left_out, imported.done) == ([], 1)
    assert imported.tasks == tasks.listing(project.project)
    assert [each.position for each in imported.tasks] == [1, 2, 3]
    assert imported.tasks[0].spec == SPEC
    assert trail(project) == [(None, "pending", "user", None)] * 3

    more = (
        PLAN + "- [ ] Page\n- [ ] New\n  ```sh\n  true\n  ```\n- [ ] New\n  ```sh\n  true\n  ```\n"
    )
    again = take(project, more)
    assert told(again) == [("Web", "New")]
    assert [(each.line, each.title, each.reason, each.task_id) for each in again.left_out] == [
        *(
            (line, each.title, "it is there already", each.id)
            for line, each in zip((3, 10, 15), imported.tasks, strict=True)
        ),
        (19, "Page", "it is there already", imported.tasks[2].id),
        (24, "New", "it is in the file twice", None),
    ]
    assert len(tasks.listing(project.project)) == 4


def test_a_sheet_may_name_tasks_further_down_and_those_there_are(project: Bench) -> None:
    old = add(project, "Old")
    imported = take(project, SHEET, "plan.yml")
    types, moment, last = imported.tasks
    assert (types.status, types.after, types.waits_for) == (
        *(TaskStatus.BLOCKED, [moment.id]),
        "'Remove moment'",
    )
    assert (moment.status, moment.priority, moment.agent) == (TaskStatus.PENDING, 10, "claude")
    assert moment.affected_paths == ["apps/**"]
    assert last.after == [old.id, types.id]
    assert [each[:2] for each in trail(project)][1:] == [
        (None, "blocked"),
        (None, "pending"),
        (None, "blocked"),
    ]
    again = take(
        project, SHEET + "- {title: More, section: API, agent: claude, after: Last}\n", "x.yaml"
    )
    assert told(again) == [("API", "More")] and again.tasks[0].after == [last.id]


def test_a_trial_keeps_nothing(project: Bench) -> None:
    for text, name in ((PLAN, "plan.md"), (SHEET.replace("Old, ", ""), "plan.yaml")):
        trial = take(project, text, name, dry_run=True)
        assert len(trial.tasks) == 3
        assert tasks.listing(project.project) == [] == trail(project)


def test_a_section_for_those_that_name_none(project: Bench) -> None:
    script = "\n  ```sh\n  true\n  ```\n"
    text = f"- [ ] One{script}# Notes\n- [ ] Two{script}# Web\n- [ ] Three{script}"
    assert told(take(project, text, section="api")) == [
        ("API", "One"),
        ("API", "Two"),
        ("Web", "Three"),
    ]


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("- [ ] One\n", "a.md", "a.md:1: 'One' is in no section"),
        ("# API\n# Moblie\n- [ ] One\n", "a.md", "a.md:3: No section 'Moblie'"),
        ("# API\n- [ ] One\n", "a.md", "a.md:2: The spec of 'One' has no ```sh block"),
        (PLAN + f"- [ ] {'x' * 201}\n", "a.md", "a.md:19: A title is one line"),
        (PLAN + "- [ ] a\x07b\n", "a.md", "a.md:19: A title is one line"),
        ("- {title: A, agent: claude}\n", "a.yaml", "a.yaml:1: 'A' is in no section"),
        (SHEET, "a.yaml", "a.yaml:6: No task 'Old'"),
        (
            SHEET + "- title: x\n  section: API\n  agent: y\n",
            "a.yaml",
            "a.yaml:7: There is no agent",
        ),
        (
            SHEET + "- {title: x, section: API, affects: ../x, agent: mine}",
            "a.yaml",
            "a.yaml:7: '../x'",
        ),
        (
            "- {title: A, section: API, agent: mine, after: B}\n"
            "- {title: B, section: Web, agent: mine, after: [A]}\n",
            "a.yaml",
            "a.yaml:2: Tasks would wait for each other in a circle: 'B' -> 'A' -> 'B'",
        ),
        ("- {title: A, section: API, agent: mine, after: A}\n", "a.yaml", "a.yaml:1: Tasks would"),
        (
            "- {title: A, section: API, agent: mine}\n- {title: A, section: Web, agent: mine}\n"
            "- {title: B, section: API, agent: mine, after: A}\n",
            "a.yaml",
            "a.yaml:3: 'A' fits 2 tasks of the file",
        ),
    ],
)
def test_one_that_is_wrong_is_named_and_none_is_added(
    project: Bench, text: str, name: str, words: str
) -> None:
    with pytest.raises(BadSheet) as caught:
        take(project, text, name)
    assert caught.value.message.startswith(words) and caught.value.hint
    assert caught.value.details["file"] == name
    assert tasks.listing(project.project) == [] == trail(project)


def test_what_comes_without_a_name_is_seen_from_how_it_begins(project: Bench) -> None:
    item = {"title": "A", "section": "API", "agent": "mine"}
    for text in (
        json.dumps([item]),
        json.dumps({"tasks": [item]}, indent=2),
        "# a comment\n---\ntasks:\n- {title: A, section: API, agent: mine}\n",
        "-   title: A\n    section: API\n    agent: mine\n",
        '- "title": A\n  section: API\n  agent: mine\n',
        "# API\n- [ ] A\n  title: x\n\n  ```sh\n  true\n  ```\n",
        "---\ntitle: x\n---\n# API\n- [ ] A\n\n  ```sh\n  true\n  ```\n",
        "API\n---\n\n- [ ] A\n\n  ```sh\n  true\n  ```\n",
    ):
        assert told(take(project, text, "(standard input)", dry_run=True)) == [("API", "A")], text
    forced = "# API\n- [ ] A\n  ```sh\n  true\n  ```\n"
    assert told(take(project, forced, "x.yaml", sheet=Sheet.MARKDOWN)) == [("API", "A")]


def test_the_example_of_the_documentation_can_be_imported(project: Bench) -> None:
    """It is what people copy."""
    doc = Path(__file__).parents[2] / "docs" / "tasks-review-landing.md"
    checklist = doc.read_text().split("````markdown\n")[1].split("````")[0]
    assert told(take(project, checklist)) == [("API", "Remove moment")]
