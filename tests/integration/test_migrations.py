"""Which template a commit's databases come from, and from which commit it is made."""

from steroids.services import migrations, target
from steroids.services.migrations import Plan
from steroids.setting_groups import Database
from tests.support.repos import Files
from tests.support.service import Bench

FIRST: Files = {"db/migrations/1.sql": "CREATE TABLE a (id int);\n", "src/main.py": "1\n"}
SETTINGS = Database(strategy="isolated", migrate="make migrate")


def planned(
    project: Bench, commit: str, settings: Database = SETTINGS, facts: tuple[str, ...] = ("17",)
) -> Plan:
    found = migrations.plan(project.host, project.project, settings, commit, *facts)
    assert found is not None
    return found


def landed(project: Bench, files: Files) -> str:
    """A commit on the target."""
    tip = project.repo.commit("landed", files)
    project.repo.git("push", "-q", "origin", "HEAD:main")
    assert target.fetch(project.project) == tip
    return tip


def attempted(project: Bench, base: str, files: Files) -> str:
    """A commit on top of it that is in the mirror and on no target."""
    project.agent.git("fetch", "-q", str(project.repo.path), "main")
    project.agent.git("checkout", "-q", "--detach", base)
    tip = project.agent.commit("attempt", files)
    project.project.mirror.git(
        "fetch", "-q", str(project.agent.path), f"{tip}:refs/steroids/a/{tip}"
    )
    return tip


def test_it_is_the_same_until_migrations_command_server_or_image_change(project: Bench) -> None:
    first = landed(project, FIRST)
    before = planned(project, first)
    assert (before.commit, before.command, before.files) == (first, "make migrate", 1)

    code = landed(project, {"src/main.py": "2\n"})
    assert planned(project, code).name == before.name

    others = [
        planned(project, landed(project, {"db/migrations/2.sql": "SELECT 1;\n"})),
        planned(project, first, SETTINGS.model_copy(update={"migrate": "make other"})),
        planned(project, first, facts=("18",)),
        planned(project, first, SETTINGS.model_copy(update={"kind": "mysql"})),
    ]
    assert len({before.name, *(each.name for each in others)}) == 5


def test_an_attempt_that_migrates_nothing_uses_what_the_target_has(project: Bench) -> None:
    base = landed(project, FIRST)
    attempt = attempted(project, base, {"src/main.py": "evil\n"})
    landed(project, {"db/migrations/2.sql": "SELECT 1;\n"})

    plan = planned(project, attempt)

    assert plan == planned(project, base)
    # Not from the attempt, whose other files may make something else of the same migrations.
    assert plan.commit == base


def test_an_attempt_with_migrations_of_its_own_shares_its_template_with_nobody(
    project: Bench,
) -> None:
    base = landed(project, FIRST)
    new: Files = {"db/migrations/2.sql": "SELECT 1;\n"}
    one = planned(project, attempted(project, base, {**new, "seed.js": "good\n"}))
    two = planned(project, attempted(project, base, {**new, "lib.js": "evil\n"}))
    there = landed(project, new)

    assert len({one.name, two.name, planned(project, there).name}) == 3
    assert one.commit != two.commit and planned(project, there).commit == there


def test_what_migrates_is_found_by_usual_names_or_said_by_the_settings(project: Bench) -> None:
    usual: Files = {
        "apps/api/migrations/001_first.js": "x",
        "db/migrate/2024_users.rb": "x",
        "prisma/schema.prisma": "x",
        "alembic/versions/1.py": "x",
        "seeds/users.ts": "x",
        "tools/schema.sql": "x",
    }
    tip = landed(project, {**usual, "src/migrations.py": "x", "docs/seeding.md": "x"})
    own = SETTINGS.model_copy(update={"migrations": ["docs/**"]})

    assert planned(project, tip).files == len(usual)
    assert planned(project, tip, own).files == 1
    assert migrations.plan(project.host, project.project, Database(), tip) is None


def test_homes_and_projects_share_no_names(project: Bench) -> None:
    plan = planned(project, landed(project, FIRST))

    home, project_id = project.host.id[:6], project.project.id[:8]
    assert plan.name.startswith(f"test_runner_{home}_t_{project_id}_")
    longest = SETTINGS.model_copy(update={"prefix": "p" * 30})
    assert len(planned(project, project.repo.git("rev-parse", "HEAD"), longest).name) <= 63
