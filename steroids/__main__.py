"""`steroids`, and `python -m steroids`."""

import sys


def main() -> None:
    from steroids.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
