"""Markdown checklists as tasks: what is one, what is its spec, what is wrong and where."""

import pytest

from steroids.services import checklist
from steroids.services.task_draft import BadSheet, Draft, Drafts, prepared

PLAN = """\
---
title: not a heading
---
# Plan

Some words, and `- [ ] not an item`.

## **API**
- [ ] Remove  moment
  dayjs does what we need.
  - [ ] this is part of the spec
    - so is this

  ```sh
  npm uninstall moment
    indented
  ```

  more words
- [x] Done already
  - [ ] and so is this
- an item without a box
    - [ ] Below one
      with words
### Details
1. [ ] Numbered
   ```sh
   true
   ```

<!--
- [ ] commented out
-->

```
- [ ] in a block of code
```

`Mobile`
--------
* [X] Capital
+\t[ ]\tWith tabs
\t```sh
\ttrue
\t```
-[ ] not an item
- [] nor this
- [-] nor this
"""


def read(text: str) -> Drafts:
    return checklist.read("plan.md", prepared("plan.md", text))


def one(text: str) -> Draft:
    (draft,) = read(text).tasks
    return draft


def wrong(text: str) -> str:
    with pytest.raises(BadSheet) as caught:
        read(text)
    assert caught.value.hint
    return caught.value.message


def test_items_with_their_headings_and_what_is_below_them() -> None:
    found = read(PLAN)
    assert found.done == 2
    assert [(each.line, each.title, each.sections) for each in found.tasks] == [
        (9, "Remove  moment", ("API", "Plan")),
        (23, "Below one", ("API", "Plan")),
        (26, "Numbered", ("Details", "API", "Plan")),
        (42, "With tabs", ("Mobile", "Plan")),
    ]
    assert [each.spec for each in found.tasks] == [
        "dayjs does what we need.\n- [ ] this is part of the spec\n  - so is this\n\n"
        "```sh\nnpm uninstall moment\n  indented\n```\n\nmore words\n",
        "with words\n",
        "```sh\ntrue\n```\n",
        "```sh\ntrue\n```\n",
    ]


def test_lines_end_as_they_may_and_a_byte_order_mark_is_none_of_the_text() -> None:
    text = "\ufeff# API\r\n- [ ] One\r\n\r\n  ```sh\r\n  true\r\n  ```\r\n"
    draft = one(text)
    assert (draft.line, draft.title, draft.sections) == (2, "One", ("API",))
    assert draft.spec == "```sh\ntrue\n```\n"
    assert one("- [ ] One\r  words\r") == Draft(1, "One", "words\n")


def test_a_task_needs_no_heading_and_no_spec() -> None:
    assert one("- [ ] One") == Draft(1, "One")
    assert one("- [ ] One\n\n\n") == Draft(1, "One")


def test_what_is_lazily_continued_is_spec_too() -> None:
    assert one("- [ ] One\ntwo\n    three\n").spec == "two\n  three\n"


def test_a_list_that_is_all_done_has_nothing_to_add() -> None:
    assert read("- [x] One\n- [X] Two\n") == Drafts([], done=2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "plan.md: there is nothing in it"),
        (" \n\t\r\n", "plan.md: there is nothing in it"),
        ("a\0b", "plan.md: this is no text"),
        ("x" * 2_000_001, "plan.md: over 2000000 characters"),
        ("# Words\n\nand a list\n\n- one\n", "plan.md: there is no checklist item"),
        ("# A\n- [ ] ok\n- [ ]\n", "plan.md:3: this item has no title"),
        ("# A\n- [ ]   \n", "plan.md:2: this item has no title"),
        (
            "# A\n\n> - [ ] quoted\n",
            "plan.md:3: an item of a checklist begins on a line of its own",
        ),
        ("- - [ ] two at once\n", "plan.md:1: an item of a checklist begins on a line of its own"),
        ("- " * 5000 + "[ ] deep\n", "plan.md:1: lists are nested too deeply"),
        ("- [ ] x\n" * 10_001, "plan.md:10001: more than 10000 tasks"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, words: str) -> None:
    assert wrong(text).startswith(words)
