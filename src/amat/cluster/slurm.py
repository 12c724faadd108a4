# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Slurm on one machine: a controller and virtual nodes on loopback, without cgroups or a database of accounts.

Function is what can be tested so, never speed: the nodes share the cores of the machine.

Daemons are children of this process. They end with it, also where it is killed, and are stopped by their process
numbers. Whatever they start carries a mark in its environment, by which it is found again.
"""

import contextlib
import getpass
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType

from filelock import FileLock, Timeout

from amat.cluster.errors import ClusterError
from amat.files import write_text

__all__ = ["DAEMONS", "PARTITION", "Slurm", "configuration", "running_slurm"]

#: The programs that are needed, with Debian's packages.
DAEMONS = {
    "munged": "munge",
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "sbatch": "slurm-client",
}
PARTITION = "batch"

#: Where Slurm looks when nothing in its environment says otherwise; engines that clear SLURM_* from a job's environment
#: leave its commands no other place.
DEFAULT_CONFIGURATION = Path("/etc/slurm/slurm.conf")

_MARK = "AMAT_SLURM"
_NODE_MARK = "AMAT_SLURM_NODE"
_LOCK = "owner.lock"
_FIRST_LINE = "# Made by amat.cluster: a cluster on one machine, for tests."
#: Longest path of a socket that Linux takes, with room for the names that Slurm adds.
_LONGEST_FOLDER = 60
#: Seconds
_PATIENCE = 60
#: After so many seconds of silence a node counts as down.
_NODE_TIMEOUT = 10


def configuration(
    folder: Path, *, nodes: int, cpus: int, memory: int, ports: list[int], user: str, version: tuple[int, int]
) -> dict[str, str]:
    """Return the text of Slurm's configuration files by their names.

    Parameters
    ----------
    folder : pathlib.Path
        Of sockets, logs and state.
    nodes, cpus : int
        How many nodes, and processors of each.
    memory : int
        Of each node, MB.
    ports : list of int
        The controller's, and one for each node.
    user : str
        Who runs all of it.
    version : tuple of int
        Slurm's, since its words for "no cgroups" changed.
    """
    lines = [
        _FIRST_LINE,
        "ClusterName=local",
        "SlurmctldHost=localhost(127.0.0.1)",
        f"SlurmUser={user}",
        f"SlurmdUser={user}",
        "AuthType=auth/munge",
        f"AuthInfo=socket={folder}/munge.socket",
        f"SlurmctldPort={ports[0]}",
        # Nothing listens beyond loopback.
        "CommunicationParameters=NoCtldInAddrAny,NoInAddrAny",
        f"StateSaveLocation={folder}/state",
        f"SlurmdSpoolDir={folder}/spool-%n",
        f"SlurmctldPidFile={folder}/slurmctld.pid",
        f"SlurmdPidFile={folder}/slurmd-%n.pid",
        f"SlurmctldLogFile={folder}/slurmctld.log",
        f"SlurmdLogFile={folder}/slurmd-%n.log",
        # Declared processors need not be there.
        "SlurmdParameters=config_overrides",
        "ProctrackType=proctrack/linuxproc",
        "TaskPlugin=task/none",
        # PMIx of two nodes on one machine must not share its files.
        f"TmpFS={folder}/tmp-%n",
        "JobAcctGatherType=jobacct_gather/none",
        "SelectType=select/cons_tres",
        "SelectTypeParameters=CR_Core_Memory",
        "SchedulerType=sched/backfill",
        "SchedulerParameters=sched_interval=2,bf_interval=2",
        "MpiDefault=pmix",
        # Whoever submitted a job that its node took along hears of it at once, and starts it again.
        "JobRequeue=0",
        # A node that is back takes jobs again without an administrator.
        "ReturnToService=2",
        "SlurmctldTimeout=30",
        f"SlurmdTimeout={_NODE_TIMEOUT}",
        # Without accounting, only what the controller remembers tells of finished jobs.
        "MinJobAge=86400",
        "MailProg=/bin/true",
    ]
    for number, port in enumerate(ports[1:], 1):
        lines.append(
            f"NodeName=n{number} NodeHostname=localhost NodeAddr=127.0.0.1 Port={port} CPUs={cpus} Sockets=1 "
            f"CoresPerSocket={cpus} ThreadsPerCore=1 RealMemory={memory} State=UNKNOWN"
        )
    lines.append(f"PartitionName={PARTITION} Nodes=n[1-{nodes}] Default=YES MaxTime=04:00:00 DefMemPerCPU=256 State=UP")
    cgroup = "CgroupPlugin=disabled" if version >= (23, 11) else "CgroupPlugin=cgroup/v1\nCgroupAutomount=no"
    return {"slurm.conf": "\n".join(lines) + "\n", "cgroup.conf": cgroup + "\n"}


class Slurm:
    """A running Slurm; `running_slurm` makes one.

    Parameters
    ----------
    folder : pathlib.Path
        Of sockets, logs and state.
    nodes, cpus : int
        How many nodes, named n1, n2, ..., and processors of each.
    """

    def __init__(self, folder: Path, nodes: int, cpus: int) -> None:
        if len(str(folder)) > _LONGEST_FOLDER:
            raise ClusterError(
                f"{folder} is too long a name for sockets below it: choose a folder of {_LONGEST_FOLDER} characters."
            )
        self.folder = folder
        self.nodes = [f"n{number}" for number in range(1, nodes + 1)]
        self.cpus = cpus
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def environment(self) -> dict[str, str]:
        """Variables for everything that is to run on this cluster, jobs among them."""
        return {
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            _MARK: str(self.folder),
            # Ranks on two virtual nodes take each other for neighbours and fail in shared memory; and what MPI says
            # stays on this machine.
            "OMPI_MCA_btl": "tcp,self",
            "OMPI_MCA_btl_tcp_if_include": "lo",
            "OMPI_MCA_hwloc_base_binding_policy": "none",
            "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        }

    def run(self, *words: str, check: bool = True, timeout: float = _PATIENCE) -> str:
        """Run a command of Slurm's on this cluster, and return what it printed."""
        environment = {**os.environ, **self.environment}
        try:
            result = subprocess.run(
                words, check=False, capture_output=True, text=True, timeout=timeout, env=environment
            )
        except subprocess.TimeoutExpired:
            raise ClusterError(f"{' '.join(words)} gave no answer in {timeout:g} s. {self._logs()}") from None
        if check and result.returncode:
            raise ClusterError(
                f"{' '.join(words)} failed with status {result.returncode}:\n{result.stdout}{result.stderr}"
            )
        return result.stdout

    def start(self) -> None:
        """Start all daemons, and wait until the nodes take jobs."""
        for program, package in DAEMONS.items():
            if shutil.which(program, path=_search_path()) is None:
                raise ClusterError(f"{program} is missing: apt-get install {package} (Debian and Ubuntu).")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)  # munged refuses a socket in a folder that others can write in
        files = configuration(
            self.folder,
            nodes=len(self.nodes),
            cpus=self.cpus,
            memory=_memory() // len(self.nodes),
            ports=_free_ports(1 + len(self.nodes)),
            user=getpass.getuser(),
            version=_version(),
        )
        for name, text in files.items():
            write_text(self.folder / name, text)
        (self.folder / "state").mkdir(exist_ok=True)
        key = self.folder / "munge.key"
        key.touch(0o600)
        key.write_bytes(secrets.token_bytes(1024))
        self._start(
            "munged",
            *("munged", "--foreground", "--force", f"--key-file={key}", f"--socket={self.folder}/munge.socket"),
            *(f"--pid-file={self.folder}/munged.pid", f"--seed-file={self.folder}/munged.seed"),
            f"--log-file={self.folder}/munged.log",
        )
        self._wait(lambda: (self.folder / "munge.socket").exists(), "munged opens its socket")
        self._start("slurmctld", "slurmctld", "-D", "-f", str(self.folder / "slurm.conf"))
        for node in self.nodes:
            self.start_node(node)
        self._wait(lambda: self.idle_nodes() == len(self.nodes), f"{len(self.nodes)} nodes are idle")

    def start_node(self, node: str) -> None:
        """Start a node's daemon, at first or again."""
        (self.folder / f"tmp-{node}").mkdir(exist_ok=True)
        (self.folder / f"spool-{node}").mkdir(exist_ok=True)
        command = ("slurmd", "-D", "-f", str(self.folder / "slurm.conf"), "-N", node)
        self._start(f"slurmd-{node}", *command, **{_NODE_MARK: node})

    def kill_node(self, node: str) -> None:
        """Let a node die as by loss of power: its daemon, and all of its jobs."""
        daemon = self._daemons.pop(f"slurmd-{node}")
        daemon.kill()
        daemon.wait()
        marks = ({_MARK: str(self.folder), _NODE_MARK: node}, {_MARK: str(self.folder), "SLURMD_NODENAME": node})
        for mark in marks:
            for process in _marked(mark):
                _signal(process, signal.SIGKILL)

    def idle_nodes(self) -> int:
        """Return how many nodes are free, by what the controller knows."""
        try:
            shown = self.run("sinfo", "--noheader", "--states=idle", "--format=%D", check=False, timeout=15)
        except ClusterError:
            return 0
        return sum(int(number) for number in re.findall(r"^\s*(\d+)\s*$", shown, re.MULTILINE))

    def jobs(self, *states: str) -> list[dict[str, str]]:
        """Return the jobs that the controller knows: id, state, node list, comment and restarts of each."""
        keys = ("JobID", "State", "NodeList", "Comment", "RestartCnt")
        words = ["squeue", "--noheader", f"--states={','.join(states) or 'all'}"]
        shown = self.run(*words, "--Format=" + ",".join(f"{key}:|" for key in keys))
        rows = (line.split("|") for line in shown.splitlines() if line)
        return [{key: value.strip() for key, value in zip(keys, row, strict=False)} for row in rows]

    def stop(self) -> None:
        """Cancel all jobs, and stop all that was started, by process number."""
        if self._alive("slurmctld"):
            with contextlib.suppress(ClusterError):
                self.run("scancel", f"--user={getpass.getuser()}", check=False, timeout=15)
                self._wait(lambda: not self.jobs("RUNNING", "COMPLETING"), "jobs end", patience=10)
        for name in reversed(list(self._daemons)):
            daemon = self._daemons.pop(name)
            if daemon.poll() is None:
                daemon.terminate()
                try:
                    daemon.wait(10)
                except subprocess.TimeoutExpired:
                    daemon.kill()
                    daemon.wait()
        _end_marked(self.folder)

    def _start(self, name: str, *command: str, **environment: str) -> None:
        log = self.folder / f"{name}.out"
        with log.open("ab") as out:
            self._daemons[name] = subprocess.Popen(
                # The system ends it when this process is gone, whatever ended that.
                ["setpriv", "--pdeathsig", "TERM", *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment, **environment, "PATH": _search_path()},
                start_new_session=True,  # Ctrl-C is for this process, which stops them in order
            )

    def _alive(self, name: str) -> bool:
        return name in self._daemons and self._daemons[name].poll() is None

    def _wait(self, reached: Callable[[], bool], what: str, patience: float = _PATIENCE) -> None:
        end = time.monotonic() + patience
        while not reached():
            for name, daemon in self._daemons.items():
                if daemon.poll() is not None:
                    raise ClusterError(f"{name} ended with status {daemon.returncode}. {self._logs(name)}")
            if time.monotonic() > end:
                raise ClusterError(f"Waited {patience:g} s until {what}. {self._logs()}")
            time.sleep(0.2)

    def _logs(self, *names: str) -> str:
        """Return the ends of the daemons' logs."""
        parts = []
        for name in names or ("slurmctld", *(f"slurmd-{node}" for node in self.nodes)):
            for ending in (".log", ".out"):
                path = self.folder / f"{name}{ending}"
                if path.is_file() and (lines := path.read_text(errors="replace").splitlines()[-5:]):
                    parts.append(f"The end of {path}:\n  " + "\n  ".join(lines))
                    break
        return "\n".join(parts)


@contextlib.contextmanager
def running_slurm(folder: Path, *, nodes: int = 2, cpus: int = 2) -> Iterator[Slurm]:
    """Run a Slurm as long as the block lasts; stopped whatever ends it, SIGINT and SIGTERM among that.

    Parameters
    ----------
    folder : pathlib.Path
        Of sockets, logs and state; its name must be short.
    nodes, cpus : int
        How many nodes, and processors of each.

    Yields
    ------
    Slurm

    Raises
    ------
    ClusterError
        If a program is missing, another cluster is configured on this machine, or the nodes do not come up.
    """
    slurm = Slurm(folder, nodes, cpus)
    folder.mkdir(parents=True, exist_ok=True)
    # The system gives the lock back when this process is gone: whether a cluster still has an owner can be told by it.
    with FileLock(folder / _LOCK), _default_configuration(folder / "slurm.conf"), _terminated():
        try:
            slurm.start()
            yield slurm
        finally:
            slurm.stop()


@contextlib.contextmanager
def _default_configuration(target: Path, link: Path = DEFAULT_CONFIGURATION) -> Iterator[None]:
    """Have Slurm's default configuration lead to ours for a while; someone else's is left alone."""
    if link.is_symlink() and not link.exists():
        link.unlink()  # of a cluster whose folder is gone
    elif link.exists():
        if not _abandoned(link):
            raise ClusterError(
                f"{link} is there: this machine belongs to a cluster, or another test of this kind runs. "
                "Wait for that one, or use a machine or container without Slurm's configuration."
            )
        _end_marked(link.resolve().parent)
        link.unlink()
    try:
        made = not link.parent.is_dir()
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(target)
    except OSError as error:
        raise ClusterError(
            f"{link} cannot be made: {error.strerror}. Run this as root, in a container for one."
        ) from error
    try:
        yield
    finally:
        if link.is_symlink() and link.readlink() == target:
            link.unlink()
        if made:
            with contextlib.suppress(OSError):
                link.parent.rmdir()


def _abandoned(link: Path) -> bool:
    """Tell whether a configuration is that of a test which was killed."""
    if not (link.is_symlink() and link.read_text(errors="replace").startswith(_FIRST_LINE)):
        return False
    try:
        with FileLock(link.resolve().with_name(_LOCK), timeout=0):
            return True
    except Timeout:
        return False


@contextlib.contextmanager
def _terminated() -> Iterator[None]:
    """Let SIGTERM end the block as an exception does."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _marked(marks: Mapping[str, str]) -> Iterator[int]:
    """Yield the processes that have all these variables in their environment, but for this one."""
    wanted = {f"{name}={value}".encode() for name, value in marks.items()}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with contextlib.suppress(OSError):
                if wanted <= set((folder / "environ").read_bytes().split(b"\0")):
                    yield int(folder.name)


def _end_marked(folder: Path) -> None:
    """End whatever a cluster has started and not ended."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        left = list(_marked({_MARK: str(folder)}))
        for process in left:
            _signal(process, number)
        if left:
            time.sleep(1)


def _signal(process: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _search_path() -> str:
    """Return PATH with the folders of daemons."""
    return f"{os.environ.get('PATH', '')}{os.pathsep}/usr/local/sbin{os.pathsep}/usr/sbin{os.pathsep}/sbin"


def _version() -> tuple[int, int]:
    words = ["slurmd", "-V"]  # the others ask for a configuration first
    shown = subprocess.run(words, check=True, capture_output=True, text=True, env={"PATH": _search_path()}).stdout
    found = re.search(r"(\d+)\.(\d+)", shown)
    if found is None:
        raise ClusterError(f"slurmd -V says {shown.strip()!r}: Slurm's version could not be read from it.")
    return int(found[1]), int(found[2])


def _memory() -> int:
    """Return the machine's memory in MB, but for a part of its own."""
    return int(0.8 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20)


def _free_ports(number: int) -> list[int]:
    """Return ports of loopback that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
