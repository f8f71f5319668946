"""A filter of system calls (seccomp) for what neither mounts nor Landlock hold back: keyrings, sockets, modes.

The program is classic BPF, see seccomp(2) and the kernel's `Documentation/userspace-api/seccomp_filter.rst`.
"""

from __future__ import annotations

import errno
import functools
import os
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

_LOAD, _AND = 0x20, 0x54  # BPF_LD | BPF_W | BPF_ABS, BPF_ALU | BPF_AND | BPF_K
_IF_EQUAL, _IF_NOT_LESS = 0x15, 0x35  # BPF_JMP | BPF_JEQ | BPF_K, BPF_JMP | BPF_JGE | BPF_K
_IF_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN = 0x06
_NUMBER, _MACHINE, _FIRST, _SECOND, _THIRD, _FOURTH = 0, 4, 16, 24, 32, 40
"""Where in `struct seccomp_data` the call's number, the machine and the low halves of the arguments are."""
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_X32 = 0x40000000

_VSOCK, _ALG = 40, 38
UNSEEN_FAMILIES = (_VSOCK, _ALG)
"""Kinds of sockets that no namespace confines: the one to the machine's host, and the kernel's cryptography."""

Instruction = tuple[int, int, int, int]


class _Machine(NamedTuple):
    """Numbers of system calls, from the kernel's tables; -1 where there is no such call."""

    code: int
    keys: tuple[int, ...]
    """add_key, request_key, keyctl"""
    socket: int
    socketpair: int
    multiplexed: int
    """socketcall: an old way to all calls on sockets, whose arguments a filter cannot see."""
    chmod: tuple[tuple[int, int], ...]
    """chmod, fchmod; fchmodat; each with where in `struct seccomp_data` the mode is."""
    create: tuple[tuple[int, int], ...]
    """mknod, creat; mknodat; likewise."""
    open: tuple[tuple[int, int, int], ...]
    """open, openat, with where the flags and the mode are."""


_MACHINES = {
    "x86_64": (
        _Machine(
            *(0xC000003E, (248, 249, 250), 41, 53, -1),
            chmod=((90, _SECOND), (91, _SECOND), (268, _THIRD)),
            create=((133, _SECOND), (85, _SECOND), (259, _THIRD)),
            open=((2, _SECOND, _THIRD), (257, _THIRD, _FOURTH)),
        ),
        _Machine(  # 32 bits
            *(0x40000003, (286, 287, 288), 359, 360, 102),
            chmod=((15, _SECOND), (94, _SECOND), (306, _THIRD)),
            create=((14, _SECOND), (8, _SECOND), (297, _THIRD)),
            open=((5, _SECOND, _THIRD), (295, _THIRD, _FOURTH)),
        ),
    ),
    "aarch64": (
        _Machine(
            *(0xC00000B7, (217, 218, 219), 198, 199, -1),
            chmod=((52, _SECOND), (53, _THIRD)),
            create=((33, _THIRD),),
            open=((56, _THIRD, _FOURTH),),
        ),
        _Machine(
            *(0x40000028, (309, 310, 311), 281, 288, -1),
            chmod=((15, _SECOND), (94, _SECOND), (333, _THIRD)),
            create=((14, _SECOND), (8, _SECOND), (324, _THIRD)),
            open=((5, _SECOND, _THIRD), (322, _THIRD, _FOURTH)),
        ),
    ),
}
_FCHMODAT2, _OPENAT2 = 452, 437
"""Everywhere. The mode that openat2 sets is in memory, which a filter cannot see; without it programs use openat."""
_SETUID, _SETGID = 0o4000, 0o2000
_CREATES = 0o20000100
"""O_CREAT, and the bit of O_TMPFILE: without them the mode of `open` is whatever happens to stand there."""
_IO_URING_SETUP = 425
"""Everywhere. What is asked for through a ring passes no filter."""


@functools.cache
def is_supported() -> bool:
    return os.uname().machine in _MACHINES


@functools.cache
def guard() -> bytes:
    """For use beside namespaces: no keyring of the kernel, no sockets that namespaces do not confine."""
    return _program(lambda machine: _sockets_but(machine, UNSEEN_FAMILIES))


@functools.cache
def guard_sockets(network: bool) -> bytes:
    """For use without namespaces: no sockets but pairs, and those of the internet where `network` is allowed."""
    families = (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK) if network else ()
    return _program(lambda machine: [*_sockets_only(machine, families), *_connected_pairs(machine)])


def _program(sockets_of: Callable[[_Machine], Iterable[Instruction]]) -> bytes:
    code: list[Instruction] = [(_LOAD, 0, 0, _MACHINE)]
    for machine in _MACHINES[os.uname().machine]:
        part = list(_for_machine(machine, sockets_of(machine)))
        code += [(_IF_EQUAL, 0, len(part), machine.code), *part]
    code.append(_deny(errno.ENOSYS))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _for_machine(machine: _Machine, sockets: Iterable[Instruction]) -> Iterator[Instruction]:
    yield (_LOAD, 0, 0, _NUMBER)
    if machine.code == _MACHINES["x86_64"][0].code:
        yield from _when(_IF_NOT_LESS, _X32, errno.ENOSYS)
    for number in machine.keys:
        yield from _when(_IF_EQUAL, number, errno.EPERM)
    yield from _when(_IF_EQUAL, _IO_URING_SETUP, errno.ENOSYS)
    if machine.multiplexed >= 0:
        yield from _when(_IF_EQUAL, machine.multiplexed, errno.ENOSYS)
    yield from _no_rights_in_modes(machine)
    yield from sockets
    yield (_RETURN, 0, 0, _ALLOW)


def _no_rights_in_modes(machine: _Machine) -> Iterator[Instruction]:
    """No file by which whoever starts it, outside of the sandbox, gets its owner's rights.

    The bit for the group's is refused only where files are made: folders have it rightly, and chmod is for both.
    """
    yield from _when(_IF_EQUAL, _OPENAT2, errno.ENOSYS)
    allow = (_RETURN, 0, 0, _ALLOW)
    for number, mode in (*machine.chmod, (_FCHMODAT2, _THIRD)):
        yield from _at_call(number, [(_LOAD, 0, 0, mode), *_when(_IF_ANY_BIT, _SETUID, errno.EPERM), allow])
    no_bits = _when(_IF_ANY_BIT, _SETUID | _SETGID, errno.EPERM)
    for number, mode in machine.create:
        yield from _at_call(number, [(_LOAD, 0, 0, mode), *no_bits, allow])
    for number, flags, mode in machine.open:
        creates = [(_LOAD, 0, 0, flags), (_IF_ANY_BIT, 1, 0, _CREATES), allow]
        yield from _at_call(number, [*creates, (_LOAD, 0, 0, mode), *no_bits, allow])


def _sockets_but(machine: _Machine, families: Iterable[int]) -> list[Instruction]:
    body = [part for family in families for part in _when(_IF_EQUAL, family, errno.EAFNOSUPPORT)]
    return _at_call(machine.socket, [(_LOAD, 0, 0, _FIRST), *body, (_RETURN, 0, 0, _ALLOW)])


def _sockets_only(machine: _Machine, families: Iterable[int]) -> list[Instruction]:
    allowed = [part for family in families for part in ((_IF_EQUAL, 0, 1, int(family)), (_RETURN, 0, 0, _ALLOW))]
    return _at_call(machine.socket, [(_LOAD, 0, 0, _FIRST), *allowed, _deny(errno.ENETUNREACH)])


def _connected_pairs(machine: _Machine) -> list[Instruction]:
    """A pair of datagram sockets could send to any other address; streams and packets are tied to each other."""
    tied = (socket.SOCK_STREAM, socket.SOCK_SEQPACKET)
    allowed = [part for kind in tied for part in ((_IF_EQUAL, 0, 1, int(kind)), (_RETURN, 0, 0, _ALLOW))]
    return _at_call(
        machine.socketpair, [(_LOAD, 0, 0, _SECOND), (_AND, 0, 0, 0xF), *allowed, _deny(errno.EAFNOSUPPORT)]
    )


def _at_call(number: int, body: list[Instruction]) -> list[Instruction]:
    """`body`, which ends with a return, when the call has that number."""
    return [(_IF_EQUAL, 0, len(body), number), *body]


def _when(test: int, value: int, error: int) -> tuple[Instruction, Instruction]:
    return (test, 0, 1, value), _deny(error)


def _deny(error: int) -> Instruction:
    return (_RETURN, 0, 0, _ERROR | error)
