"""Parts of the kernel that are no container's business."""

import os
import socket

from tests.support.escapes.attempts import Targets, attempt, refused, system

_AF_VSOCK, _USER_KEYRING, _SESSION_KEYRING = 40, -4, -3


@attempt("use the key rings, which all containers of one uid share with the host")
def key_rings(targets: Targets) -> str:
    return refused(
        system("add_key", b"user", b"steroids-escape", b"x", 1, _USER_KEYRING),
        # Describe, read, and search.
        system("keyctl", 6, _USER_KEYRING, 0, 0, 0),
        system("keyctl", 11, _USER_KEYRING, 0, 0, 0),
        system("keyctl", 10, _SESSION_KEYRING, b"user", b"steroids-escape", 0),
        system("request_key", b"user", b"steroids-escape", 0, _USER_KEYRING),
    )


@attempt("load programs and modules into the kernel, watch it, start another one")
def kernels_programs(targets: Targets) -> str:
    return refused(
        system("bpf", 0, bytes(128), 128),
        system("perf_event_open", bytes(128), 0, -1, -1, 0),
        system("userfaultfd", 0),
        system("init_module", b"x", 1, b""),
        system("finit_module", 0, b"", 0),
        system("delete_module", b"steroids_escape", 0),
        system("kexec_load", 0, 0, 0, 0),
        system("io_uring_setup", 8, bytes(128)),
    )


@attempt("restart the machine, set its clock, count its processes, use its disks for swapping")
def machine(targets: Targets) -> str:
    # The command that only switches ctrl-alt-del off.
    return refused(
        system("reboot", 0xFEE1DEAD, 0x28121969, 0, 0),
        system("settimeofday", bytes(16), 0),
        system("clock_settime", 0, bytes(16)),
        system("adjtimex", (0x0001).to_bytes(4, "little") + bytes(300)),
        system("acct", b"/tmp/acct"),
        system("swapon", b"/etc/hosts", 0),
        system("quotactl", 0x80000100, b"/dev/sda", 0, bytes(64)),
    )


@attempt("speak to the machine that this one is a guest of, past all networks")
def hypervisor(targets: Targets) -> str:
    def connect() -> object:
        with socket.socket(_AF_VSOCK, socket.SOCK_STREAM) as made:
            return made.fileno()

    return refused(connect)


@attempt("this much is allowed: forking, threads, pipes, what every program does")
def control_calls(targets: Targets) -> str:
    pid = os.fork()
    if pid == 0:
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    reader, writer = os.pipe()
    os.write(writer, b"x")
    assert os.read(reader, 1) == b"x"
    system("gettid")()
    return "as it is to be"
