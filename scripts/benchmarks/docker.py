# SPDX-License-Identifier: Apache-2.0
"""Docker as a peer: a private dockerd and containerd from unpacked packages, with everything they write on the
benchmark's disk."""
import os
import pathlib
import shutil
import subprocess
import time

import commands
import debian
from commands import BenchmarkError

# The release that has the newest Docker of Debian's.
NEWER_RELEASE, NEWER_PEER = "trixie", "docker-26"

CONTAINERD = """version = 2
root = "{place}/containerd"
state = "{place}/containerd-state"
# What Docker does not use is left out: the interface for Kubernetes above all.
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{place}/containerd.sock"
"""


def peers():
    """Without the newer one where it is the machine's own one anyway."""
    return ["docker"] + ([] if debian.codename() == NEWER_RELEASE else [NEWER_PEER])


def fetched(name, place):
    """A peer, from packages that are fetched now; its files are to be on the disk of `place`."""
    release = NEWER_RELEASE if name == NEWER_PEER else None
    # The client has a package of its own since then.
    client = ["docker-cli"] if NEWER_RELEASE in (debian.codename(), release) else []
    directory = place.directory / "peers" / name
    debian.unpack(["docker.io", "containerd", *client], directory, release)
    return Docker(name, directory, place.directory / "disk", place.cgroup)


class Docker:
    def __init__(self, name, packages, disk, cgroup):
        self.name, self.packages, self.cgroup = name, packages, cgroup
        self.place = disk / name
        self.program = str(packages / "usr/bin/docker")
        path = f"{packages}/usr/bin:{packages}/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        self.environment = {
            "PATH": path,
            "HOME": str(self.place),
            "DOCKER_HOST": f"unix://{self.place}/docker.sock",
            "DOCKER_CONFIG": str(self.place / "config"),
        }
        self.dockerd = None
        self.engine_since = 0

    def start(self):
        # Beside the machine's own libraries, another release's programs may miss something.
        for program in ["usr/bin/docker", "usr/bin/containerd", "usr/bin/containerd-shim-runc-v2", "usr/sbin/dockerd"]:
            outcome = commands.run([str(self.packages / program), "--version" if "shim" not in program else "-v"],
                                   self.environment)
            if outcome.code != 0:
                raise BenchmarkError(f"{program}: {(outcome.stderr.strip() or 'does not run').splitlines()[-1]}")
        runc = shutil.which("runc", path=self.environment["PATH"])
        if runc is None:
            raise BenchmarkError("runc is not in the PATH")
        commands.forget([*(file for file in self.packages.glob("usr/*bin/*") if file.is_file()), runc])
        self.place.mkdir()
        (self.place / "config").mkdir()
        # Not the machine's own settings.
        (self.place / "config" / "daemon.json").write_text("{}\n")
        (self.place / "containerd.toml").write_text(CONTAINERD.format(place=self.place))
        containerd = self._spawn("containerd", ["usr/bin/containerd", "--config", str(self.place / "containerd.toml")])
        self._wait_for("containerd", containerd, lambda: (self.place / "containerd.sock").exists())
        self._start_dockerd()
        self._wait_for("dockerd", self.dockerd, lambda: self._answers())

    def _spawn(self, name, command):
        with open(self.place / f"{name}.log", "ab") as log:
            return subprocess.Popen(
                [str(self.packages / command[0]), *command[1:]],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
            )

    def _start_dockerd(self):
        self.dockerd = self._spawn("dockerd", [
            "usr/sbin/dockerd",
            f"--data-root={self.place}/data", f"--exec-root={self.place}/exec", f"--pidfile={self.place}/dockerd.pid",
            f"--host=unix://{self.place}/docker.sock", f"--containerd={self.place}/containerd.sock",
            f"--config-file={self.place}/config/daemon.json", "--live-restore", "--storage-driver=overlay2",
            "--bridge=none", "--iptables=false", "--ip-forward=false",
            "--exec-opt=native.cgroupdriver=cgroupfs", f"--cgroup-parent=/{self.cgroup}",
        ])
        self.engine_since = time.monotonic()

    def _answers(self):
        return commands.run(self.command("version"), self.environment).code == 0

    def _wait_for(self, name, process, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            code = process.poll()
            if code is None and time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            log = pathlib.Path(self.place / f"{name}.log").read_text(errors="replace").strip()
            last = log.splitlines()[-1] if log else "no message"
            ended = f"ended with {code}" if code is not None else f"does not serve within {seconds} s"
            raise BenchmarkError(f"{name} {ended}: {last[:300]}")

    def version(self):
        return self.run("version", "--format", "{{.Server.Version}}").stdout.strip()

    def command(self, *arguments):
        return [self.program, *arguments]

    def run(self, *arguments):
        return commands.run(self.command(*arguments), self.environment).checked()

    def daemons(self):
        return commands.processes(["dockerd", "containerd"], self.packages)

    def helpers(self):
        return commands.processes(["containerd-shim-runc-v2"], self.packages)

    def kill_engine(self):
        """The next one is started at once, as a supervisor without any delay would."""
        begin = time.monotonic()
        self.dockerd.kill()
        self.dockerd.wait()
        self._start_dockerd()
        return begin
