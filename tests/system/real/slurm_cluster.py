"""A Slurm cluster of several nodes on this machine: munged, slurmctld and one slurmd a node, all below one folder.

Nothing outside the folder is read or written. As a program it starts a cluster, says what to export, and ends with it.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "sinfo", "scancel")
PATIENCE = 60.0
_QUEUE = ("squeue", "--noheader", "--array", "--format=%i")
_CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={root}/munge.socket
CredType=cred/munge
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool.%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=0,sched_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
JobRequeue=1
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
{nodes}
PartitionName=main Nodes=n[1-{count}] Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> list[str]:
    """Return what is not installed, or what else keeps a cluster from being started here."""
    found = [name for name in PROGRAMS if shutil.which(name) is None]
    return found or ([] if os.geteuid() == 0 else ["the rights of root"])


class Cluster:
    """A running cluster.

    Args:
        root: its folder.
        nodes: how many.
    """

    def __init__(self, root: Path, nodes: int) -> None:
        self.root = root
        self.nodes = [f"n{number}" for number in range(1, nodes + 1)]
        self.environment = {"SLURM_CONF": str(root / "slurm.conf")}
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start everything, and wait until all nodes are idle."""
        for name in ("state", *(f"spool.{node}" for node in self.nodes)):
            (self.root / name).mkdir()
        key = self.root / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        ports = iter(_free_ports(len(self.nodes) + 1))
        host = socket.gethostname().partition(".")[0]
        text = _CONF.format(
            host=host,
            port=next(ports),
            user="root",
            root=self.root,
            count=len(self.nodes),
            nodes="\n".join(
                f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={next(ports)} CPUs=1"
                for node in self.nodes
            ),
        )
        (self.root / "slurm.conf").write_text(text, encoding="utf-8")
        files = {
            option: self.root / f"munge.{option}"
            for option in ("socket", "pid-file", "log-file", "seed-file", "key-file")
        }
        files["key-file"] = key
        # --force: the folder above may be anybody's, /tmp is.
        self._start("munged", "--foreground", "--force", *(f"--{option}={file}" for option, file in files.items()))
        _wait(files["socket"].exists, "munged")
        self._start("slurmctld", "-D")
        for node in self.nodes:
            self._start("slurmd", "-D", "-N", node, name=node)
        _wait(lambda: self.states().count("idle") == len(self.nodes), "slurmd")

    def _start(self, program: str, *arguments: str, name: str = "") -> None:
        with (self.root / f"{name or program}.out").open("wb") as output:
            self._daemons[name or program] = subprocess.Popen(
                [program, *arguments],
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def states(self) -> list[str]:
        """Return the state of every node."""
        return self.ask("sinfo", "--noheader", "--Node", "--format=%T").split()

    def ask(self, *command: str) -> str:
        """Return what a command of Slurm says; nothing if it fails."""
        environment = {**os.environ, **self.environment}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout

    def lose(self, node: str) -> None:
        """Kill a node with everything on it.

        The controller is told, which would notice in a minute, and begins the node's jobs anew two minutes after that.
        """
        self._daemons[node].kill()
        self._daemons[node].wait()
        for process in _of_node(node):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.ask("scontrol", "update", f"nodename={node}", "state=down", "reason=lost")
        lost: list[str] = []
        _wait(lambda: lost.extend(self.ask(*_QUEUE, "--states=PENDING").split()) or lost, "a job of the lost node")
        for job in lost:
            self.ask("scontrol", "update", f"jobid={job}", "starttime=now")

    def stop(self) -> None:
        """Stop everything."""
        self.ask("scancel", "--user=root")
        for node in self.nodes:
            for process in _of_node(node):
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
        for daemon in reversed(self._daemons.values()):
            daemon.kill()
            daemon.wait()


def _of_node(node: str) -> Iterator[int]:
    """Yield the processes of jobs on a node of ours, and who watches over each."""
    mark = f"SLURMD_NODENAME={node}".encode()
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (place / "environ").read_bytes().split(b"\0"):
                parent = (place / "stat").read_text().rpartition(")")[2].split()[1]
                if b"slurmstepd" in Path("/proc", parent, "cmdline").read_bytes():
                    yield int(parent)
                yield int(place.name)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [item.getsockname()[1] for item in sockets]
    for item in sockets:
        item.close()
    return ports


def _wait(there: object, what: str) -> None:
    assert callable(there)
    end = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < end, f"{what} does not come up"
        time.sleep(0.1)


@contextmanager
def running(nodes: int) -> Iterator[Cluster]:
    """Run a cluster; its folder has a short name, for that of a socket must be."""
    with tempfile.TemporaryDirectory(prefix="slurm", dir="/tmp") as folder:
        cluster = Cluster(Path(folder), nodes)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()


if __name__ == "__main__":
    with running(int(sys.argv[1]) if sys.argv[1:] else 3) as made:
        print("\n".join(f"export {name}={value}" for name, value in made.environment.items()), flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()
