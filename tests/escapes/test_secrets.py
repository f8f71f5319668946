"""Ways to learn a key, and to make somebody outside do something."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.confined import Place
from tui.tools.landlock import NAMES, SIGNALS

pytestmark = pytest.mark.slow

SECRET_NAMES = """
.ssh/id_ed25519 .gnupg/private-keys-v1.d/a.key .aws/credentials .config/gcloud/credentials.db .kube/config .netrc
.docker/config.json .git-credentials .local/share/keyrings/login.keyring .mozilla/firefox/x/logins.json
.config/google-chrome/Default/Cookies config/mimo-tui/config.toml data/mimo-tui/sessions.db state/mimo-tui/mimo-tui.log
"""
SECRETS = SECRET_NAMES.split()

READING = {
    "by its path": "cd; cat {names}; cd {home}; cat {names}",
    "by searching": "grep -r hunter2 ~ {home}",
    "through /proc": "cd /proc/self/root{home} && cat {names}; cd /proc/1/root{home} && cat {names}; "
    "cd /proc/{parent}/root{home} && cat {names}",
    "by a link": "ln -s {home} h; cd h && cat {names}",
    "by hard links": "for n in {names}; do ln ~/$n . && cat $(basename $n); done",
    "by a copy": "cp -r ~/.ssh ~/.aws ~/config .; cat */* | tr a-z a-z; tar cf - -C ~ {names} | cat",
    "by a namespace": "unshare -Urm sh -c 'umount -l ~/.ssh; mount --rbind / /mnt; cat /mnt{home}/.ssh/*; "
    "cd ~; cat {names}'",
    "by a handle": "python3 -c 'import ctypes; l = ctypes.CDLL(None); b = ctypes.create_string_buffer(136); "
    'b[0] = b"\\x80"; m = ctypes.c_int(); l.name_to_handle_at(-100, b"{home}/.ssh/id_ed25519", b, '
    "ctypes.byref(m), 0); f = l.open_by_handle_at(9, b, 0); print(open(f).read())' 9< {home}",
}


@pytest.mark.parametrize("attempt", READING.values(), ids=READING.keys())
def test_keys_and_the_programs_files_cannot_be_read(place: Place, attempt: str) -> None:
    for name in SECRETS:
        place.write(name, "hunter2")
    words = {"names": " ".join(SECRETS), "home": str(place.home), "parent": str(os.getpid())}
    for name, word in words.items():
        attempt = attempt.replace(f"{{{name}}}", word)
    assert "hunter2" not in place.run(attempt).content
    assert all((place.home / name).read_text() == "hunter2" for name in SECRETS)


def test_a_secret_behind_a_link_cannot_be_read(place: Place) -> None:
    place.write("elsewhere/keys/id_rsa", "hunter2")
    (place.home / ".ssh").symlink_to("elsewhere/keys")
    place.write("open/x", "")
    (place.home / "open" / "way").symlink_to("../elsewhere/keys")
    assert "hunter2" not in place.run("cat ~/.ssh/id_rsa ~/elsewhere/keys/id_rsa ~/open/way/id_rsa").content


def test_that_a_secret_exists_is_not_seen(place: Place, has_gap: Callable[[str], bool]) -> None:
    place.write(".ssh/id", "")
    result = place.run("ls -a ~/.ssh | grep -q id && echo listed; test -e ~/.ssh/id && echo exists; exit 0")
    assert "listed" not in result.content
    assert has_gap(NAMES) or "exists" not in result.content


def test_keys_in_the_environment_are_not_there(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "GITHUB_TOKEN", "DB_PASSWORD", "MY_SECRET", "LC_TOKEN", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.setenv(name, "hunter2")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/hunter2/agent")
    monkeypatch.setenv("LD_PRELOAD_NOT", "hunter2")
    result = place.run("env; cat /proc/*/environ | tr '\\0' '\\n'; ps auxeww; (set; export; declare -x)")
    assert "hunter2" not in result.content and f"HOME={place.home}" in result.content


def test_what_would_be_loaded_into_programs_does_not_come_in(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LD_PRELOAD", "PYTHONSTARTUP", "BASH_ENV", "ENV", "NODE_OPTIONS", "GIT_CONFIG_GLOBAL", "PERL5OPT"):
        monkeypatch.setenv(name, "/nowhere/evil")
    assert "evil" not in place.run("env").content


def test_the_memory_of_the_program_cannot_be_read_nor_traced(place: Place) -> None:
    code = (
        "import ctypes, sys; libc = ctypes.CDLL(None, use_errno=True); pid = int(sys.argv[1]); "
        "print([libc.ptrace(16, pid, 0, 0), libc.ptrace(0x4206, pid, 0, 0)]); "
        "open(f'/proc/{pid}/mem', 'rb'); print('opened')"
    )
    outside = [str(os.getpid()), *(["$PPID"] if place.kind == "Landlock" else [])]  # else that is the sandbox's own
    for pid in outside:
        result = place.run(f'python3 -c "{code}" {pid}; cat /proc/{pid}/maps')
        assert "opened" not in result.content and "[-1, -1]" in result.content and "r-xp" not in result.content


def test_open_files_of_the_program_do_not_come_in(place: Place) -> None:
    number = os.open(place.write("secret", "hunter2"), os.O_RDWR)
    try:
        os.set_inheritable(number, True)
        result = place.run(
            "ls -l /proc/self/fd; for n in 3 4 5 6 7 8 9 10 11 12; do timeout 1 cat <&$n; done; "
            f"cat /proc/{os.getpid()}/fd/{number} /proc/$PPID/fd/*"
        )
        assert "hunter2" not in result.content
    finally:
        os.close(number)


def test_the_kernels_keyring_is_closed(place: Place) -> None:
    code = (
        "import ctypes; c = ctypes.CDLL(None).syscall; print([c(248, b'user', b'x', b'y', 1, n) for n in (-3, -4, -5)], "  # noqa: E501
        "[c(250, 0, n, 1) for n in (-3, -4, -5)], c(249, b'user', b'x', 0, -3))"
    )
    assert "[-1, -1, -1] [-1, -1, -1] -1" in place.run(f'python3 -c "{code}"').content


def test_other_programs_cannot_be_ended(place: Place, has_gap: Callable[[str], bool]) -> None:
    with subprocess.Popen(["sleep", "1000"], user=place.user if os.getuid() == 0 else None) as victim:
        try:
            place.run(f"kill -9 {victim.pid}; kill -STOP {victim.pid}; kill -9 -1; pkill -9 -f 'sleep 1000'; exit 0")
            assert has_gap(SIGNALS) or victim.poll() is None
        finally:
            victim.kill()


def test_nothing_can_be_typed_into_the_terminal(place: Place) -> None:
    master, slave = pty.openpty()
    try:
        name = os.ttyname(slave)
        Path(name).chmod(0o666)
        inject = "import fcntl, termios, sys; [fcntl.ioctl(n, termios.TIOCSTI, b'x') for n in (0, 1, 2)]"
        result = place.run(
            f"echo evil > /dev/tty; echo evil > {name}; (true < {name}) && echo opened; "
            "(true < /dev/tty) && echo opened; "
            f"tty; python3 -c \"{inject}\"; python3 -c \"open('{name}', 'r+b', buffering=0)\" && echo opened; exit 0",
            terminal=slave,
        )
        assert "opened" not in result.content and "not a tty" in result.content
        os.set_blocking(master, False)
        with pytest.raises(BlockingIOError):
            os.read(master, 10)
    finally:
        os.close(master)
        os.close(slave)


CONNECT = """python3 -c "import socket, sys
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    try:
        s = socket.socket(socket.AF_UNIX, kind)
        s.connect(sys.argv[1].replace('@', chr(0)))
        print('connected')
    except OSError as error:
        print(error)
try:
    socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b'x', sys.argv[1].replace('@', chr(0)))
    print('connected')
except OSError as error:
    print(error)" """


@pytest.mark.parametrize("name", ["agent.sock", ".gnupg/S.gpg-agent", "with space/x.sock", "docker.sock"])
def test_sockets_of_other_programs_cannot_be_used(place: Place, name: str) -> None:
    path = place.home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        path.chmod(0o777)
        place.own()
        for network in (False, True):
            assert "connected" not in place.run(f"{CONNECT} '{path}'", network=network).content
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize("variable", ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK"])
def test_the_session_bus_and_the_agent_cannot_be_reached(
    place: Place, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    runtime = place.home / "runtime"
    (runtime / "keyring").mkdir(parents=True)
    value = {"XDG_RUNTIME_DIR": runtime, "SSH_AUTH_SOCK": runtime / "bus"}.get(variable, f"unix:path={runtime}/bus")
    monkeypatch.setenv(variable, str(value))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(runtime / "bus"))
        server.listen()
        place.own()
        result = place.run(
            f"{CONNECT} {runtime}/bus; DBUS_SESSION_BUS_ADDRESS=unix:path={runtime}/bus busctl --user list; "
            f"SSH_AUTH_SOCK={runtime}/bus timeout 2 ssh-add -l",
            network=True,
        )
        assert "connected" not in result.content
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_sockets_in_shared_folders_and_abstract_ones_cannot_be_used(place: Place) -> None:
    for address in (f"/tmp/mimo-test-{os.getpid()}.sock", f"\0mimo-test-{os.getpid()}"):
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(address)
            try:
                server.listen()
                shown = address.replace("\0", "@")
                assert "connected" not in place.run(f"{CONNECT} {shown}; {CONNECT} /proc/1/root{shown}").content
            finally:
                if address[0] == "/":
                    Path(address).unlink()


def test_shared_memory_and_temporary_files_are_private(place: Place) -> None:
    name = f"mimo-test-{os.getpid()}"
    for folder in ("/dev/shm", "/tmp", "/var/tmp"):
        Path(folder, f"{name}-x").write_text("hunter2")
    try:
        result = place.run(
            f"echo evil | tee /dev/shm/{name} /tmp/{name} /var/tmp/{name}; cat /dev/shm/{name}-x /tmp/{name}-x "
            f"/var/tmp/{name}-x; t=$(mktemp) && echo mine > $t && cat $t; ipcs -m; exit 0"
        )
        assert "hunter2" not in result.content and "mine" in result.content
        assert not any(Path(folder, name).exists() for folder in ("/dev/shm", "/tmp", "/var/tmp"))
    finally:
        for folder in ("/dev/shm", "/tmp", "/var/tmp"):
            Path(folder, f"{name}-x").unlink()
