# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The door ``./amat``: what it says, what it asks of the system, and when it makes ``.venv`` again.

A copy of the door runs in a folder of its own. Compiler, CMake, Python and apt are stand-ins that write down how they
were called, and PATH holds nothing else but the basic commands of every Debian: no network, no installation, and
the same on every machine. The stand-in for pip makes a stand-in for the ``amat`` command.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# All that the door may use of the system before it has installed anything.
BASICS = "awk bash cat cut df dirname env flock mkdir mv readlink rm sed sha256sum tail"
COMMANDS = ("reproduce", "test", "build", "validate", "book", "setup")

LOCK = """\
# made by a tool
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
# made by a tool
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


class Door:
    """A copy of the door beside stand-ins for everything it calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clone = folder / "clone"
        self.tools = folder / "tools"
        (self.clone / "containers").mkdir(parents=True)
        (self.clone / ".git").mkdir()
        (self.clone / "containers" / "optional.txt").write_text(OPTIONAL)
        self.tools.mkdir()
        shutil.copy(ROOT / "amat", self.clone)
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
        """Return what the stand-ins were asked to do."""
        record = self.folder / "calls"
        return record.read_text().splitlines() if record.exists() else []

    def calls(self) -> list[str]:
        """Return what the stand-ins were asked to do, and forget it."""
        lines = self.asked()
        (self.folder / "calls").unlink(missing_ok=True)
        return lines

    def start(
        self, *words: str, user: list[str] | None = None, cwd: Path | None = None, **environment: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*(user or []), str(self.clone / "amat"), *words],
            cwd=cwd or self.clone,
            env={"PATH": str(self.tools), "HOME": str(self.clone), "PYTHONPATH": "/somewhere", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(
        self, *words: str, user: list[str] | None = None, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        process = self.start(*words, user=user, cwd=cwd, **environment)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(words, process.returncode, out, err)


SET_UP = ["venv", "build tools", "packages", "editable"]


def find(name: str) -> str:
    path = shutil.which(name)
    assert path, f"{name} is not on this machine"
    return path


def steps(calls: list[str]) -> list[str]:
    return [line for line in calls if line in SET_UP]


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "waited 30 s in vain"
        time.sleep(0.02)


@pytest.fixture
def door() -> Iterator[Door]:
    # Not pytest's tmp_path: that is closed to other users, one of whom runs the door below.
    with tempfile.TemporaryDirectory(prefix="amat-door-") as folder:
        Path(folder).chmod(0o755)
        yield Door(Path(folder).resolve())


@pytest.fixture
def ordinary_user(door: Door) -> list[str]:
    """The words before a command that run it without root's rights; the clone is given to that user."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("needs setpriv to give up root's rights")
    words = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"]
    if subprocess.run([*words, "test", "-x", str(door.clone / "amat")], capture_output=True).returncode:
        pytest.skip("setpriv may not change the user here, or that user cannot read the temporary folder")
    for path in (door.folder, *door.clone.rglob("*"), door.clone):
        os.chown(path, 65534, 65534)
    return words


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_help_needs_no_set_up(door: Door, words: tuple[str, ...]) -> None:
    for tool in ("cmake", "make", "git", "g++", "python3"):
        (door.tools / tool).unlink()
    done = door.run(*words)
    assert done.returncode == 0
    assert done.stderr == ""
    for command in COMMANDS:
        assert f"./amat {command} " in done.stdout
    assert "./amat COMMAND --help" in done.stdout
    assert sorted(path.name for path in door.clone.iterdir()) == [
        ".git",
        "amat",
        "containers",
        "packages",
        "pyproject.toml",
    ]


def test_first_command_sets_up_and_hands_over(door: Door) -> None:
    elsewhere = door.folder / "else where"
    elsewhere.mkdir()
    done = door.run("test", "-k", "a b", cwd=elsewhere)
    assert done.stdout == f"{elsewhere}|3|test|-k|a b|unset|"
    assert done.returncode == 7  # the command's own
    calls = door.calls()
    assert steps(calls) == SET_UP
    # What the source packages are built with comes out of the lock too, hashes included.
    tools = calls[calls.index("build tools") + 1 : calls.index("packages")]
    assert [line.split()[0] for line in tools] == [
        "packaging==25.0",
        "--hash=sha256:01",
        "setuptools==84.2.1",
        "--hash=sha256:02",
        "wheel==0.48.0",
        "--hash=sha256:04",
    ]


def test_groups_of_packages_can_be_left_out(door: Door) -> None:
    door.run("build")
    calls = door.calls()
    everything = calls[calls.index("packages") + 1 : calls.index("editable")]
    assert [line for line in everything if line.strip()] == LOCK.splitlines()[1:]
    shutil.rmtree(door.clone / ".venv")
    assert door.run("build", AMAT_WITHOUT="extra").returncode == 7
    calls = door.calls()
    packages = calls[calls.index("packages") + 1 : calls.index("editable")]
    assert packages == [line for line in everything if not line.startswith("tools==") and "sha256:05" not in line]


def test_an_unknown_group_is_told_before_any_work(door: Door) -> None:
    done = door.run("build", AMAT_WITHOUT="extras")
    assert done.returncode == 1
    assert "AMAT_WITHOUT names extras, and the groups in containers/optional.txt are: extra" in done.stderr
    assert door.calls() == []


def test_only_a_clone_needs_git(door: Door) -> None:
    (door.tools / "git").unlink()
    (door.clone / ".git").rmdir()
    assert door.run("build").returncode == 7


def test_second_command_does_nothing_again(door: Door) -> None:
    door.run("build")
    door.calls()
    done = door.run("build")
    assert (done.returncode, done.stderr) == (7, "")
    assert door.calls() == []


def test_changed_lock_makes_the_environment_anew(door: Door) -> None:
    door.run("build")
    door.calls()
    door.lock.write_text(LOCK.replace("2.4.6", "2.4.7"))
    assert door.run("build").returncode == 7
    assert steps(door.calls()) == SET_UP


def test_changed_project_is_installed_again_without_its_packages(door: Door) -> None:
    door.run("build")
    door.calls()
    (door.clone / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    assert door.run("build").returncode == 7
    assert steps(door.calls()) == ["editable"]
    assert door.run("build").returncode == 7
    assert door.calls() == []


def test_moved_clone_makes_the_environment_anew(door: Door) -> None:
    door.run("build")
    door.calls()
    door.clone = door.clone.rename(door.folder / "moved here")
    assert door.run("build").stdout.startswith(f"{door.clone}|1|build|")
    assert steps(door.calls()) == SET_UP


def test_python_that_went_away_makes_the_environment_anew(door: Door) -> None:
    door.run("build")
    door.calls()
    (door.tools / "python3").rename(door.tools / "python3.12")
    assert door.run("build").returncode == 7
    assert steps(door.calls()) == SET_UP
    assert f"python {door.tools}/python3.12\n" in door.stamp.read_text()


def test_unsuitable_python_is_passed_over(door: Door) -> None:
    (door.tools / "python3").rename(door.tools / "python3.11")
    door.stand_in("python3", "exit 1")  # as Debian's without python3-venv
    assert door.run("build").returncode == 7
    assert f"python {door.tools}/python3.11\n" in door.stamp.read_text()


@pytest.mark.parametrize("lock", [LOCK, LOCK.replace("2.4.6", "2.4.7")], ids=["as before", "changed"])
@pytest.mark.parametrize("step", SET_UP[1:])
def test_killed_set_up_is_done_again(door: Door, step: str, lock: str) -> None:
    door.run("build")
    door.calls()
    door.lock.write_text(LOCK.replace("2.4.6", "2.4.7"))
    hold = door.folder / "hold"
    hold.write_text(step)
    process = door.start("build")
    wait_for(lambda: step in door.asked())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    hold.unlink()
    door.lock.write_text(lock)  # neither what was complete before counts now, nor what is half made
    assert door.run("build").returncode == 7
    assert steps(door.calls()) == [*SET_UP[: SET_UP.index(step) + 1], *SET_UP]


def test_two_doors_set_up_once(door: Door) -> None:
    hold = door.folder / "hold"
    hold.write_text("packages")
    first = door.start("build")
    wait_for(lambda: "packages" in door.asked())
    second = door.start("validate")
    assert second.stderr is not None
    assert "waiting for another set-up" in second.stderr.readline()
    hold.unlink()
    assert "|build|" in first.communicate(timeout=60)[0]
    assert "|validate|" in second.communicate(timeout=60)[0]
    assert steps(door.calls()) == SET_UP


def test_failing_pip_is_told_and_can_be_repeated(door: Door) -> None:
    (door.folder / "fail").touch()
    done = door.run("build")
    assert done.returncode not in (0, 7)
    assert "ERROR: the index does not answer" in done.stderr
    assert str(door.clone / "build" / "setup.log") in done.stderr
    assert "the same command" in done.stderr
    assert not door.stamp.exists()
    (door.folder / "fail").unlink()
    assert door.run("build").returncode == 7


@pytest.mark.parametrize(
    ("tool", "body", "package"),
    [
        ("g++", None, "g++"),
        ("g++", COMPILER_WITHOUT_GSL, "libgsl-dev"),
        ("cmake", None, "cmake"),
        ("make", "exit 1", "make"),  # there, but broken
        ("git", None, "git"),
    ],
)
def test_ordinary_user_is_told_the_command(
    door: Door, ordinary_user: list[str], tool: str, body: str | None, package: str
) -> None:
    door.stand_in(tool, body or FINE)
    if body is None:
        (door.tools / tool).unlink()
    door.stand_in("apt-get", f"echo apt-get >>{door.folder}/calls")
    done = door.run("build", user=ordinary_user)
    assert done.returncode == 1
    assert done.stdout == ""
    command = next(line for line in done.stderr.splitlines() if "apt-get install" in line).split()
    assert command[:4] == ["sudo", "apt-get", "update", "&&"]
    packages = command[command.index("--no-install-recommends") + 1 :]
    assert package in packages
    assert set(packages) <= {package, *HEADER_PACKAGES}  # headers can only be looked for with a compiler
    assert door.calls() == []  # nothing was installed, nothing made
    assert not (door.clone / ".venv").exists()


def test_folder_that_cannot_be_written_is_told(door: Door, ordinary_user: list[str]) -> None:
    door.clone.chmod(0o555)
    done = door.run("build", user=ordinary_user)
    door.clone.chmod(0o755)
    assert done.returncode == 1
    assert f"cannot write in {door.clone}" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs system packages")
def test_root_installs_what_is_missing(door: Door) -> None:
    (door.tools / "cmake").unlink()
    door.stand_in("g++", COMPILER_WITHOUT_GSL)
    door.stand_in("dpkg", f'echo dpkg "$@" >>{door.folder}/calls')
    door.stand_in(
        "apt-get",
        f"""echo apt-get "$@" >>{door.folder}/calls
[[ $1 == install ]] || exit 0
ln -sf make {door.tools}/cmake
printf '#!/usr/bin/env bash\\n{COMPILER}\\n' >{door.tools}/g++
""",
    )
    assert door.run("build").returncode == 7
    calls = door.calls()
    assert calls[:2] == ["dpkg --configure -a", "apt-get update"]
    assert calls[2].startswith("apt-get install -y --no-install-recommends ")
    assert calls[2].endswith(" cmake libgsl-dev")
    assert steps(calls) == SET_UP
    (door.tools / "cmake").unlink()
    assert door.run("build").returncode == 7
    assert [line.split()[0] for line in door.calls()] == ["dpkg", "apt-get", "apt-get"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root installs system packages")
def test_failed_installation_is_told(door: Door) -> None:
    (door.tools / "cmake").unlink()
    door.stand_in("dpkg", FINE)
    door.stand_in("apt-get", 'echo "E: no such mirror"; exit 100')
    done = door.run("build")
    assert done.returncode == 1
    assert "E: no such mirror" in done.stderr
    assert "apt-get could not install cmake" in done.stderr
    assert not (door.clone / ".venv").exists()
