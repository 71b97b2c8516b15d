"""Rows that are rejected: by their checks, by their agent's end, by what the controller refuses."""

from tests.support.table import Row

CHECK = "if grep -rn broken apps/checked; then exit 3; fi"


def broken(times: int) -> str:
    """A script whose work passes the checks only after so many attempts."""
    return f"""[ $STEROIDS_ATTEMPT -gt {times} ] && put a good || put a "broken $STEROIDS_ATTEMPT"
commit "Try $STEROIDS_ATTEMPT\""""


CHECKED = (
    Row("passes", "put a; commit One", landed=["One"]),
    Row(
        "rejected once",
        broken(1),
        way="pirpirac",
        attempts="rejected approved",
        landed=["Try 1", "Try 2"],
        commits=["1 rejected Try 1", "2 approved Try 2"],
        files={"a": "good\n"},
        says="broken 1",
    ),
    Row(
        "rejected three times",
        broken(3),
        way="p" + 3 * "irp" + "irac",
        attempts="rejected rejected rejected approved",
        landed=[f"Try {n}" for n in range(1, 5)],
        commits=[*(f"{n} rejected Try {n}" for n in range(1, 4)), "4 approved Try 4"],
        files={"a": "good\n"},
        says="broken 3",
    ),
    Row(
        "each attempt goes on from the last",
        "once || cat $here/$((STEROIDS_ATTEMPT - 1)) $STEROIDS_FEEDBACK\n"
        "put $STEROIDS_ATTEMPT; [ $STEROIDS_ATTEMPT = 3 ] && put a || put a broken",
        way="p" + 2 * "irp" + "irac",
        attempts="rejected rejected approved",
        landed=3 * ["each attempt goes on from the last"],
        commits=[
            "1 rejected each attempt goes on from the last",
            "2 rejected each attempt goes on from the last",
            "3 approved each attempt goes on from the last",
        ],
        files={"1": "x\n", "2": "x\n", "3": "x\n", "a": "x\n"},
    ),
    Row("nothing to check", "true"),
)

ENDLESS = (
    Row(
        "rejected fifteen times",
        f"{broken(99)}",
        way="p" + 14 * "irp" + "ird",
        attempts=15 * "rejected ",
        commits=[f"{n} rejected Try {n}" for n in range(1, 16)],
        files={"a": None},
        says="broken 15",
    ),
)

FAILING = (
    Row(
        "fails once",
        "put $STEROIDS_ATTEMPT; once && exit 3; cat $here/1",
        way="pipirac",
        attempts="rejected approved",
        landed=2 * ["fails once"],
        commits=["1 rejected fails once", "2 approved fails once"],
        files={"1": "x\n", "2": "x\n"},
        says="the script exited 3",
    ),
    Row(
        "killed once",
        "put $STEROIDS_ATTEMPT; once && kill -9 $$; true",
        way="pipirac",
        attempts="rejected approved",
        landed=2 * ["killed once"],
        commits=["1 rejected killed once", "2 approved killed once"],
        files={"1": "x\n", "2": "x\n"},
        says="killed by signal 9",
    ),
    Row(
        "fails fourteen times",
        "[ $STEROIDS_ATTEMPT = 15 ]; put a",
        way="p" + 14 * "ip" + "irac",
        attempts=14 * "rejected " + "approved",
        landed=["fails fourteen times"],
        commits=["15 approved fails fourteen times"],
        files={"a": "x\n"},
    ),
    Row(
        "fails fifteen times",
        "put a; exit 7",
        way="p" + 14 * "ip" + "id",
        attempts=15 * "rejected ",
        commits=["1 rejected fails fifteen times"],
        files={"a": None},
        says="the script exited 7",
    ),
    Row(
        "leaves a merge",
        "once || { put a both; exit 0; }\n"
        "git checkout -q -b side; put a side; commit Side; git checkout -q steroids\n"
        "put a main; commit Main; git merge -q side",
        way="pipirac",
        attempts="rejected approved",
        landed=["Main", "leaves a merge"],
        commits=["1 rejected Main", "2 approved leaves a merge"],
        files={"a": "both\n"},
        says="conflict",
    ),
    Row(
        "removes its repository",
        "once && rm -rf .git; put a",
        way="pipirac",
        attempts="rejected approved",
        landed=["removes its repository"],
        commits=["2 approved removes its repository"],
        files={"a": "x\n"},
        says="repository is broken",
    ),
    Row(
        "rewrites what was rejected",
        "once && { put a one; commit One; exit 1; }\n"
        "put a two; git add -A; git commit -q --amend -m Two",
        way="pipirac",
        attempts="rejected approved",
        landed=["Two"],
        commits=["1 rejected One", "2 approved Two"],
        files={"a": "two\n"},
    ),
    Row(
        "goes back behind its beginning",
        "once && { git checkout -q --orphan new; git rm -rqf .; put a; commit Root; exit 0; }\n"
        "put b; commit Good",
        way="pipirac",
        attempts="rejected approved",
        landed=["Good"],
        commits=["2 approved Good"],
        files={"a": None, "b": "x\n"},
        says="refused",
    ),
)

EMPTIED = (
    Row(
        "removes the whole section",
        "put a; commit Fill; git rm -q -r apps/emptied; commit Empty",
        landed=["Fill", "Empty"],
        files={"a": None},
    ),
    Row("fills it again", "put a", landed=["fills it again"], files={"a": "x\n"}),
)
