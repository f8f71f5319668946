"""Ways out of the sandbox, tried for real: each command tries one, and the world outside shows that it did not work."""

from __future__ import annotations

import os
import pty
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.tools.confined import Place

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "attempt",
    [
        "echo evil > ../precious",
        "echo evil >> {home}/precious",
        "ln -s ../precious link; echo evil > link",
        "ln -s .. up; echo evil > up/precious",
        "ln ../precious twin && echo evil > twin",
        "echo evil > /proc/self/root{home}/precious",
        "echo evil > /proc/1/root{home}/precious",
        "echo evil > /proc/self/cwd/../precious",
        "rm -f ../precious",
        "mv ../precious precious",
        "chmod 777 ../precious; truncate -s 0 ../precious",
        "mkdir x; mv x ../precious -T; cp /etc/hostname ../precious",
        "cd /; echo evil > {home}/precious",
    ],
)
def test_a_file_outside_the_project_stays_as_it_was(place: Place, attempt: str) -> None:
    precious = place.write("precious", "gold")
    place.run(attempt.format(home=place.home))
    assert precious.read_text() == "gold"
    assert precious.stat().st_nlink == 1 and precious.stat().st_mode & 0o022 == 0


@pytest.mark.parametrize(
    "attempt",
    [
        "umount {home}; mount -o remount,rw / ; mount -o remount,rw,bind {home}; echo evil > ../precious",
        "unshare -Urm sh -c 'umount -l /; mount -o remount,rw,bind {home}; echo evil > {home}/precious'",
        "unshare -Urm sh -c 'mount --rbind / mnt; mount -o remount,rw,bind mnt; echo evil > mnt{home}/precious'",
        "mkdir mnt; unshare -Ur chroot /proc/1/root sh -c 'echo evil > {home}/precious'",
        "nsenter -t {parent} -m sh -c 'echo evil > {home}/precious'",
        "nsenter -t 1 -m sh -c 'echo evil > {home}/precious'",
    ],
)
def test_mounts_cannot_be_undone_from_inside(place: Place, attempt: str) -> None:
    precious = place.write("precious", "gold")
    place.run("mkdir -p mnt; " + attempt.format(home=place.home, parent=os.getpid()))
    assert precious.read_text() == "gold"


def test_nothing_new_appears_outside_the_project(place: Place) -> None:
    name = f"mimo-test-{os.getpid()}"
    places = [Path(folder, name) for folder in ("/etc", "/usr/bin", "/var/lib", "/opt", "/")]
    try:
        place.run(
            f"touch ../new ~/.bashrc {' '.join(map(str, places))}; mkdir -p ~/.ssh; echo k > ~/.ssh/authorized_keys"
        )
        assert [path.name for path in place.home.iterdir()] == ["project"]
        assert not any(path.exists() for path in places)
    finally:
        for path in places:
            path.unlink(missing_ok=True)


def test_the_project_itself_can_be_written(place: Place) -> None:
    result = place.run("mkdir -p a/b && echo hello > a/b/c && cat a/b/c && rm -r a && echo kept > d")
    assert not result.is_error and result.content.startswith("hello\n")
    assert (place.project / "d").read_text() == "kept\n"
    assert (place.project / "d").stat().st_uid == place.user


SECRET_NAMES = """
.ssh/id_ed25519 .gnupg/private-keys-v1.d/a.key .aws/credentials .config/gcloud/credentials.db .azure/token .kube/config
.docker/config.json .netrc .git-credentials .local/share/keyrings/login.keyring .bash_history
config/mimo-tui/config.toml data/mimo-tui/sessions.db state/mimo-tui/mimo-tui.log cache/mimo-tui/x
"""
SECRETS = SECRET_NAMES.split()


def test_keys_and_the_programs_own_files_cannot_be_read(place: Place) -> None:
    for name in SECRETS:
        place.write(name, "hunter2")
    result = place.run(
        f"cd; cat {' '.join(SECRETS)}; cd {place.home}; cat {' '.join(SECRETS)}; grep -r hunter2 ~ /proc/1/root$HOME; "
        f"cd /proc/self/root{place.home}; cat {' '.join(SECRETS)}"
    )
    assert "hunter2" not in result.content
    assert all((place.home / name).read_text() == "hunter2" for name in SECRETS)


def test_a_secret_folder_behind_a_link_cannot_be_read(place: Place) -> None:
    place.write("elsewhere/keys/id_rsa", "hunter2")
    (place.home / ".ssh").symlink_to("elsewhere/keys")
    assert "hunter2" not in place.run("cat ~/.ssh/id_rsa ~/elsewhere/keys/id_rsa; grep -r hunter2 ~").content


def test_a_secret_place_that_a_variable_names_cannot_be_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(place.write("work/aws", "hunter2")))
    assert "hunter2" not in place.run("cat ~/work/aws").content


def test_other_files_of_the_home_folder_can_be_read(place: Place) -> None:
    place.write(".gitconfig", "[user] name = Ada")
    assert "Ada" in place.run("cat ~/.gitconfig").content


def test_keys_in_the_environment_do_not_come_in(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "GITHUB_TOKEN", "DB_PASSWORD", "MY_SECRET", "LC_TOKEN", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.setenv(name, "hunter2")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/hunter2/agent")
    monkeypatch.setenv("SOMETHING_ELSE", "hunter2")
    result = place.run("env; cat /proc/*/environ | tr '\\0' '\\n'; echo $LANG")
    assert "hunter2" not in result.content
    assert f"HOME={place.home}" in result.content


def test_other_processes_cannot_be_seen_nor_ended(place: Place) -> None:
    with subprocess.Popen(["sleep", "1000"], user=place.user if os.getuid() == 0 else None) as victim:
        try:
            result = place.run(f"ls /proc | grep -c '^[0-9]'; kill -9 {victim.pid} && echo sent")
            assert int(result.content.splitlines()[0]) < 10
            assert "sent" not in result.content and victim.poll() is None
        finally:
            victim.kill()


def test_the_first_process_of_the_sandbox_cannot_be_ended_to_get_out(place: Place) -> None:
    result = place.run("kill -9 1; kill -9 $PPID; echo still here")
    assert "still here" in result.content


def test_nothing_outlives_the_command(place: Place) -> None:
    tag = f"1000.{os.getpid()}"
    result = place.run(
        f"sleep {tag} & setsid sleep {tag} & (setsid nohup sleep {tag} >/dev/null 2>&1 &); "
        f"env -i setsid sh -c 'sleep {tag} & sleep {tag}' >/dev/null 2>&1 & echo started"
    )
    assert "started" in result.content and not result.is_error
    assert not processes_with(tag)


def test_a_running_program_cannot_be_traced(place: Place) -> None:
    code = (
        "import ctypes, sys; libc = ctypes.CDLL(None, use_errno=True); "
        "print([libc.ptrace(16, int(pid), 0, 0) for pid in sys.argv[1:]], ctypes.get_errno())"
    )
    result = place.run(f"python3 -c '{code}' {os.getpid()} {os.getppid()}")
    assert "[-1, -1] 3" in result.content  # ESRCH: there is no such process


def test_nothing_can_be_typed_into_the_terminal(place: Place) -> None:
    master, slave = pty.openpty()
    try:
        Path(os.ttyname(slave)).chmod(0o666)
        result = place.run("echo evil > /dev/tty; tty; ls /dev/pts; true < /dev/tty && echo opened", terminal=slave)
        assert "opened" not in result.content and "not a tty" in result.content
        os.set_blocking(master, False)
        with pytest.raises(BlockingIOError):
            os.read(master, 10)
    finally:
        os.close(master)
        os.close(slave)


def test_there_is_no_network(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = place.run(f"(echo hello > /dev/tcp/127.0.0.1/{port}) && echo connected")
        assert "connected" not in result.content
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_the_network_is_there_where_it_is_allowed(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert (
            "connected"
            in place.run(f"(echo hello > /dev/tcp/127.0.0.1/{port}) && echo connected", network=True).content
        )


CONNECT = """python3 -c "import socket, sys
socket.socket(socket.AF_UNIX).connect(sys.argv[1].replace('@', chr(0)))
print('connected')" """


@pytest.mark.parametrize("name", ["agent.sock", ".local/bus", "with space/x.sock"])
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


def test_sockets_in_shared_folders_cannot_be_used(place: Place, tmp_path: Path) -> None:
    path = Path("/tmp") / f"mimo-test-{os.getpid()}.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        try:
            server.listen()
            path.chmod(0o777)
            assert "connected" not in place.run(f"{CONNECT} {path}; {CONNECT} /proc/1/root{path}").content
        finally:
            path.unlink()


def test_the_session_bus_cannot_be_reached(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = place.home / "runtime"
    runtime.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={runtime}/bus")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(runtime / "bus"))
        server.listen()
        place.own()
        result = place.run(f"env | grep BUS; ls -A {runtime}; {CONNECT} {runtime}/bus")
        assert "bus" not in result.content.splitlines()[0] and "connected" not in result.content


def test_abstract_sockets_cannot_be_reached(place: Place) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0mimo-test-{os.getpid()}")
        server.listen()
        assert "connected" not in place.run(f"{CONNECT} @mimo-test-{os.getpid()}").content


def test_shared_memory_and_temporary_files_are_private(place: Place) -> None:
    name = f"mimo-test-{os.getpid()}"
    result = place.run(f"echo x > /dev/shm/{name} && echo x > /tmp/{name} && cat /dev/shm/{name} /tmp/{name}")
    assert result.content.startswith("x\nx\n")
    assert not Path("/dev/shm", name).exists() and not Path("/tmp", name).exists()


def test_system_settings_and_devices_are_out_of_reach(place: Place) -> None:
    result = place.run(
        "for file in /proc/sys/kernel/{core_pattern,hostname} /proc/sysrq-trigger /sys/power/state; "
        "do true >> $file && echo opened; done; "
        "mknod disk b 254 0 && echo made; ls /dev/vda /dev/sda /dev/mem && echo seen; readlink /proc/self/ns/uts"
    )
    assert "opened" not in result.content and "made" not in result.content and "seen" not in result.content
    assert str(Path("/proc/self/ns/uts").readlink()) not in result.content


def test_no_right_can_be_gained(place: Place) -> None:
    result = place.run("grep -E 'NoNewPrivs|CapEff|CapBnd' /proc/self/status")
    lines = dict(line.split(":\t") for line in result.content.splitlines()[:3])
    assert lines == {"NoNewPrivs": "1", "CapEff": "0" * 16, "CapBnd": lines["CapBnd"]}


def test_open_files_of_the_program_do_not_come_in(place: Place) -> None:
    secret = place.write("secret", "hunter2")
    number = os.open(secret, os.O_RDWR)
    try:
        os.set_inheritable(number, True)
        result = place.run("ls /proc/self/fd; for n in 3 4 5 6 7 8 9; do timeout 1 cat <&$n; done")
        assert "hunter2" not in result.content
        assert result.content.split()[:4] == ["0", "1", "2", "3"]
    finally:
        os.close(number)


def processes_with(tag: str) -> list[str]:
    """Command lines of living processes that hold `tag`."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in lines if tag in line]


assert shutil.which("bash"), "the attempts are written for bash"
