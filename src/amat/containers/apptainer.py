# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Apptainer on a machine whose distribution does not have it: in a tree of Debian unstable, as an ordinary user.

Debian packages Apptainer in unstable only, and it needs that release's C library. So the tree gets a mount namespace of
its own, becomes its root, and sees nothing of this machine but devices, the network, and the folder of the check.
"""

from pathlib import Path

from amat.containers.base import BASE, bootstrap, mirrors
from amat.containers.processes import Finished, run, without_network

__all__ = ["Apptainer"]

#: The ordinary user in the tree, and the users that belong to it.
USER = 1500
_SUBORDINATE = "amat:200000:65536\n"

#: Makes the tree the root of a mount namespace, and gives rights up before it runs the words that follow.
_ENTER = """
set -e
root=$1 folder=$2 cwd=$3 user=$4; shift 4
mount --bind "$root" "$root"; mount --make-private "$root"
for part in proc sys dev; do mount --rbind /$part "$root/$part"; done
# The folder comes after /tmp, as it may be below it.
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$root$folder"; mount --rbind "$folder" "$root$folder"
# Without udev the device of FUSE may be closed to users; in the tree it gets the mode that udev gives it.
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


class Apptainer:
    """The real Apptainer, as an ordinary user.

    Parameters
    ----------
    folder : pathlib.Path
        Of the check: all that Apptainer sees of this machine's files.
    address : str
        Of the registry that stands in for Docker Hub.

    Raises
    ------
    PackageUnavailableError
        If the distribution does not serve Apptainer.
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
            # unstable has no releases: what is signed may be older than it says.
            '--aptopt=Acquire::Check-Valid-Until "false"',
        )
        run(["chroot", str(self._tree), "useradd", "--create-home", "--uid", str(USER), "amat"])
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
        self.version = self("--version").output.split()[-1]

    def folder_of_user(self, name: str) -> Path:
        """Return a new folder below that of the check, which belongs to the ordinary user."""
        path = self.folder / name
        path.mkdir()
        run(["chown", f"{USER}:{USER}", str(path)])
        return path

    def __call__(
        self,
        *words: str,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
        network: bool = True,
        program: str = "apptainer",
        log: Path | None = None,
        patience: float = 3600,
        check: bool = True,
    ) -> Finished:
        """Run Apptainer, or another program in the tree.

        Parameters
        ----------
        *words
            Its arguments.
        cwd : pathlib.Path, optional
            Below the folder of the check.
        env : dict, optional
            Variables beside those that every user has.
        network : bool
            Whether there is one.
        program : str
        log, patience, check
            As in `run`.
        """
        variables = {
            "HOME": str(self.home),
            "APPTAINER_CACHEDIR": str(self.work / "cache"),
            "APPTAINER_TMPDIR": str(self.work),
            **(env or {}),
        }
        entry = ["unshare", "--mount", "--propagation", "private", "bash", "-c", _ENTER, "enter"]
        place = [str(self._tree), str(self.folder), str(cwd or self.folder), str(USER)]
        command = [*entry, *place, *(f"{name}={value}" for name, value in variables.items()), program, *words]
        return run(command if network else without_network(command), log=log, patience=patience, check=check)
