"""Tasks written as YAML: what is read, what is refused, and with which line."""

import pytest

from steroids.services import task_sheet
from steroids.services.task_draft import BadSheet, Draft, prepared

SHEET = """\
# A plan
tasks:
  - title: Remove moment
    section: API
    priority: high
    affects: ["apps/api/src/**", '/README']
    agent: codemod
    spec: |
      dayjs does it.

      ```sh
      npm uninstall moment
      ```
  - {title: 1.10, section: on, after: Remove moment, priority: 7}
  - title: Third
    section:
    after: [Remove moment, "1.10"]
"""


def read(text: str) -> list[Draft]:
    return task_sheet.read("plan.yaml", prepared("plan.yaml", text)).tasks


def test_all_that_can_be_said_of_a_task() -> None:
    assert read(SHEET) == [
        Draft(
            3,
            "Remove moment",
            "dayjs does it.\n\n```sh\nnpm uninstall moment\n```\n",
            ("API",),
            10,
            ("apps/api/src/**", "/README"),
            agent="codemod",
        ),
        Draft(14, "1.10", "", ("on",), 7, after=("Remove moment",)),
        Draft(15, "Third", after=("Remove moment", "1.10")),
    ]


def test_a_bare_list_and_json_are_read_too() -> None:
    assert read("- title: One\n- title: Two\n") == [Draft(1, "One"), Draft(2, "Two")]
    assert read('{"tasks": [{"title": "One", "priority": 3}]}') == [Draft(1, "One", priority=3)]
    assert read("\ufeff- title: One\r\n  spec: |\r\n    a\r\n    b\r\n") == [
        Draft(1, "One", "a\nb\n")
    ]


BAD = [
    ("- title: a\n  sectoin: b\n", "plan.yaml:2: unknown key 'sectoin'", "'section'"),
    ("todo:\n- title: a\n", "plan.yaml:1: unknown key 'todo'", "known keys: tasks"),
    ("- title: a\n  zzz: b\n", "plan.yaml:2: unknown key 'zzz'", "known keys: title, section"),
    ("- title: a\n\n  title: b\n", "plan.yaml:3: 'title' is there twice", ""),
    ("- section: a\n", "plan.yaml:1: this task has no title", ""),
    ("- title: [a]\n", "plan.yaml:1: expected text", ""),
    ("- title: a\n  spec: {b: c}\n", "plan.yaml:2: expected text", ""),
    ("- title: a\n  affects: {b: c}\n", "plan.yaml:2: expected text", ""),
    ("- title: a\n  affects: [[b]]\n", "plan.yaml:2: expected text", ""),
    ("- title: a\n  priority: urgent\n", "plan.yaml:2: 'urgent' is no priority", ""),
    ("- title: a\n  priority: 101\n", "plan.yaml:2: '101' is no priority", ""),
    ("- title: a\n  priority: -1\n", "plan.yaml:2: '-1' is no priority", ""),
    ("- a\n", "plan.yaml:1: a task has keys", ""),
    ("a\n", "plan.yaml:1: expected a list of tasks", ""),
    ("tasks:\n", "plan.yaml:2: expected a list of tasks", ""),
    ("# nothing\n", "plan.yaml: it has no tasks", ""),
    ("{}\n", "plan.yaml: it has no tasks", ""),
    ("- title: 'a\n", "plan.yaml:2: while scanning a quoted scalar", ""),
    ("- title: a\n title: b\n", "plan.yaml:2: ", ""),
    ("- title: a\n---\n- title: b\n", "plan.yaml:2: expected a single document", ""),
    ("- title: a\x07\n", "plan.yaml: not YAML", ""),
    ("- &t {title: a}\n- *t\n", "plan.yaml:1: aliases", ""),
    ("- title: &t a\n  spec: *t\n", "plan.yaml:1: aliases", ""),
    ("- title: a\n  affects: &x [b]\n  after: *x\n", "plan.yaml:2: aliases", ""),
    ("[" * 5000, "plan.yaml: it is nested too deeply", ""),
    ("- title: x\n" * 10_001, "plan.yaml:10001: more than 10000 tasks", "split"),
    ("", "plan.yaml: there is nothing in it", ""),
]


@pytest.mark.parametrize(("text", "words", "hint"), BAD)
def test_what_is_wrong_is_said_with_its_line(text: str, words: str, hint: str) -> None:
    with pytest.raises(BadSheet) as caught:
        read(text)
    assert caught.value.message.startswith(words)
    assert caught.value.hint and hint in caught.value.hint


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    """Nine to the power of nine, if somebody spelled it out."""
    lines = ["- title: &a0 x"]
    lines += [
        f"  {key}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]" for n, key in enumerate("bcdefghij")
    ]
    with pytest.raises(BadSheet, match=r"plan.yaml:2: unknown key 'b'"):
        read("\n".join(lines))
    after = "- title: &a x\n  after: [" + ", ".join(["*a"] * 9) + "]\n"
    with pytest.raises(BadSheet, match="aliases"):
        read(after)


def test_no_tag_makes_anything_but_text() -> None:
    assert read("- title: !!python/object/apply:os.getcwd x\n") == [Draft(1, "x")]
