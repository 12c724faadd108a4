# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The programs that build and run the images: Apptainer, and buildah with podman in place of Docker."""

import json
from collections.abc import Sequence
from pathlib import Path

from base import BASE, bootstrap, mirrors
from rig import Finished, run

#: The ordinary user who runs Apptainer, and the range of users that belongs to that user.
USER = 1500
_SUBORDINATE = "amat:200000:65536\n"

#: Makes a tree the root of a mount namespace, and drops root's rights before it runs the remaining arguments.
_ENTER = """
set -e
root=$1 folder=$2 cwd=$3 user=$4; shift 4
mount --bind "$root" "$root"; mount --make-private "$root"
for part in proc sys dev; do mount --rbind /$part "$root/$part"; done
# The folder comes after /tmp, because it may be below it.
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$root$folder"; mount --rbind "$folder" "$root$folder"
# Without udev the FUSE device may be closed to users; in the tree it gets the mode that udev gives it.
if [ -c /dev/fuse ]; then
  rm -f "$root/root/fuse"; mknod -m 666 "$root/root/fuse" c 10 229; mount --bind "$root/root/fuse" "$root/dev/fuse"
fi
for file in /etc/resolv.conf /etc/hosts; do
  [ -e "$root$file" ] || : >"$root$file"
  mount --bind "$file" "$root$file"
done
mkdir -p "$root/.old"; cd "$root"; pivot_root . .old; cd "$cwd"; umount -l /.old
exec setpriv --reuid "$user" --regid "$user" --clear-groups env -i \
  PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"
"""


def without_network(args: Sequence[object]) -> list[object]:
    """Return a command that runs another one with no network but the loopback interface."""
    return ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *args]


class Apptainer:
    """Apptainer, run by an ordinary user in a tree of Debian unstable.

    Only Debian unstable packages Apptainer, and it needs the C library of that release. The tree is therefore the root
    of a mount namespace, which sees nothing of this machine but devices, the network, and `folder`. `address` is that
    of the registry in place of Docker Hub.
    """

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self._tree = folder / "unstable"
        self.work = folder / "apptainer"
        archive, _ = mirrors()
        bootstrap(
            self._tree,
            "sid",
            [f"deb {archive} sid main"],
            folder / "unstable.log",
            "--include=apptainer,ca-certificates,fuse3,squashfuse,uidmap",
            # unstable has no releases: its signed index may be older than the index itself allows.
            '--aptopt=Acquire::Check-Valid-Until "false"',
        )
        run("chroot", self._tree, "useradd", "--create-home", "--uid", USER, "amat")
        for name in ("subuid", "subgid"):
            (self._tree / "etc" / name).write_text(_SUBORDINATE)
        settings = self._tree / "etc" / "containers" / "registries.conf"
        settings.parent.mkdir(parents=True, exist_ok=True)
        host = BASE.split("/")[0]
        settings.write_text(
            f'[[registry]]\nprefix = "{host}"\nlocation = "{host}"\n'
            f'[[registry.mirror]]\nlocation = "{address}"\ninsecure = true\n'
        )
        self.home = self.folder_of_user("home")
        self.folder_of_user("apptainer")

    def folder_of_user(self, name: str) -> Path:
        """Return a new folder that belongs to the ordinary user."""
        path = self.folder / name
        path.mkdir()
        run("chown", f"{USER}:{USER}", path)
        return path

    def __call__(
        self,
        *args: object,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        network: bool = True,
        program: object = "apptainer",
        **options: object,
    ) -> Finished:
        """Run Apptainer, or another program in the tree; further options are those of `rig.run`."""
        variables = {
            "HOME": str(self.home),
            "APPTAINER_CACHEDIR": str(self.work / "cache"),
            "APPTAINER_TMPDIR": str(self.work),
            **(env or {}),
        }
        entry = ["unshare", "--mount", "--propagation", "private", "bash", "-c", _ENTER, "enter"]
        place = [self._tree, self.folder, cwd or self.folder, USER]
        command = [*entry, *place, *(f"{name}={value}" for name, value in variables.items()), program, *args]
        return run(*(command if network else without_network(command)), **options)


class Docker:
    """A store of images that buildah builds and podman runs, as Docker would."""

    #: The machine's limits may be lower than podman's defaults, which runc then refuses.
    _LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096")

    def __init__(self, folder: Path) -> None:
        self._store = ("--root", str(folder / "images"), "--runroot", str(folder / "images-run"))
        self.buildah = ["buildah", *self._store]

    def build(self, checkout: Path, tag: str, arguments: Sequence[str], log: Path) -> Finished:
        """Build the unmodified Dockerfile of a checkout on the base in the store."""
        given = [word for argument in arguments for word in ("--build-arg", argument)]
        args = [*self.buildah, "build", "--isolation", "chroot", "--pull-never", "--tag", tag, *given, checkout]
        return run(*args, log=log)

    def run(
        self, tag: str, *args: object, folder: Path, user: int, env: dict[str, str] | None = None, **options: object
    ) -> Finished:
        """Run an image's entry point without a network, with `folder` mounted at ``/work``.

        `user` is a number without an account in the image; further options are those of `rig.run`.
        """
        variables = [f"--env={name}={value}" for name, value in (env or {}).items()]
        command = ["podman", *self._store, "--runtime", "runc", "run", "--rm", "--pull=never", "--network", "host"]
        command += [*self._LIMITS, "--read-only", "--tmpfs", "/tmp", "--user", f"{user}:{user}", *variables]
        command += ["--volume", f"{folder}:/work", tag]
        return run(*without_network([*command, *args]), **options)

    def labels(self, tag: str) -> dict[str, str]:
        """Return an image's labels."""
        described = json.loads(run(*self.buildah, "inspect", "--type", "image", tag).output)
        return described["OCIv1"]["config"]["Labels"]
