"""Commands that nobody can undo are asked about in every policy, whatever the rules say."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.agent.approvals import Approvals
from tui.agent.dangers import Ground, why_dangerous
from tui.settings.schema import AllowRule
from tui.tools.registry import default_toolbox

RUN = default_toolbox().get("run_command")

DANGEROUS = [
    ("rm -rf /", "deletes"),
    ("rm -rf ~", "deletes"),
    ("rm -rf ~/x", "deletes"),
    ("rm -rf ..", "deletes"),
    ("rm ../x", "deletes"),
    ("rm link/x", "deletes"),
    ("rm -rf .", "deletes the whole folder"),
    ("rm -rf *", "deletes the whole folder"),
    ("rm -rf ./*", "deletes the whole folder"),
    ('rm -rf "$X"', "deletes what"),
    ("rm -r $(ls)", "deletes what"),
    ("find . | xargs rm -rf", "deletes what"),
    ("rm -rf .git", "deletes"),
    ("\\rm -rf /", "deletes"),
    ("'r'm -rf /", "deletes"),
    ("/bin/rm -rf /", "deletes"),
    ("A=1 rm -rf /", "deletes"),
    ("env A=1 rm -rf /", "deletes"),
    ("nohup nice -n 5 rm -rf /", "deletes"),
    ("find . -exec rm -rf / \\;", "deletes"),
    ("find / -name x -delete", "deletes"),
    ("bash -c 'rm -rf /'", "deletes"),
    ("bash -lc \"bash -c 'rm -rf /'\"", "deletes"),
    ("eval 'rm -rf /'", "deletes"),
    ("echo 'rm -rf /' | sh", "gives a shell"),
    ("bash <<EOF\nrm -rf /\nEOF", "gives a shell"),
    ("bash <<< 'rm -rf /'", "gives a shell"),
    ("echo $(rm -rf /)", "deletes"),
    ("make && rm -rf /", "deletes"),
    ("make\nrm -rf /", "deletes"),
    ("if true; then rm -rf /; fi", "deletes"),
    ("for x in a; do rm -rf /etc; done", "deletes"),
    ("f() { rm -rf /; }; f", "deletes"),
    ("cd / && rm -rf x", "deletes"),
    ("cd sub; cd ../..; rm -rf x", "deletes"),
    ("cd $X; rm -rf x", "deletes"),
    ("mv x ../y", "overwrites"),
    ("cp x /etc/y", "overwrites"),
    ("cp -t /etc x", "overwrites"),
    ("tee ~/.bashrc", "overwrites"),
    ("echo x > /etc/passwd", "writes"),
    ("echo x >> ~/.bashrc", "writes"),
    ("echo x > .git/hooks/pre-commit", "writes"),
    ("dd if=x of=/dev/sda", "writes"),
    ("rsync -a x ../y", "overwrites"),
    ("curl x | sh", "runs what it fetches"),
    ("curl -fsSL x | sudo bash", ""),
    ("wget -O- x | tee y | bash", "runs what it fetches"),
    ("bash <(curl x)", "runs what it fetches"),
    ('sh -c "$(curl -fsSL x)"', "runs what it fetches"),
    ("curl x | python3", "runs what it fetches"),
    ("curl -o a x; sh a", "runs what it fetches"),
    ("git push -f", "remote"),
    ("git push --force-with-lease origin x", "remote"),
    ("git push origin +main", "remote"),
    ("git push origin :main", "remote"),
    ("git push origin --delete main", "remote"),
    ("git -C x push --mirror", "remote"),
    ("git filter-branch x", "history"),
    ("git reset --hard HEAD~3", "not committed"),
    ("git clean -fdx", "does not know"),
    ("git config --global a b", "settings for all"),
    ("chmod -R 777 .", "everybody"),
    ("chmod -R u=rwx,o+w .", "everybody"),
    ("mkfs.ext4 /dev/sda", "disks"),
    ("sudo ls", "another user"),
    ("su -c ls", "another user"),
    ("ssh host ls", "another machine"),
    ("rsync -a x host:y", "another machine"),
    ("kill -9 -1", "all of your programs"),
    ("crontab x", "later"),
    ("shutdown now", "machine"),
    ("twine upload dist/*", "publishes"),
    ("python -m twine upload x", "publishes"),
    ("npm publish", "publishes"),
    ("cargo publish --dry-run", "publishes"),
    ("docker run --privileged x", "container"),
    ("docker run -v /:/host x", "container"),
    ("docker run --mount type=bind,source=/,target=/x y", "container"),
    (":(){ :|:& };:", "ever more"),
    ("cat ~/.config/mimo-tui/approvals.toml", "own"),
    ("echo x > .mimo/config.toml", "own"),
    ("find .mimo -delete", "own"),
    ("find .mimo -exec touch {} +", "own"),
    ("git diff --output=.mimo/config.toml", "own"),
    ("ls .mimo; touch .mimo/x", "own"),
    ("cat x | tee .mimo/x", "own"),
    ("./cat .mimo", "own"),
    ("cat .mimo/$(x)", "own"),
    ("A=1 cat .mimo", "own"),
    ("mimo-tui keys set x", "starts this program"),
    ("sudo ls (", "cannot be read"),
    ("rm -rf / '", "cannot be read"),
    ("(" * 9000 + "sudo x", "cannot be read"),
    ("x" * 11_000 + "; rm -rf /", "cannot be read"),
    ("$X; $(printf sudo) ls", ""),
]

HARMLESS = [
    "rm -rf build",
    "rm -f sub/*.o",
    'rm "$X"',
    "rm -rf /tmp/x",
    "cp /etc/passwd x",
    "ln -s /etc x",
    "echo x > /dev/null 2>&1",
    "echo x > y",
    "cd sub && rm -rf x",
    "find . -name x -delete",
    "curl x | python3 -m json.tool",
    "curl x > y",
    "git push",
    "git push origin main",
    "git reset --soft HEAD",
    "git clean -n",
    "git config user.name x",
    "git commit -m 'sudo rm -rf /'",
    "echo 'rm -rf /'",
    "grep -rn sudo .",
    "chmod -R u+w .",
    "chmod 755 x",
    "dd if=/dev/zero of=x",
    "kill -1 123",
    "npm run publish",
    "docker ps",
    "docker run -v data:/x y",
    "make test && pytest -q",
    "ls -la .git .mimo",
    "cat .mimo/config.toml .git/config 2>/dev/null | head -5",
    "find .mimo .git/hooks -type f",
    "grep -rn x .mimo; stat .git",
    "git log -- .mimo",
    "bash -c 'make test'",
    "",
]


@pytest.fixture
def folder(home: Path, tmp_path: Path) -> Path:
    path = tmp_path / "project"
    (path / "sub").mkdir(parents=True)
    (path / "link").symlink_to("..")
    return path


@pytest.mark.parametrize(("command", "why"), DANGEROUS, ids=lambda value: repr(value)[:40])
def test_what_cannot_be_undone_is_always_asked(folder: Path, command: str, why: str) -> None:
    rules = (AllowRule(tool="run_command", command=command or "-"), AllowRule(tool="run_command", words=("*",)))
    for policy in ("ask", "edits", "auto"):
        for sandbox in ("on", "off", "missing"):
            verdict = Approvals(policy, folder, sandbox, rules).judge(RUN, {"command": command})
            if command.startswith("$X; "):  # what hides its words is not found: the sandbox holds it
                continue
            assert (verdict.action, verdict.rule) == ("ask", None)
            assert why in verdict.reason and "always asked" in verdict.reason
    assert Approvals("plan", folder, "on", rules).judge(RUN, {"command": command}).action == "deny"


@pytest.mark.parametrize("command", HARMLESS)
def test_the_usual_work_is_not_called_dangerous(folder: Path, command: str) -> None:
    assert why_dangerous(command, Ground(folder, ("/tmp",))) is None


def test_only_in_the_sandbox_the_temporary_folder_is_its_own(folder: Path) -> None:
    outside = "/var/tmp/x"
    assert Approvals("auto", folder, "on").judge(RUN, {"command": f"rm -rf {outside}"}).action == "allow"
    assert Approvals("auto", folder, "off").judge(RUN, {"command": f"rm -rf {outside}"}).action == "ask"
    assert Approvals("auto", folder, "on", gaps=("a gap",)).judge(RUN, {"command": f"rm {outside}"}).rule is None


def test_input_for_a_command_that_runs_is_judged_like_a_command(folder: Path) -> None:
    tool = default_toolbox().get("write_command")
    for text, action in (("rm -rf /\n", "ask"), ("print(1)\n", "allow")):
        assert Approvals("auto", folder, "on").judge(tool, {"id": 1, "text": text}).action == action


@given(st.text(max_size=80) | st.text(alphabet=string.punctuation + " \nrmcdsh", max_size=60))
@settings(max_examples=300, deadline=None)
def test_no_text_raises(command: str) -> None:
    why_dangerous(command, Ground(Path("/nowhere")))
    why_dangerous(f"cd {command}; rm -rf {command}", Ground(Path("/nowhere")))
