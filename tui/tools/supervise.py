"""The process between the program and a command that has no process namespace: it ends all that the command started.

Run as a script of its own (`python -I -S supervise.py FD`), so it imports nothing of the program. It is the reaper of
every orphan below it (`PR_SET_CHILD_SUBREAPER`): a process that forks twice, leaves its session and clears its
environment becomes its child and is ended too. The command itself is put behind Landlock and a filter of system calls
before it begins, where the order, marshalled on the file descriptor FD, says so. To the order's
`status` it writes the lines that bubblewrap writes.
"""

import contextlib
import ctypes
import marshal
import os
import signal
import stat
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` takes a third of the time to start
    from typing import Any

_PDEATHSIG, _NO_NEW_PRIVILEGES, _SECCOMP, _CAPBSET_DROP, _SUBREAPER = 1, 38, 22, 24, 36  # prctl(2)
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every machine but alpha
_PATH_BENEATH = 1
_CAPABILITY_VERSION_3 = 0x20080522
_LAST_CAPABILITY = 63
_PAUSE_S = 0.002

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    with os.fdopen(int(sys.argv[1]), "rb") as file:
        order = marshal.load(file)  # noqa: S302 (by the same Python; `json` takes a third of the time to start)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})
    _prctl(_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != order["parent"]:
        sys.exit(1)
    _prctl(_SUBREAPER, 1)
    _tell(order, "child-pid", os.getpid())
    reading, writing = os.pipe()  # closed by the command's start, so that what is written tells that there was none
    child = os.fork()
    if child == 0:
        try:
            _become(order)
        except BaseException as error:
            os.write(2, f"{getattr(error, 'strerror', None) or error}\n".encode())
            os.write(writing, b"x")
        finally:
            os._exit(1)
    os.close(writing)
    code = _wait(child)
    _end_all()
    if code is not None and not os.read(reading, 1):
        _tell(order, "exit-code", code)
    os._exit(128 + signal.SIGTERM if code is None else code)


def _wait(child: int) -> "int | None":
    """The exit code of `child`, as a shell says it; None when this is told to end before."""
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return 128 - code if code < 0 else code
        if pid == 0 and signal.sigwait({signal.SIGTERM, signal.SIGCHLD}) == signal.SIGTERM:
            return None


def _end_all() -> None:
    """SIGKILL to all below, until there is nobody: whoever loses its parent becomes a child of this process."""
    while _has_children():
        for pid in _below(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_PAUSE_S)


def _has_children() -> bool:
    """Whether any is left, once those that have ended are taken away."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _below(root: int) -> "set[int]":
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                children.setdefault(_parent(name), []).append(int(name))
    found, waiting = set(), [root]
    while waiting:
        for pid in children.get(waiting.pop(), ()):
            if pid not in found:
                found.add(pid)
                waiting.append(pid)
    return found


def _parent(pid: str) -> int:
    with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
        return int(file.read().rpartition(b")")[2].split()[1])


def _tell(order: "dict[str, Any]", name: str, number: int) -> None:
    if order["status"] is not None:
        with contextlib.suppress(OSError):
            os.write(order["status"], b'{"%s": %d}\n' % (name.encode(), number))


def _become(order: "dict[str, Any]") -> None:
    """Turn into the command, confined as ordered."""
    os.setsid()  # so that `kill 0` in a command does not reach its supervisor
    _prctl(_PDEATHSIG, signal.SIGKILL)
    if order["status"] is not None:
        os.set_inheritable(order["status"], False)
    if confines := order["confines"]:
        _prctl(_NO_NEW_PRIVILEGES, 1)
        _restrict(bytes.fromhex(confines["ruleset"]), confines["rules"])
        if confines["keep"] is not None:
            _drop_capabilities(confines["keep"])
        _filter(bytes.fromhex(confines["filter"]))
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    os.execv(order["argv"][0], order["argv"])  # noqa: S606


def _restrict(attributes: bytes, rules: "list[tuple[int, int, str]]") -> None:
    """Landlock: `rules` are (rights of a folder, rights of a file, path); what is not there needs none."""
    ruleset = _checked("landlock_create_ruleset", _libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0))
    for of_folder, of_file, path in rules:
        try:
            number = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue
        is_folder = stat.S_ISDIR(os.fstat(number).st_mode)
        rights = of_folder if is_folder else of_file
        rule = rights.to_bytes(8, sys.byteorder) + number.to_bytes(4, sys.byteorder)
        _checked("landlock_add_rule", _libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0))
        os.close(number)
    _checked("landlock_restrict_self", _libc.syscall(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _drop_capabilities(keep: "list[int]") -> None:
    for number in range(_LAST_CAPABILITY + 1):
        if number not in keep and _libc.prctl(_CAPBSET_DROP, number, 0, 0, 0) != 0:
            break  # the first that this kernel does not have
    low = sum(1 << number for number in keep if number < 32)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(low, low, 0, 0, 0, 0)  # effective, permitted, inheritable; the same for those above 31
    _checked("capset", _libc.capset(header, data))


def _filter(code: bytes) -> None:
    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]

    held = ctypes.create_string_buffer(code, len(code))
    program = Program(len(code) // 8, ctypes.addressof(held))
    _checked("seccomp", _libc.prctl(_SECCOMP, 2, ctypes.byref(program), 0, 0))


def _prctl(option: int, value: int) -> None:
    _checked("prctl", _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0))


def _checked(name: str, result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")
    return result


if __name__ == "__main__":
    main()
