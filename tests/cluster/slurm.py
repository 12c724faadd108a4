# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A Slurm on one machine: a controller and virtual nodes on the loopback interface, without cgroups or accounting.

The nodes share the cores of the machine: such a cluster tests function, never speed.

The daemons are children of this process and end with it, even when it is killed. Everything that they start carries
a variable in its environment by which a later run finds and ends the processes of a killed one.
"""

import contextlib
import getpass
import os
import re
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from filelock import FileLock, Timeout
from rig import run, system_path

#: The required programs and their Debian packages.
DAEMONS = {"munged": "munge", "slurmctld": "slurmctld", "slurmd": "slurmd", "sbatch": "slurm-client"}
PARTITION = "batch"

#: Where Slurm's commands look for the configuration if SLURM_CONF is unset. Snakemake clears SLURM_* in its jobs, which
#: leaves the commands no other place.
DEFAULT_CONFIGURATION = Path("/etc/slurm/slurm.conf")

_MARK = "AMAT_SLURM"
_NODE_MARK = "AMAT_SLURM_NODE"
_LOCK = "owner.lock"
_FIRST_LINE = "# Written by the tests of the AMAT compendium: a cluster on one machine."
#: Seconds without an answer after which Slurm takes a node for down.
_NODE_TIMEOUT = 10


class ClusterError(Exception):
    """The cluster could not be started, or a command of it failed."""


def configuration(folder: Path, *, nodes: int, cpus: int, version: tuple[int, int]) -> dict[str, str]:
    """Return the text of Slurm's configuration files by name.

    `folder` takes sockets, logs and state; `version` is Slurm's, because the setting for "no cgroups" changed.
    """
    ports = _free_ports(1 + nodes)
    memory = int(0.8 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20) // nodes
    user = getpass.getuser()
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
        # More processors may be declared than the machine has.
        "SlurmdParameters=config_overrides",
        "ProctrackType=proctrack/linuxproc",
        "TaskPlugin=task/none",
        # PMIx fails if two nodes share its files.
        f"TmpFS={folder}/tmp-%n",
        "JobAcctGatherType=jobacct_gather/none",
        "SelectType=select/cons_tres",
        "SelectTypeParameters=CR_Core_Memory",
        "SchedulerType=sched/backfill",
        "SchedulerParameters=sched_interval=2,bf_interval=2",
        "MpiDefault=pmix",
        # A job whose node fails is reported to its submitter, which decides whether to start it again.
        "JobRequeue=0",
        # A node that returns accepts jobs without an administrator.
        "ReturnToService=2",
        "SlurmctldTimeout=30",
        f"SlurmdTimeout={_NODE_TIMEOUT}",
        # Without accounting, only the controller knows finished jobs.
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
    """A running Slurm with the nodes n1, n2, …; made by `running_slurm`."""

    def __init__(self, folder: Path, nodes: int, cpus: int) -> None:
        self.folder = folder
        self.nodes = [f"n{number}" for number in range(1, nodes + 1)]
        self.cpus = cpus
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of everything that runs on this cluster, including its jobs."""
        return {
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            _MARK: str(self.folder),
            # Ranks on two virtual nodes are on one machine and would fail with shared memory. MPI stays on loopback.
            "OMPI_MCA_btl": "tcp,self",
            "OMPI_MCA_btl_tcp_if_include": "lo",
            "OMPI_MCA_hwloc_base_binding_policy": "none",
            "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        }

    def run(self, *args: str, check: bool = True, timeout: float = 60) -> str:
        """Run one of Slurm's commands on this cluster, and return its output."""
        done = run(*args, env={**os.environ, **self.environment}, timeout=timeout, check=check)
        return done.output

    def start(self) -> None:
        """Start all daemons, and wait until the nodes accept jobs."""
        self.folder.chmod(0o755)  # munged refuses a socket in a folder that others can write to
        files = configuration(self.folder, nodes=len(self.nodes), cpus=self.cpus, version=_version())
        for name, text in files.items():
            (self.folder / name).write_text(text)
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
        """Start or restart a node's daemon."""
        (self.folder / f"tmp-{node}").mkdir(exist_ok=True)
        (self.folder / f"spool-{node}").mkdir(exist_ok=True)
        command = ("slurmd", "-D", "-f", str(self.folder / "slurm.conf"), "-N", node)
        self._start(f"slurmd-{node}", *command, **{_NODE_MARK: node})

    def kill_node(self, node: str) -> None:
        """Kill a node's daemon and all of its jobs, as a loss of power would."""
        daemon = self._daemons.pop(f"slurmd-{node}")
        daemon.kill()
        daemon.wait()
        marks = ({_MARK: str(self.folder), _NODE_MARK: node}, {_MARK: str(self.folder), "SLURMD_NODENAME": node})
        for mark in marks:
            for process in _marked(mark):
                _signal(process, signal.SIGKILL)

    def idle_nodes(self) -> int:
        """Return the number of idle nodes that the controller reports."""
        shown = self.run("sinfo", "--noheader", "--states=idle", "--format=%D", check=False, timeout=30)
        return sum(int(number) for number in re.findall(r"^\s*(\d+)\s*$", shown, re.MULTILINE))

    def jobs(self, *states: str) -> list[dict[str, str]]:
        """Return the ID, state, node list and comment of each job that the controller knows."""
        keys = ("JobID", "State", "NodeList", "Comment")
        args = ["squeue", "--noheader", f"--states={','.join(states) or 'all'}"]
        shown = self.run(*args, "--Format=" + ",".join(f"{key}:|" for key in keys))
        rows = (line.split("|") for line in shown.splitlines() if line)
        return [{key: value.strip() for key, value in zip(keys, row, strict=False)} for row in rows]

    def stop(self) -> None:
        """Cancel all jobs, and stop everything that was started."""
        if self._alive("slurmctld"):
            self.run("scancel", f"--user={getpass.getuser()}", check=False)
            with contextlib.suppress(ClusterError):
                self._wait(lambda: not self.jobs("RUNNING", "COMPLETING"), "the jobs end", timeout=10)
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
                # The kernel ends the daemon when this process ends for any reason.
                ["setpriv", "--pdeathsig", "TERM", *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment, **environment, "PATH": system_path()},
                start_new_session=True,  # Ctrl-C reaches this process alone, which stops the daemons in order
            )

    def _alive(self, name: str) -> bool:
        return name in self._daemons and self._daemons[name].poll() is None

    def _wait(self, reached: Callable[[], bool], event: str, timeout: float = 60) -> None:
        end = time.monotonic() + timeout
        while not reached():
            for name, daemon in self._daemons.items():
                if daemon.poll() is not None:
                    raise ClusterError(f"{name} ended with status {daemon.returncode}. {self._logs(name)}")
            if time.monotonic() > end:
                raise ClusterError(f"Waited {timeout:g} s until {event}. {self._logs()}")
            time.sleep(0.2)

    def _logs(self, *names: str) -> str:
        """Return the last lines of the daemons' logs."""
        parts = []
        for name in names or ("slurmctld", *(f"slurmd-{node}" for node in self.nodes)):
            for ending in (".log", ".out"):
                path = self.folder / f"{name}{ending}"
                if path.is_file() and (lines := path.read_text(errors="replace").splitlines()[-5:]):
                    parts.append(f"The end of {path}:\n  " + "\n  ".join(lines))
                    break
        return "\n".join(parts)


@contextlib.contextmanager
def running_slurm(folder: Path, *, nodes: int, cpus: int) -> Iterator[Slurm]:
    """Run a Slurm of `nodes` nodes with `cpus` processors each while the block lasts.

    The name of `folder`, which takes sockets, logs and state, must be short. Raises `ClusterError` if another cluster
    is configured on this machine, or if the nodes do not come up.
    """
    slurm = Slurm(folder, nodes, cpus)
    folder.mkdir(parents=True, exist_ok=True)
    # The kernel releases the lock when this process ends, which tells other runs that the cluster has no owner.
    with FileLock(folder / _LOCK), default_configuration(folder / "slurm.conf"):
        try:
            slurm.start()
            yield slurm
        finally:
            slurm.stop()


@contextlib.contextmanager
def default_configuration(target: Path, link: Path = DEFAULT_CONFIGURATION) -> Iterator[None]:
    """Link Slurm's default configuration to ours while the block lasts; leave the one of another cluster alone."""
    if link.is_symlink() and not link.exists():
        link.unlink()  # left by a cluster whose folder is gone
    elif link.exists():
        if not _abandoned(link):
            raise ClusterError(
                f"{link} exists: this machine belongs to a cluster, or another run of these tests is active. "
                "Wait for that run, or use a machine or container without a configuration of Slurm."
            )
        _end_marked(link.resolve().parent)
        link.unlink()
    made = not link.parent.is_dir()
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(target)
    try:
        yield
    finally:
        if link.is_symlink() and link.readlink() == target:
            link.unlink()
        if made:
            with contextlib.suppress(OSError):
                link.parent.rmdir()


def _abandoned(link: Path) -> bool:
    """Tell whether a configuration was left by a run of these tests that was killed."""
    if not (link.is_symlink() and link.read_text(errors="replace").startswith(_FIRST_LINE)):
        return False
    try:
        with FileLock(link.resolve().with_name(_LOCK), timeout=0):
            return True
    except Timeout:
        return False


def _marked(marks: Mapping[str, str]) -> Iterator[int]:
    """Yield the IDs of the other processes that have all of these variables in their environment."""
    wanted = {f"{name}={value}".encode() for name, value in marks.items()}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            with contextlib.suppress(OSError):
                if wanted <= set((folder / "environ").read_bytes().split(b"\0")):
                    yield int(folder.name)


def _end_marked(folder: Path) -> None:
    """End the processes that a cluster has started and not ended."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        left = list(_marked({_MARK: str(folder)}))
        for process in left:
            _signal(process, number)
        if left:
            time.sleep(1)


def _signal(process: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _version() -> tuple[int, int]:
    shown = run("slurmd", "-V", env={"PATH": system_path()}).output  # the other programs need a configuration for this
    found = re.search(r"(\d+)\.(\d+)", shown)
    if found is None:
        raise ClusterError(f"slurmd -V printed {shown.strip()!r}, which has no version such as 22.05.")
    return int(found[1]), int(found[2])


def _free_ports(number: int) -> list[int]:
    """Return loopback ports that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
