"""Ways to change something outside of the project."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.confined import Place
from tui.tools.landlock import ATTRIBUTES

pytestmark = pytest.mark.slow

WRITING = {
    "a path with ..": "echo evil > ../precious",
    "an absolute path": "cd /; echo evil > {home}/precious",
    "appending": "echo evil >> {home}/precious",
    "a symbolic link": "ln -s ../precious link; echo evil > link",
    "a link to the folder above": "ln -s .. up; echo evil > up/precious",
    "a chain of links": "ln -s /proc/self/cwd a; ln -s a/.. b; echo evil > b/precious",
    "a hard link": "ln ../precious twin && echo evil > twin",
    "a hard link by descriptor": 'python3 -c \'import os; os.link("/proc/self/fd/9", "twin", follow_symlinks=True)\' '
    "9< ../precious; echo evil > twin",
    "/proc/self/root": "echo evil > /proc/self/root{home}/precious",
    "/proc/1/root": "echo evil > /proc/1/root{home}/precious",
    "/proc of the program": "echo evil > /proc/{parent}/root{home}/precious",
    "/proc/self/cwd": "echo evil > /proc/self/cwd/../precious",
    "a descriptor opened again": "exec 9< ../precious; echo evil > /proc/self/fd/9",
    "removing": "rm -f ../precious",
    "moving away": "mv ../precious precious",
    "moving over": "echo evil > x; mv -fT x ../precious",
    "exchanging": 'echo evil > x; python3 -c \'import ctypes; ctypes.CDLL(None).renameat2(-100, b"x", -100, '
    'b"../precious", 2)\'',
    "truncating": "truncate -s 0 ../precious; : > ../precious",
    "truncating what is open": "python3 -c 'import os; os.truncate(\"../precious\", 0)'",
    "mapping": 'python3 -c \'import mmap, os; m = mmap.mmap(os.open("../precious", os.O_RDWR), 4); m[:4] = b"evil"\'',
    "writing in place": "dd if=/etc/hostname of=../precious conv=notrunc",
    "an archive": "tar -cf a.tar --transform s,^,../, -C /etc hostname; tar -xPf a.tar; "
    "tar -cf b.tar -C {home} precious; echo evil > precious; tar -rf b.tar precious; tar -xf b.tar -C ..",
    "a copy over it": "cp -f --remove-destination /etc/hostname ../precious",
    "a mount undone": "umount {home}; mount -o remount,rw /; mount -o remount,rw,bind {home}; echo evil > ../precious",
    "a mount in a namespace": "unshare -Urm sh -c 'umount -l /; mount -o remount,rw,bind {home}; "
    "echo evil > {home}/precious'",
    "a bind mount in a namespace": "mkdir m; unshare -Urm sh -c 'mount --rbind / m; mount -o remount,rw,bind m; "
    "echo evil > m{home}/precious'",
    "an overlay": "mkdir u w m; unshare -Urm sh -c 'mount -t overlay -o lowerdir={home},upperdir=u,workdir=w x {home}; "
    "mount -t tmpfs x /mnt; echo evil > {home}/precious'",
    "a changed root": "unshare -Ur chroot /proc/1/root sh -c 'echo evil > {home}/precious'",
    "the program's namespaces": "nsenter -t {parent} -m -U -p sh -c 'echo evil > {home}/precious'",
    "the first process's namespaces": "nsenter -t 1 -a sh -c 'echo evil > {home}/precious'",
    "a name with a line break": "mkdir -p $'a\\n..'; cd $'a\\n..'; echo evil > ../../precious",
    "other capitals": "echo evil > ../PRECIOUS; echo evil > {home}/Precious",
    "a service of the user": "systemd-run --user sh -c 'echo evil > {home}/precious'; systemd-run sh -c "
    "'echo evil > {home}/precious'",
    "a job for later": "echo 'echo evil > {home}/precious' | at now; echo '* * * * * echo evil > {home}/precious' | "
    "crontab -; echo x > /var/spool/cron/crontabs/root",
    "an asynchronous write": "python3 -c 'import ctypes; print(ctypes.CDLL(None).syscall(425, 8, "
    "ctypes.create_string_buffer(120)))'; echo evil > ../precious",
}


@pytest.mark.parametrize("attempt", WRITING.values(), ids=WRITING.keys())
def test_a_file_outside_stays_as_it_was(place: Place, attempt: str) -> None:
    precious = place.write("precious", "gold")
    place.run(attempt.format(home=place.home, parent=os.getpid()))
    assert precious.read_text() == "gold" and precious.stat().st_nlink == 1
    assert sorted(path.name for path in place.home.iterdir()) == ["precious", "project"]


def test_modes_and_times_outside_stay_as_they_were(place: Place, has_gap: Callable[[str], bool]) -> None:
    precious = place.write("precious", "gold")
    os.utime(precious, (1, 1))
    before = precious.stat()
    place.run("chmod 777 ../precious; touch -d 2001-01-01 ../precious; setfattr -n user.x -v evil ../precious")
    after = precious.stat()
    if not has_gap(ATTRIBUTES):
        assert (after.st_mode, after.st_mtime) == (before.st_mode, before.st_mtime)
    assert precious.read_text() == "gold"


@pytest.mark.parametrize(
    "folder", ["/etc", "/usr/bin", "/var/lib", "/opt", "/", "/dev", "/sys/fs/cgroup", "/var/spool"]
)
def test_nothing_appears_in_a_folder_of_the_system(place: Place, folder: str) -> None:
    path = Path(folder, f"mimo-test-{os.getpid()}")
    try:
        place.run(f"touch {path}; mkdir {path}; ln -s x {path}; mkfifo {path}")
        assert not os.path.lexists(path)
    finally:
        if os.path.lexists(path):
            path.rmdir() if path.is_dir() else path.unlink()


def test_nothing_that_starts_by_itself_can_be_planted(place: Place) -> None:
    names = ".bashrc .profile .config/autostart/x.desktop .ssh/authorized_keys .pythonrc .gitconfig .local/bin/git"
    place.run("; ".join(f"mkdir -p ~/$(dirname {name}); echo evil > ~/{name}" for name in names.split()))
    assert [path.name for path in place.home.iterdir()] == ["project"]


def test_a_pipe_outside_is_not_opened_for_writing(place: Place, has_gap: Callable[[str], bool]) -> None:
    """bubblewrap cannot: a read-only mount does not keep a pipe from being written, as the documentation says."""
    os.mkfifo(place.home / "fifo")
    place.own()
    reader = os.open(place.home / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    try:
        place.run("timeout 1 sh -c 'echo evil > ../fifo'")
        if place.kind == "Landlock":
            assert os.read(reader, 10) == b""
    finally:
        os.close(reader)


@pytest.mark.parametrize("name", ["config.toml", "approvals.toml", "backends/evil.toml"])
def test_the_programs_own_settings_cannot_be_written(place: Place, name: str) -> None:
    path = place.write(f"config/mimo-tui/{name}", "mine = true")
    place.run(f"echo 'policy = \"auto\"' > {path}; rm -f {path}; mv {path.parent} x; ln -sf /dev/null {path}")
    assert path.read_text() == "mine = true"


def test_what_was_learned_and_stored_cannot_be_written(place: Place) -> None:
    kept = [place.write(f"{name}/mimo-tui/x", "mine") for name in ("data", "state", "cache")]
    place.run("; ".join(f"echo evil > {path}; rm -rf {path.parent}" for path in kept))
    assert [path.read_text() for path in kept] == ["mine"] * 3


def test_devices_cannot_be_made_nor_reached(place: Place) -> None:
    result = place.run(
        "mknod disk b 254 0 && echo made; mknod mem c 1 1 && echo made; "
        "for d in /dev/vda /dev/sda /dev/mem /dev/kmsg /dev/fuse /dev/net/tun /dev/kvm; do "
        "[ -c $d -o -b $d ] && (exec 9<> $d) && echo opened $d; done; exit 0"
    )
    assert "made" not in result.content and "opened" not in result.content


def test_a_set_user_id_program_gives_no_rights(place: Place) -> None:
    program = place.project / "myid"
    shutil.copy(shutil.which("id") or "/usr/bin/id", program)
    place.own()
    program.chmod(0o6755)
    result = place.run("./myid -u; grep NoNew /proc/self/status; su -c id")
    assert "NoNewPrivs:\t1" in result.content
    assert result.content.splitlines()[0] == str(place.user)


def test_a_set_user_id_program_cannot_be_made(place: Place) -> None:
    place.run("cp $(command -v id) myid; chmod 4755 myid; chmod u+s myid; install -m 6755 myid other")
    assert not any(path.stat().st_mode & stat.S_ISUID for path in place.project.iterdir())


def test_the_systems_switches_are_out_of_reach(place: Place) -> None:
    result = place.run(
        "for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /sys/power/state /proc/sys/vm/drop_caches "
        "/sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/pids/cgroup.procs /sys/fs/cgroup/memory/cgroup.procs "
        "/sys/kernel/uevent_helper /sys/class/leds/*/brightness; do true >> $f && echo opened $f; done; exit 0"
    )
    assert "opened" not in result.content
    assert (
        "opened" not in place.run("mkdir /sys/fs/cgroup/evil /sys/fs/cgroup/pids/evil && echo opened; exit 0").content
    )
