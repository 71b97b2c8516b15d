"""What the kernel holds this process to: its control groups, of version 1, 2, or both at once.

Files and formats: cgroups(7), proc(5), and the kernel's own pages on cgroup-v1 and cgroup-v2.
"""

from pathlib import Path

_NO_LIMIT = 1 << 62
"""Version 1 says so by a number that no machine has."""


class Cgroups:
    """Read anew at each call; where nothing can be read, nothing is known and nothing holds."""

    def __init__(self, root: Path = Path("/")) -> None:
        """`root` is another one in tests only."""
        self._root = root

    def memory_bytes(self) -> int | None:
        return self._least("memory", "memory.limit_in_bytes", "memory.max")

    def pids(self) -> int | None:
        return self._least("pids", "pids.max", "pids.max")

    def cpus(self) -> float | None:
        found = []
        for folder, version in self._folders("cpu"):
            if version == 2:
                words = _words(folder / "cpu.max")
            else:
                words = [
                    *_words(folder / "cpu.cfs_quota_us"),
                    *_words(folder / "cpu.cfs_period_us"),
                ]
            if len(words) == 2 and words[0].isdigit() and words[1].isdigit():
                found.append(int(words[0]) / int(words[1]))
        return min(found, default=None)

    def oom_kills(self) -> int:
        """How many processes in it the kernel has killed for want of memory."""
        for folder, version in self._folders("memory"):
            words = _words(folder / ("memory.events" if version == 2 else "memory.oom_control"))
            if "oom_kill" in words:
                return int(words[words.index("oom_kill") + 1])
        return 0

    def _least(self, controller: str, file_1: str, file_2: str) -> int | None:
        """Of its own group and those around it, since all of them hold."""
        found = []
        for folder, version in self._folders(controller):
            words = _words(folder / (file_2 if version == 2 else file_1))
            if words and words[0].isdigit() and int(words[0]) < _NO_LIMIT:
                found.append(int(words[0]))
        return min(found, default=None)

    def _folders(self, controller: str) -> list[tuple[Path, int]]:
        """Its own group and those around it that can be seen, inwards out, with the version."""
        own = self._own()
        for line in _lines(self._root / "proc/self/mountinfo"):
            words = line.split()
            base, point = words[3], words[4]
            kind, _, options = words[words.index("-") + 1 :][:3]
            if kind == "cgroup" and controller in options.split(","):
                return self._upwards(own.get(controller, "/"), base, point, 1)
        for line in _lines(self._root / "proc/self/mountinfo"):
            words = line.split()
            if words[words.index("-") + 1] == "cgroup2":
                return self._upwards(own.get("", "/"), words[3], words[4], 2)
        return []

    def _own(self) -> dict[str, str]:
        """Its group in each hierarchy, by controller; that of version 2 has no name."""
        found = {}
        for line in _lines(self._root / "proc/self/cgroup"):
            _, controllers, path = line.split(":", 2)
            found.update(dict.fromkeys(controllers.split(","), path))
        return found

    def _upwards(self, own: str, base: str, point: str, version: int) -> list[tuple[Path, int]]:
        mounted = self._root / point.lstrip("/")
        # Without a namespace of its own a container sees, as `point`, its own group alone.
        inside = own.removeprefix(base.rstrip("/")) if own.startswith(base.rstrip("/")) else ""
        folder = mounted / inside.lstrip("/")
        if ".." in folder.parts or not folder.is_dir():
            folder = mounted
        return [
            (each, version)
            for each in (folder, *folder.parents)
            if each == mounted or mounted in each.parents
        ]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _words(path: Path) -> list[str]:
    return " ".join(_lines(path)).split()
