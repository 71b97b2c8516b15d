"""Files stay small: none of the package over 500 lines, the median under 100."""

import statistics
import sys
from pathlib import Path

LONGEST_LINES = 500
MEDIAN_LINES = 100


def main() -> int:
    root = Path(__file__).parents[2]
    lines = {
        path.relative_to(root): path.read_bytes().count(b"\n")
        for path in (root / "steroids").rglob("*.py")
    }
    too_long = {path: count for path, count in lines.items() if count > LONGEST_LINES}
    for path, count in too_long.items():
        print(f"{path} has {count} lines; {LONGEST_LINES} is the most")
    # Files that only name a package would make every median look good.
    median = statistics.median(count for count in lines.values() if count > 1)
    if median >= MEDIAN_LINES:
        print(f"the median file has {median:g} lines; under {MEDIAN_LINES} is wanted")
    return 1 if too_long or median >= MEDIAN_LINES else 0


if __name__ == "__main__":
    sys.exit(main())
