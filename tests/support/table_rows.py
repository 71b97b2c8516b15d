"""Rows about the commits that an agent makes, one way or another."""

from tests.support.table import Row

SHAPES = (
    Row("approved at once", "put a; commit One", landed=["One"], files={"a": "x\n"}),
    Row("already done", "true"),
    Row("done and undone", "put a; rm -r $here"),
    Row("leftovers", "put a", landed=["leftovers"], files={"a": "x\n"}),
    Row(
        "two commits",
        "put a; commit One; put b; commit Two",
        landed=["One", "Two"],
        files={"a": "x\n", "b": "x\n"},
    ),
    Row(
        "a commit and leftovers",
        "put a; commit One; put a more; put b",
        landed=["One", "a commit and leftovers"],
        files={"a": "more\n", "b": "x\n"},
    ),
    Row(
        "an empty commit",
        "git commit -q --allow-empty -m Nothing",
        commits=["1 approved Nothing"],
    ),
    Row(
        "an empty commit among others",
        "put a; commit One; git commit -q --allow-empty -m Nothing; put b; commit Two",
        landed=["One", "Two"],
        commits=["1 approved One", "1 approved Nothing", "1 approved Two"],
    ),
    Row(
        "taken back by its next commit",
        "put a; commit One; git rm -q -r $here; commit Two",
        landed=["One", "Two"],
        files={"a": None},
    ),
    Row(
        "a merge commit",
        "git checkout -q -b side; put a; commit Side\n"
        "git checkout -q steroids; put b; commit Main; git merge -q -m Merged side",
        landed=["a merge commit"],
        commits=["1 approved Main", "1 approved Side", "1 approved Merged"],
        files={"a": "x\n", "b": "x\n"},
    ),
    Row(
        "amended before it ended",
        "put a; commit Wrong; put a y; git add -A; git commit -q --amend -m Right",
        landed=["Right"],
        files={"a": "y\n"},
    ),
    Row(
        "a branch of its own",
        "git checkout -q -b mine; put a; commit Mine",
        landed=["Mine"],
        files={"a": "x\n"},
    ),
    Row("a detached head", "git checkout -q --detach; put a; commit Loose", landed=["Loose"]),
    Row("tags", "put a; commit One; git tag v9; git tag -a -m v v10", landed=["One"]),
    Row(
        "an author of its own",
        "put a; git add -A; git commit -q --author='Robo <r@example.org>' -m Robo",
        landed=["Robo"],
    ),
    Row(
        "no message",
        "put a; git add -A; git commit -q --allow-empty-message -m ''",
        landed=["(no message)"],
        commits=["1 approved "],
        files={"a": "x\n"},
    ),
    Row(
        "a message without an end",
        "put a; git add -A; tree=$(git write-tree)\n"
        "git reset -q --hard $(printf 'fix: a' | git commit-tree -p HEAD $tree)",
        landed=["fix: a"],
        files={"a": "x\n"},
    ),
    Row(
        "a message in Latin 1",
        "put a; git add -A\n"
        "printf 'Gr\\374n' | git -c i18n.commitEncoding=ISO-8859-1 commit -q -F -",
        landed=["Grün"],
    ),
    Row(
        "two hundred commits",
        "( { set +x; } 2>/dev/null; for n in $(seq 200); do put a $n; commit $n; done )",
        landed=[str(n) for n in range(1, 201)],
        files={"a": "200\n"},
    ),
)
