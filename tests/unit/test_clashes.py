"""Which two added paths are migrations that took one number."""

import pytest

from steroids.services.clashes import twins


@pytest.mark.parametrize(
    ("ours", "theirs", "number"),
    [
        ("migrations/0007_a.sql", "migrations/0007_b.sql", "7"),
        ("migrations/7.sql", "migrations/007_b.sql", "7"),
        ("apps/api/migrations/0007_a.py", "apps/api/migrations/0007_b.py", "7"),
        ("main/db/migration/V7__a.sql", "main/db/migration/V7__b.sql", "V7"),
        ("db/migration/V1_2__a.sql", "db/migration/V1.2__b.sql", "V1.2"),
        ("db/migrate/20240101120000_a.rb", "db/migrate/20240101120000_b.rb", "20240101120000"),
        ("alembic/versions/0007_a.py", "alembic/versions/0007_b.py", "7"),
        ("apps/x/migrations/versions/0007_a.py", "apps/x/migrations/versions/0007_b.py", "7"),
        ("prisma/migrations/2024_a/migration.sql", "prisma/migrations/2024_b/x.sql", "2024"),
        ("Migrations/20240101120000_A.cs", "Migrations/20240101120000_B.cs", "20240101120000"),
        (
            "database/migrations/2024_01_31_120000_a.php",
            "database/migrations/2024_01_31_120000_b.php",
            "2024.1.31.120000",
        ),
        ("migrations/1700000000000-A.ts", "migrations/1700000000000-B.ts", "1700000000000"),
        ("migrations/0007_2fa.sql", "migrations/0007_b.sql", "7"),
        ("migrations/000007_a.up.sql", "migrations/000007_b.down.sql", "7"),
    ],
)
def test_two_of_one_number_are_found(ours: str, theirs: str, number: str) -> None:
    (found,) = twins([ours, "README.md"], [theirs, "src/x.py"])
    assert (found.ours, found.theirs, found.place.number) == (ours, theirs, number)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("migrations/0007_a.sql", "migrations/0008_b.sql"),
        ("apps/api/migrations/0007_a.sql", "apps/web/migrations/0007_b.sql"),
        ("src/0007_a.sql", "src/0007_b.sql"),
        ("versions/0007_a.py", "versions/0007_b.py"),
        ("migrations/README.md", "migrations/__init__.py"),
        ("migrations/0007_a.up.sql", "migrations/0007_a.down.sql"),
        ("db/migration/V7__a.sql", "db/migration/U7__a.sql"),
        (
            "database/migrations/2024_01_31_120000_a.php",
            "database/migrations/2024_01_31_120001_b.php",
        ),
        ("migrations/1.2_a.sql", "migrations/1.3_b.sql"),
        ("db/migration/V1_2__a.sql", "db/migration/V1_3__b.sql"),
        ("prisma/migrations/1_a/migration.sql", "prisma/migrations/1_a/migration.sql"),
        ("migrations", "migrations/1"),
    ],
)
def test_others_are_not(ours: str, theirs: str) -> None:
    assert twins([ours], [theirs]) == []


def test_what_an_attempt_merged_from_the_target_is_not_its_own() -> None:
    theirs = ["migrations/0007_b.sql"]
    assert twins(["migrations/0007_b.sql", "migrations/0008_a.sql"], theirs) == []
    (found,) = twins(["migrations/0007_b.sql", "migrations/0007_a.sql"], theirs)
    assert (found.ours, found.theirs) == ("migrations/0007_a.sql", "migrations/0007_b.sql")
