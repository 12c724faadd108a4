# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Energy counters of the processor (RAPL), where Linux lets this user read them."""

from pathlib import Path

__all__ = ["POWERCAP", "EnergyMeter"]

#: Linux's folder of power-capping devices.
POWERCAP = Path("/sys/class/powercap")


class EnergyMeter:
    """Energy of all processor packages of this machine since the start.

    The counters include every program on the machine, but not its power supply or network.

    Parameters
    ----------
    folder : pathlib.Path
        Of the power-capping devices.
    """

    def __init__(self, folder: Path = POWERCAP) -> None:
        # intel-rapl:0 is a package; intel-rapl:0:1 is a part of it, which would count twice.
        self._zones = sorted(zone for zone in folder.glob("intel-rapl:*") if zone.name.count(":") == 1)
        self._start = self._read()

    def joules(self) -> tuple[float | None, str]:
        """Return the energy in J, or None, and a note that names its source or the reason why it is missing."""
        end = self._read()
        if not self._zones:
            return None, f"no energy counters in {POWERCAP}"
        if self._start is None or end is None:
            return None, f"the energy counters in {POWERCAP} cannot be read by this user"
        total = 0
        for zone, first, last in zip(self._zones, self._start, end, strict=True):
            # The counter starts again at its range.
            total += last - first if last >= first else last - first + int((zone / "max_energy_range_uj").read_text())
        return 1e-6 * total, f"RAPL, processor packages: {len(self._zones)}"

    def _read(self) -> list[int] | None:
        try:
            return [int((zone / "energy_uj").read_text()) for zone in self._zones]
        except (OSError, ValueError):
            return None
