"""A system call filter that the runner puts on itself, and so on all that it ever starts.

The engines filter too, but not alike: Podman's profile lets everybody make a user namespace and be
root in it, mount there, and use the kernel's key rings, which all containers of one uid share with
the host; Docker's of some years lets everybody open sockets to the machine below. What is refused
here is what Docker's newest profile refuses to a container without capabilities.
"""

import ctypes
import errno
import os

LIBRARY = "libseccomp.so.2"
"""`apt` itself needs it, so it is in whatever Debian or Ubuntu an image is made from."""

REFUSED = (
    *("unshare", "setns", "chroot"),
    *("mount", "umount", "umount2", "pivot_root", "mount_setattr", "move_mount", "open_tree"),
    *("fsopen", "fsconfig", "fsmount", "fspick"),
    *("add_key", "keyctl", "request_key"),
    *("bpf", "perf_event_open", "userfaultfd", "open_by_handle_at"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register"),
)

_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_MASKED_EQUAL, _EQUAL = 7, 4
_CLONE_NEWUSER = 0x10000000
_AF_VSOCK = 40
# 32-bit programs have numbers of their own for the same calls.
_COMPANIONS = {"x86_64": 0x40000003, "aarch64": 0x40000028}


class _Compare(ctypes.Structure):
    """`struct scmp_arg_cmp` (seccomp_rule_add(3))."""

    _fields_ = [
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    ]


def confine() -> None:
    """Refuse the calls, from now on, to this process and its children; there is no way back.

    To be called before there is a second thread, in a container, whose `no-new-privileges` allows
    it without capabilities. Raises `OSError` when it cannot be done: then nothing may be started.
    """
    lib = ctypes.CDLL(LIBRARY, use_errno=True)
    lib.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(lib.seccomp_init(ctypes.c_uint32(_ALLOW)))
    companion = _COMPANIONS.get(os.uname().machine)
    if companion is not None:
        _check(lib.seccomp_arch_add(context, ctypes.c_uint32(companion)), -errno.EEXIST)
    for name in REFUSED:
        _refuse(lib, context, name, errno.EPERM)
    _refuse(lib, context, "clone", errno.EPERM, (0, _MASKED_EQUAL, _CLONE_NEWUSER, _CLONE_NEWUSER))
    # Its flags are in memory, where no filter can look; who is told so takes `clone`.
    _refuse(lib, context, "clone3", errno.ENOSYS)
    _refuse(lib, context, "socket", errno.EPERM, (0, _EQUAL, _AF_VSOCK, 0))
    _check(lib.seccomp_load(context))
    lib.seccomp_release(context)


def _refuse(
    lib: ctypes.CDLL, context: ctypes.c_void_p, name: str, code: int, *when: tuple[int, ...]
) -> None:
    number = lib.seccomp_syscall_resolve_name(name.encode())
    compares = (_Compare * len(when))(*(_Compare(*each) for each in when))
    action = ctypes.c_uint32(_ERRNO | code)
    _check(lib.seccomp_rule_add_array(context, action, number, len(when), compares))


def _check(status: int, *fine: int) -> None:
    if status != 0 and status not in fine:
        raise OSError(-status, f"the system call filter cannot be made: {LIBRARY}")
