# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The launcher ``./amat``: its messages, the packages it installs, and when it rebuilds ``.venv``.

A copy of the launcher runs in a temporary folder. Stand-ins for compiler, CMake, Python and apt record how they are
called, and PATH has only the basic commands of Debian in addition: the tests need no network, install nothing, and are
the same on every machine. The stand-in for pip creates a stand-in for the ``amat`` command.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from amat.cli.app import app

ROOT = Path(__file__).parents[2]

# The commands that the launcher may use before it has installed anything.
BASICS = "awk bash cat cut df dirname env find flock mkdir mv readlink rm sed sha256sum tail"

LOCK = """\
# written by a tool
numpy==2.4.6 \\
    --hash=sha256:00
packaging==25.0 \\
    --hash=sha256:01
setuptools==84.2.1 \\
    --hash=sha256:02
setuptools-scm==9.0 \\
    --hash=sha256:03
tools==1.0 \\
    --hash=sha256:05
wheel==0.48.0 ; python_version >= '3' \\
    --hash=sha256:04
"""

OPTIONAL = """\
# written by a tool
extra tools other
"""

FINE = "exit 0"
COMPILER = "cat >/dev/null"
HEADER_PACKAGES = {"libgsl-dev", "libboost-dev", "libltdl-dev"}
COMPILER_WITHOUT_GSL = "while read -r line; do [[ $line == *gsl/* ]] && exit 1; done; exit 0"

# Answers for python3, and for .venv/bin/python, which is a link to it. `hold` names the step at which
# pip waits, `fail` makes it fail.
PYTHON = """\
case "$*" in
  *" -c "*) readlink -f "$0" ;;
  *"-m venv"*)
    echo venv >>{folder}/calls
    rm -rf "${{@: -1}}/bin"
    mkdir -p "${{@: -1}}/bin"
    ln -s "$(readlink -f "$0")" "${{@: -1}}/bin/python"
    ;;
  *"-m pip"*)
    case "$*" in
      *--editable*) step=editable ;;
      *--no-deps*) step="build tools" ;;
      *) step=packages ;;
    esac
    echo "$step" >>{folder}/calls
    if [[ $step != editable ]]; then
      cat "${{@: -1}}" >>{folder}/calls
    fi
    while [[ $(cat {folder}/hold 2>/dev/null) == "$step" ]]; do sleep 0.02; done
    if [[ -e {folder}/fail ]]; then
      echo "ERROR: the index does not answer"
      exit 1
    fi
    if [[ $step == packages ]]; then
      echo numpy >"${{0%/*}}/numpy file"
    fi
    if [[ "$*" == *--editable* ]]; then
      cp {folder}/command "${{0%/*}}/amat"
    fi
    ;;
esac
"""

COMMAND = """\
#!/usr/bin/env bash
printf '%s|' "$PWD" "$#" "$@" "${PYTHONPATH-unset}"
[[ -e /proc/self/fd/9 ]] && printf 'holds the lock'
exit 7
"""


class Launcher:
    """A copy of the launcher with stand-ins for everything it calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clone = folder / "clone"
        self.tools = folder / "tools"
        (self.clone / "containers").mkdir(parents=True)
        (self.clone / ".git").mkdir()
        (self.clone / "containers" / "optional.txt").write_text(OPTIONAL)
        self.tools.mkdir()
        shutil.copy(ROOT / "amat", self.clone)
        toolchain = Path("src", "amat", "toolchain")
        (self.clone / toolchain).mkdir(parents=True)
        shutil.copy(ROOT / toolchain / "headers.txt", self.clone / toolchain)
        self.lock.write_text(LOCK)
        for project in (self.clone, self.clone / "packages" / "nestml-optimised"):
            project.mkdir(parents=True, exist_ok=True)
            (project / "pyproject.toml").write_text("[project]\n")
        for name in (*BASICS.split(), "cp", "ln", "sleep"):
            (self.tools / name).symlink_to(find(name))
        for name in ("cmake", "make", "git"):
            self.stand_in(name, FINE)
        self.stand_in("g++", COMPILER)
        self.stand_in("python3", PYTHON)
        (folder / "command").write_text(COMMAND)
        (folder / "command").chmod(0o755)

    @property
    def lock(self) -> Path:
        return self.clone / "containers" / "requirements.lock"

    @property
    def stamp(self) -> Path:
        return self.clone / ".venv" / "amat-stamp"

    def stand_in(self, name: str, body: str) -> None:
        path = self.tools / name
        path.unlink(missing_ok=True)
        path.write_text("#!/usr/bin/env bash\n" + (body.format(folder=self.folder) if body == PYTHON else body))
        path.chmod(0o755)

    def asked(self) -> list[str]:
        """Return the recorded calls of the stand-ins."""
        record = self.folder / "calls"
        return record.read_text().splitlines() if record.exists() else []

    def calls(self) -> list[str]:
        """Return and delete the recorded calls of the stand-ins."""
        lines = self.asked()
        (self.folder / "calls").unlink(missing_ok=True)
        return lines

    def start(
        self, *args: str, user: list[str] | None = None, cwd: Path | None = None, **environment: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*(user or []), str(self.clone / "amat"), *args],
            cwd=cwd or self.clone,
            env={"PATH": str(self.tools), "HOME": str(self.clone), "PYTHONPATH": "/somewhere", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(
        self, *args: str, user: list[str] | None = None, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        process = self.start(*args, user=user, cwd=cwd, **environment)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(args, process.returncode, out, err)


SET_UP = ["venv", "build tools", "packages", "editable"]


def find(name: str) -> str:
    path = shutil.which(name)
    assert path, f"this machine has no {name}"
    return path


def steps(calls: list[str]) -> list[str]:
    return [line for line in calls if line in SET_UP]


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "waited 30 s without success"
        time.sleep(0.02)


@pytest.fixture
def launcher() -> Iterator[Launcher]:
    # Other users, one of whom runs the launcher below, cannot enter pytest's tmp_path.
    with tempfile.TemporaryDirectory(prefix="amat-launcher-") as folder:
        Path(folder).chmod(0o755)
        yield Launcher(Path(folder).resolve())


@pytest.fixture
def ordinary_user(launcher: Launcher) -> list[str]:
    """The prefix of a command that runs it without root's rights; the clone belongs to that user."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("needs setpriv to give up root's rights")
    args = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"]
    if subprocess.run([*args, "test", "-x", str(launcher.clone / "amat")], capture_output=True).returncode:
        pytest.skip("setpriv cannot change the user here, or that user cannot read the temporary folder")
    for path in (launcher.folder, *launcher.clone.rglob("*"), launcher.clone):
        os.chown(path, 65534, 65534)
    return args


@pytest.mark.parametrize("args", [(), ("--help",), ("-h",), ("help",)])
def test_help_needs_no_set_up(launcher: Launcher, args: tuple[str, ...]) -> None:
    for tool in ("cmake", "make", "git", "g++", "python3"):
        (launcher.tools / tool).unlink()
    done = launcher.run(*args)
    assert done.returncode == 0
    assert done.stderr == ""
    listed = re.findall(r"[\w-]+", " ".join(re.findall(r"^  \./amat (.*?)  ", done.stdout, re.MULTILINE)))
    assert sorted(listed) == sorted(get_command(app).commands)
    assert "./amat help COMMAND" in done.stdout
    assert not (launcher.clone / ".venv").exists()
    assert not (launcher.clone / "build").exists()


def test_help_of_a_command_is_the_command_s(launcher: Launcher) -> None:
    assert launcher.run("help", "build").stdout == f"{launcher.clone}|2|help|build|unset|"


def test_completion_neither_sets_up_nor_prints_help(launcher: Launcher) -> None:
    done = launcher.run(_AMAT_COMPLETE="complete_bash")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert launcher.calls() == []
    launcher.run("build")
    assert launcher.run(_AMAT_COMPLETE="complete_bash").stdout == f"{launcher.clone}|0|unset|"


def test_first_command_sets_up_and_runs(launcher: Launcher) -> None:
    elsewhere = launcher.folder / "else where"
    elsewhere.mkdir()
    done = launcher.run("test", "-k", "a b", cwd=elsewhere)
    assert done.stdout == f"{elsewhere}|3|test|-k|a b|unset|"
    assert done.returncode == 7  # the status of the command
    calls = launcher.calls()
    assert steps(calls) == SET_UP
    # The build tools come from the lock as well, with their hashes.
    tools = calls[calls.index("build tools") + 1 : calls.index("packages")]
    assert [line.split()[0] for line in tools] == [
        "packaging==25.0",
        "--hash=sha256:01",
        "setuptools==84.2.1",
        "--hash=sha256:02",
        "wheel==0.48.0",
        "--hash=sha256:04",
    ]


def test_optional_groups_are_left_out(launcher: Launcher) -> None:
    launcher.run("build")
    calls = launcher.calls()
    everything = calls[calls.index("packages") + 1 : calls.index("editable")]
    assert [line for line in everything if line.strip()] == LOCK.splitlines()[1:]
    shutil.rmtree(launcher.clone / ".venv")
    assert launcher.run("build", AMAT_WITHOUT="extra").returncode == 7
    calls = launcher.calls()
    packages = calls[calls.index("packages") + 1 : calls.index("editable")]
    assert packages == [line for line in everything if not line.startswith("tools==") and "sha256:05" not in line]


def test_unknown_group_is_an_error_before_any_work(launcher: Launcher) -> None:
    done = launcher.run("build", AMAT_WITHOUT="extras")
    assert done.returncode == 1
    assert (
        "AMAT_WITHOUT names extras, which is not a group. The groups in containers/optional.txt are: extra"
        in done.stderr
    )
    assert launcher.calls() == []


def test_only_a_clone_needs_git(launcher: Launcher) -> None:
    (launcher.tools / "git").unlink()
    (launcher.clone / ".git").rmdir()
    assert launcher.run("build").returncode == 7


def test_second_command_repeats_nothing(launcher: Launcher) -> None:
    launcher.run("build")
    launcher.calls()
    done = launcher.run("build")
    assert (done.returncode, done.stderr) == (7, "")
    assert launcher.calls() == []


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("")], ids=["deleted", "truncated"])
def test_setup_repairs_a_damaged_environment(launcher: Launcher, damage: Callable[[Path], object]) -> None:
    launcher.run("setup")
    launcher.calls()
    damage(launcher.clone / ".venv" / "bin" / "numpy file")
    done = launcher.run("setup")
    assert done.returncode == 7
    assert "missing or have changed: bin/numpy file." in done.stderr
    assert steps(launcher.calls()) == SET_UP
    (launcher.clone / ".venv" / "bin" / "another file").touch()  # that a user added
    done = launcher.run("setup")
    assert (done.returncode, done.stderr) == (7, "")
    assert launcher.calls() == []


def test_changed_lock_rebuilds_the_environment(launcher: Launcher) -> None:
    launcher.run("build")
    launcher.calls()
    launcher.lock.write_text(LOCK.replace("2.4.6", "2.4.7"))
    assert launcher.run("build").returncode == 7
    assert steps(launcher.calls()) == SET_UP


def test_changed_project_is_reinstalled_without_its_packages(launcher: Launcher) -> None:
    launcher.run("build")
    launcher.calls()
    (launcher.clone / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    assert launcher.run("build").returncode == 7
    assert steps(launcher.calls()) == ["editable"]
    assert launcher.run("build").returncode == 7
    assert launcher.calls() == []


def test_moved_clone_rebuilds_the_environment(launcher: Launcher) -> None:
    launcher.run("build")
    launcher.calls()
    launcher.clone = launcher.clone.rename(launcher.folder / 'moved to $HOME "[here]')
    assert launcher.run("build").stdout.startswith(f"{launcher.clone}|1|build|")
    assert steps(launcher.calls()) == SET_UP
    assert launcher.run("setup").stderr == ""
    assert launcher.calls() == []


def test_removed_python_rebuilds_the_environment(launcher: Launcher) -> None:
    launcher.run("build")
    launcher.calls()
    (launcher.tools / "python3").rename(launcher.tools / "python3.12")
    assert launcher.run("build").returncode == 7
    assert steps(launcher.calls()) == SET_UP
    assert f"python {launcher.tools}/python3.12\n" in launcher.stamp.read_text()


def test_unsuitable_python_is_skipped(launcher: Launcher) -> None:
    (launcher.tools / "python3").rename(launcher.tools / "python3.11")
    launcher.stand_in("python3", "exit 1")  # as Debian's without python3-venv
    assert launcher.run("build").returncode == 7
    assert f"python {launcher.tools}/python3.11\n" in launcher.stamp.read_text()


@pytest.mark.parametrize("lock", [LOCK, LOCK.replace("2.4.6", "2.4.7")], ids=["as before", "changed"])
@pytest.mark.parametrize("step", SET_UP[1:])
def test_killed_set_up_starts_again(launcher: Launcher, step: str, lock: str) -> None:
    launcher.run("build")
    launcher.calls()
    launcher.lock.write_text(LOCK.replace("2.4.6", "2.4.7"))
    hold = launcher.folder / "hold"
    hold.write_text(step)
    process = launcher.start("build")
    wait_for(lambda: step in launcher.asked())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    hold.unlink()
    launcher.lock.write_text(lock)  # neither the former environment counts now, nor the incomplete one
    assert launcher.run("build").returncode == 7
    assert steps(launcher.calls()) == [*SET_UP[: SET_UP.index(step) + 1], *SET_UP]


def test_two_commands_set_up_once(launcher: Launcher) -> None:
    hold = launcher.folder / "hold"
    hold.write_text("packages")
    first = launcher.start("build")
    wait_for(lambda: "packages" in launcher.asked())
    second = launcher.start("validate")
    assert second.stderr is not None
    assert "waiting for another set-up" in second.stderr.readline()
    hold.unlink()
    assert "|build|" in first.communicate(timeout=60)[0]
    assert "|validate|" in second.communicate(timeout=60)[0]
    assert steps(launcher.calls()) == SET_UP


def test_failure_of_pip_is_reported_and_can_be_repeated(launcher: Launcher) -> None:
    (launcher.folder / "fail").touch()
    done = launcher.run("build")
    assert done.returncode not in (0, 7)
    assert "ERROR: the index does not answer" in done.stderr
    assert str(launcher.clone / "build" / "setup.log") in done.stderr
    assert "the same command" in done.stderr
    assert not launcher.stamp.exists()
    (launcher.folder / "fail").unlink()
    assert launcher.run("build").returncode == 7


@pytest.mark.parametrize(
    ("tool", "body", "package"),
    [
        ("g++", None, "g++"),
        ("g++", COMPILER_WITHOUT_GSL, "libgsl-dev"),
        ("cmake", None, "cmake"),
        ("make", "exit 1", "make"),  # present, but broken
        ("git", None, "git"),
    ],
)
def test_ordinary_user_gets_the_command(
    launcher: Launcher, ordinary_user: list[str], tool: str, body: str | None, package: str
) -> None:
    launcher.stand_in(tool, body or FINE)
    if body is None:
        (launcher.tools / tool).unlink()
    launcher.stand_in("apt-get", f"echo apt-get >>{launcher.folder}/calls")
    done = launcher.run("build", user=ordinary_user)
    assert done.returncode == 1
    assert done.stdout == ""
    command = next(line for line in done.stderr.splitlines() if "apt-get install" in line).split()
    assert command[:4] == ["sudo", "apt-get", "update", "&&"]
    packages = command[command.index("--no-install-recommends") + 1 :]
    assert package in packages
    assert set(packages) <= {package, *HEADER_PACKAGES}  # headers can only be found with a compiler
    assert launcher.calls() == []  # nothing was installed
    assert not (launcher.clone / ".venv").exists()


def test_unwritable_folder_is_an_error(launcher: Launcher, ordinary_user: list[str]) -> None:
    launcher.clone.chmod(0o555)
    done = launcher.run("build", user=ordinary_user)
    launcher.clone.chmod(0o755)
    assert done.returncode == 1
    assert f"cannot write to {launcher.clone}" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs system packages")
def test_root_installs_what_is_missing(launcher: Launcher) -> None:
    (launcher.tools / "cmake").unlink()
    launcher.stand_in("g++", COMPILER_WITHOUT_GSL)
    launcher.stand_in("dpkg", f'echo dpkg "$@" >>{launcher.folder}/calls')
    launcher.stand_in(
        "apt-get",
        f"""echo apt-get "$@" >>{launcher.folder}/calls
[[ $1 == install ]] || exit 0
ln -sf make {launcher.tools}/cmake
printf '#!/usr/bin/env bash\\n{COMPILER}\\n' >{launcher.tools}/g++
""",
    )
    assert launcher.run("build").returncode == 7
    calls = launcher.calls()
    assert calls[:2] == ["dpkg --configure -a", "apt-get update"]
    assert calls[2].startswith("apt-get install -y --no-install-recommends ")
    assert calls[2].endswith(" cmake libgsl-dev")
    assert steps(calls) == SET_UP
    (launcher.tools / "cmake").unlink()
    assert launcher.run("build").returncode == 7
    assert [line.split()[0] for line in launcher.calls()] == ["dpkg", "apt-get", "apt-get"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs system packages")
def test_failed_installation_is_reported(launcher: Launcher) -> None:
    (launcher.tools / "cmake").unlink()
    launcher.stand_in("dpkg", FINE)
    launcher.stand_in("apt-get", 'echo "E: no such mirror"; exit 100')
    done = launcher.run("build")
    assert done.returncode == 1
    assert "E: no such mirror" in done.stderr
    assert "apt-get could not install cmake" in done.stderr
    assert not (launcher.clone / ".venv").exists()
