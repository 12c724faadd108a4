# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Parameter sets of AMAT, MAT and Izhikevich neurons: names, units, conventions, published tables.

AMAT is written down in three conventions, which differ in names, units and in the meaning of `omega`:

========================  ==========================  =====================  ==========================
quantity                  NESTML (this library)       NEST `amat2_psc_exp`   Yamauchi et al. (2011)
========================  ==========================  =====================  ==========================
resting threshold         omega, mV above E_L         omega, mV, absolute    omega, mV above rest
refractory time           refr_T, ms                  t_ref, ms              tau_R, ms
synaptic time constants   tau_syn_exc, tau_syn_inh    tau_syn_ex, _in        none
membrane                  tau_m (ms), C_m (pF)        tau_m (ms), C_m (pF)   tau_m (ms), R (MOhm)
constant current          I_e, pA                     I_e, pA                I, nA
========================  ==========================  =====================  ==========================

References
----------
.. [1] Yamauchi S, Kim H, Shinomoto S (2011). Front. Comput. Neurosci. 5:42. doi:10.3389/fncom.2011.00042
.. [2] Kobayashi R, Tsubo Y, Shinomoto S (2009). Front. Comput. Neurosci. 3:9.
   doi:10.3389/neuro.10.009.2009
.. [3] Izhikevich EM (2004). IEEE Trans. Neural Netw. 15:1063-1070. doi:10.1109/TNN.2004.832719
"""

from __future__ import annotations

import csv
import dataclasses
import difflib
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

import numpy as np
import yaml
from numpy.typing import ArrayLike, NDArray

from amat.errors import AmatError
from amat.paths import DATA

__all__ = [
    "UNITS",
    "AmatParameters",
    "AmatPattern",
    "AmatStimulus",
    "Catalogue",
    "CurrentSegment",
    "InputCurrent",
    "IzhikevichPattern",
    "ParameterError",
    "ValidatedPattern",
    "izhikevich_patterns",
    "mat_parameter_sets",
    "validated_patterns",
    "yamauchi_patterns",
]

#: Unit of each field of `AmatParameters`.
UNITS: Mapping[str, str] = {
    "tau_m": "ms",
    "C_m": "pF",
    "refr_T": "ms",
    "E_L": "mV",
    "tau_syn_exc": "ms",
    "tau_syn_inh": "ms",
    "tau_1": "ms",
    "tau_2": "ms",
    "alpha_1": "mV",
    "alpha_2": "mV",
    "beta": "1/ms",
    "tau_v": "ms",
    "omega": "mV",
    "I_e": "pA",
}

_NEST_NAMES = {"refr_T": "t_ref", "tau_syn_exc": "tau_syn_ex", "tau_syn_inh": "tau_syn_in"}
_SINGULAR_PAIRS = (
    ("tau_m", "tau_syn_exc"),
    ("tau_m", "tau_syn_inh"),
    ("tau_m", "tau_v"),
    ("tau_v", "tau_syn_exc"),
    ("tau_v", "tau_syn_inh"),
)
_RAMP_UNIT_IN_PA_PER_MS = {"pA/s": 1e-3, "nA/s": 1.0}
# Without effect at beta = 0; off MAT's tau_m = 5 ms, because NEST's amat2_psc_exp refuses tau_v == tau_m.
_MAT_TAU_V = 10.0

T = TypeVar("T")


class ParameterError(AmatError, ValueError):
    """A parameter or pattern that cannot be used; the message names it, its value and the remedy."""


class Catalogue(dict[str, T]):
    """A dictionary of named entries that answers an unknown name with the nearest known ones.

    Parameters
    ----------
    kind : str
        What the entries are, for the error message ("pattern").
    entries : iterable of (str, T)
        Names and entries, in order.
    """

    def __init__(self, kind: str, entries: Iterable[tuple[str, T]]) -> None:
        """Fill the dictionary."""
        super().__init__(entries)
        self.kind = kind

    def __missing__(self, name: str) -> T:
        """Raise `ParameterError` with the names nearest to `name`."""
        raise _unknown(self.kind, name, self)


@dataclass(frozen=True)
class AmatParameters:
    """Parameters of one AMAT neuron, with NESTML's names and NEST's units.

    The defaults are those of NEST's `amat2_psc_exp`. With ``beta = 0`` the neuron is a MAT neuron.

    Attributes
    ----------
    tau_m : float
        Membrane time constant, ms.
    C_m : float
        Membrane capacitance, pF.
    refr_T : float
        Absolute refractory time, ms.
    E_L : float
        Resting potential, mV.
    tau_syn_exc, tau_syn_inh : float
        Time constants of the excitatory and inhibitory synaptic currents, ms.
    tau_1, tau_2 : float
        Fast and slow time constants of the adaptive threshold, ms.
    alpha_1, alpha_2 : float
        Jumps of the threshold's fast and slow part at a spike, mV.
    beta : float
        Strength of the threshold's dependence on the membrane potential's derivative, 1/ms.
    tau_v : float
        Time constant of that dependence, ms.
    omega : float
        Resting threshold, mV above `E_L`.
    I_e : float
        Constant input current, pA.

    Raises
    ------
    ParameterError
        If a value is not a finite number or is out of its range; see `validate`.
    """

    tau_m: float = 10.0
    C_m: float = 200.0
    refr_T: float = 2.0
    E_L: float = -70.0
    tau_syn_exc: float = 1.0
    tau_syn_inh: float = 3.0
    tau_1: float = 10.0
    tau_2: float = 200.0
    alpha_1: float = 10.0
    alpha_2: float = 0.0
    beta: float = 0.0
    tau_v: float = 5.0
    omega: float = 5.0
    I_e: float = 0.0

    def __post_init__(self) -> None:
        """Make every value a plain float, and validate."""
        for name in UNITS:
            object.__setattr__(self, name, _finite(name, getattr(self, name)))
        self.validate()

    def validate(self, resolution: float | None = None) -> None:
        """Check every value, and the refractory time against a simulation's time step.

        Construction has already checked all that needs no `resolution`.

        Parameters
        ----------
        resolution : float, optional
            Time step of the simulation, ms.

        Raises
        ------
        ParameterError
            If a time constant, `C_m` or `refr_T` is not positive, or `refr_T` is shorter than `resolution`.
        """
        for name in UNITS:
            if name.startswith("tau_") or name in ("C_m", "refr_T"):
                _require_positive(name, getattr(self, name), UNITS[name])
        if resolution is not None and self.refr_T < resolution:
            raise ParameterError(
                f"refr_T = {self.refr_T:g} ms is shorter than the resolution, {resolution:g} ms: "
                "raise refr_T to at least one step, or choose a finer resolution"
            )

    def replace(self, **changes: float) -> Self:
        """Return a copy with some values changed.

        Parameters
        ----------
        **changes : float
            New values by NESTML's names, in the units of `UNITS`.

        Raises
        ------
        ParameterError
            If a name is unknown or a value is invalid.
        """
        _require_known("AMAT parameter", changes, UNITS)
        return dataclasses.replace(self, **changes)

    def time_constant_pairs(self) -> list[tuple[str, str, float]]:
        """Relative distances of the time constants whose equality makes closed-form propagators singular.

        Returns
        -------
        list of (str, str, float)
            The names a and b and ``|a - b| / max(a, b)``: 0 where they are equal, towards 1 far apart.
        """
        pairs = []
        for name_a, name_b in _SINGULAR_PAIRS:
            a, b = getattr(self, name_a), getattr(self, name_b)
            pairs.append((name_a, name_b, abs(a - b) / max(a, b)))
        return pairs

    def to_nestml(self) -> dict[str, float]:
        """Return the values by NESTML's names, `omega` relative to `E_L`."""
        return dataclasses.asdict(self)

    @classmethod
    def from_nestml(cls, values: Mapping[str, float]) -> Self:
        """Make a set from values by NESTML's names; what is left out takes the default.

        Raises
        ------
        ParameterError
            If a name is unknown or a value is invalid.
        """
        _require_known("NESTML parameter", values, UNITS)
        return cls(**values)

    def to_nest(self) -> dict[str, float]:
        """Return the values by the names of NEST's `amat2_psc_exp`, `omega` absolute (mV)."""
        values = self.to_nestml() | {"omega": self.E_L + self.omega}
        return {_NEST_NAMES.get(name, name): value for name, value in values.items()}

    @classmethod
    def from_nest(cls, values: Mapping[str, float]) -> Self:
        """Make a set from values by the names of NEST's `amat2_psc_exp`.

        What is left out takes NEST's default. As in NEST, a changed `E_L` leaves the absolute `omega`
        (-65 mV) where it is.

        Raises
        ------
        ParameterError
            If a name is unknown or a value is invalid.
        """
        defaults = cls().to_nest()
        _require_known("amat2_psc_exp parameter", values, defaults)
        complete = {**defaults, **values}
        named = {name: complete[_NEST_NAMES.get(name, name)] for name in UNITS}
        named["omega"] = _finite("omega", named["omega"]) - _finite("E_L", named["E_L"])
        return cls(**named)

    def to_paper(self) -> dict[str, float]:
        """Return the values by the names and units of Yamauchi et al. (2011) [1]_.

        Returns
        -------
        dict
            R (MOhm), tau_m, tau_R, tau_1, tau_2, tau_v (ms), alpha_1, alpha_2, omega above rest (mV),
            beta (1/ms), I (nA). The table has no `E_L` and no synapses.
        """
        return {
            "R": 1e3 * self.tau_m / self.C_m,
            "tau_m": self.tau_m,
            "tau_R": self.refr_T,
            "tau_1": self.tau_1,
            "tau_2": self.tau_2,
            "tau_v": self.tau_v,
            "alpha_1": self.alpha_1,
            "alpha_2": self.alpha_2,
            "beta": self.beta,
            "omega": self.omega,
            "I": 1e-3 * self.I_e,
        }

    @classmethod
    def from_paper(cls, values: Mapping[str, float]) -> Self:
        """Make a set from values by the names and units of Yamauchi et al. (2011) [1]_; see `to_paper`.

        What is left out takes the default (R = 50 MOhm); `E_L` and the synapses keep theirs.

        Raises
        ------
        ParameterError
            If a name is unknown or a value is invalid.
        """
        defaults = cls().to_paper()
        _require_known("parameter of Yamauchi 2011", values, defaults)
        complete = {name: _finite(name, value) for name, value in {**defaults, **values}.items()}
        resistance = complete.pop("R")
        _require_positive("R", resistance, "MOhm")
        return cls(
            C_m=1e3 * complete["tau_m"] / resistance,
            refr_T=complete.pop("tau_R"),
            I_e=1e3 * complete.pop("I"),
            **complete,
        )


@dataclass(frozen=True)
class CurrentSegment:
    """A piece of an input current: ``value + slope (t - t_start)`` for ``t_start < t < t_stop``, else 0.

    Attributes
    ----------
    t_start, t_stop : float
        Start and end, ms; infinite where the piece is open.
    value : float
        Current at `t_start` (pA; mV/ms in Izhikevich's model).
    slope : float
        Change per ms.
    """

    t_start: float
    t_stop: float
    value: float
    slope: float = 0.0


@dataclass(frozen=True)
class InputCurrent:
    """A piecewise linear input current: a baseline plus segments, which add where they overlap.

    Attributes
    ----------
    segments : tuple of CurrentSegment
        The pieces.
    baseline : float
        Current at all times (pA; mV/ms in Izhikevich's model).
    """

    segments: tuple[CurrentSegment, ...]
    baseline: float = 0.0

    def __call__(self, t: ArrayLike) -> NDArray[np.float64]:
        """Return the current at the times `t` (ms), in an array of the same shape."""
        times = np.asarray(t, dtype=np.float64)
        current = np.full(times.shape, self.baseline, dtype=np.float64)
        for segment in self.segments:
            inside = (segment.t_start < times) & (times < segment.t_stop)
            current[inside] += segment.value
            if segment.slope:
                current[inside] += segment.slope * (times[inside] - segment.t_start)
        return current


@dataclass(frozen=True)
class AmatStimulus:
    """The input that Yamauchi's Table 1 [1]_ prescribes for a pattern.

    Attributes
    ----------
    kind : {"constant", "pulses", "constant_and_pulses", "ramps"}
        What the input consists of.
    constant : float
        Constant current, pA.
    pulse_amplitudes, pulse_durations : tuple of float
        One value a pulse, pA and ms; pulses add to the constant current.
    pulse_intervals : tuple of float
        Inter-pulse intervals, ms: one fewer than there are pulses.
    ramp_slopes, ramp_durations : tuple of float
        One value a ramp, pA/ms and ms (infinite where none is printed); each ramp starts from 0 pA.
    """

    kind: str
    constant: float = 0.0
    pulse_amplitudes: tuple[float, ...] = ()
    pulse_durations: tuple[float, ...] = ()
    pulse_intervals: tuple[float, ...] = ()
    ramp_slopes: tuple[float, ...] = ()
    ramp_durations: tuple[float, ...] = ()

    def current(
        self,
        *,
        onset: float = 10.0,
        pause: float = 100.0,
        intervals_from: Literal["onset", "end"] = "onset",
    ) -> InputCurrent:
        """Lay the input out in time.

        The table leaves three things open, which the arguments decide.

        Parameters
        ----------
        onset : float
            Start of the input, ms.
        pause : float
            Time from the start of the constant current to the first pulse, and from ramp to ramp, ms.
        intervals_from : {"onset", "end"}
            Whether inter-pulse intervals run from a pulse's onset or from its end to the next onset.

        Returns
        -------
        InputCurrent
            The current, pA.
        """
        segments = []
        t = onset
        for slope, duration in zip(self.ramp_slopes, self.ramp_durations, strict=True):
            segments.append(CurrentSegment(t, t + duration, 0.0, slope))
            t += duration + pause
        if self.constant:
            segments.append(CurrentSegment(onset, math.inf, self.constant))
            t += pause
        pulses = zip(self.pulse_amplitudes, self.pulse_durations, (*self.pulse_intervals, 0.0), strict=False)
        for amplitude, duration, interval in pulses:
            segments.append(CurrentSegment(t, t + duration, amplitude))
            t += interval + (duration if intervals_from == "end" else 0.0)
        return InputCurrent(tuple(segments))


@dataclass(frozen=True)
class AmatPattern:
    """A firing pattern of the AMAT neuron: a row of Yamauchi's Table 1 [1]_.

    Attributes
    ----------
    name : str
        Name, shared with the same pattern of Izhikevich's model.
    printed_name : str
        Name in the paper.
    parameters : AmatParameters
        The neuron's parameters; the stimulus is not part of `I_e`.
    stimulus : AmatStimulus
        The input that evokes the pattern.
    """

    name: str
    printed_name: str
    parameters: AmatParameters
    stimulus: AmatStimulus


@dataclass(frozen=True)
class IzhikevichPattern:
    """A firing pattern of Izhikevich's neuron, as in the script of his 2004 paper [3]_.

    One step of the published scheme, with ``(q2, q1, q0) = quadratic``:
    ``V += h (q2 V^2 + q1 V + q0 - u + I)``; with the new V, ``u += h a (b V - u)``, or
    ``u += h a b (V + 65)`` where `recovery` is "accommodation"; then, if ``V > V_peak``, ``V = c`` and
    ``u += d``.

    Attributes
    ----------
    name : str
        Name, shared with the same pattern of the AMAT neuron.
    printed_name, label : str
        Name and panel (A to T) in the paper's Figure 1.
    a, b, c, d : float
        The model's parameters (1/ms, 1/ms, mV, mV/ms).
    V_0, u_0 : float
        Initial values (mV, mV/ms).
    h, duration : float
        Time step and length of the published run, ms.
    quadratic : tuple of float
        Coefficients of V^2, V and 1 in V's equation.
    recovery : {"standard", "accommodation"}
        The equation of u.
    V_peak : float
        Potential above which the neuron is reset, mV.
    current : InputCurrent
        The input, mV/ms.
    """

    name: str
    printed_name: str
    label: str
    a: float
    b: float
    c: float
    d: float
    V_0: float
    u_0: float
    h: float
    duration: float
    quadratic: tuple[float, float, float]
    recovery: Literal["standard", "accommodation"]
    V_peak: float
    current: InputCurrent


def yamauchi_patterns(tau_m: float = 10.0) -> Catalogue[AmatPattern]:
    """Read the 20 patterns of Yamauchi's Table 1 [1]_, as printed.

    Parameters
    ----------
    tau_m : float
        Membrane time constant, ms; the paper states 10. The resistance stays 50 MOhm, so that `C_m` follows.

    Returns
    -------
    Catalogue
        Patterns by name; an unknown name raises `ParameterError`.
    """
    common = {row["parameter"]: float(row["value"]) for row in _read_csv("yamauchi2011_common.csv")}
    return Catalogue(
        "pattern",
        (
            (
                row["pattern"],
                AmatPattern(
                    name=row["pattern"],
                    printed_name=row["printed_name"],
                    parameters=AmatParameters.from_paper(
                        common
                        | {
                            "tau_m": tau_m,
                            "alpha_1": float(row["alpha_1_mV"]),
                            "alpha_2": float(row["alpha_2_mV"]),
                            "beta": float(row["beta_per_ms"]),
                        }
                    ),
                    stimulus=_stimulus(row),
                ),
            )
            for row in _read_csv("yamauchi2011_table1.csv")
        ),
    )


@dataclass(frozen=True)
class ValidatedPattern:
    """A firing pattern of the AMAT neuron that was found to be one, by the search of `amat.analysis.patterns.search`.

    Attributes
    ----------
    name : str
    parameters : AmatParameters
    current : InputCurrent
        The input, pA.
    duration : float
        Length of the run, ms.
    """

    name: str
    parameters: AmatParameters
    current: InputCurrent
    duration: float


def validated_patterns() -> Catalogue[ValidatedPattern]:
    """Read the 20 patterns of the AMAT neuron that this project found, beginning at Yamauchi's Table 1 [1]_.

    Returns
    -------
    Catalogue
        Patterns by name, the same names as `yamauchi_patterns`; an unknown name raises `ParameterError`.
    """
    with (DATA / "amat_patterns.yaml").open(encoding="utf-8") as file:
        content = yaml.safe_load(file)
    return Catalogue(
        "pattern",
        (
            (
                entry["pattern"],
                ValidatedPattern(
                    name=entry["pattern"],
                    parameters=AmatParameters.from_nestml(content["common"] | entry["parameters"]),
                    current=InputCurrent(_segments(entry)),
                    duration=float(entry["duration"]),
                ),
            )
            for entry in content["patterns"]
        ),
    )


def izhikevich_patterns() -> Catalogue[IzhikevichPattern]:
    """Read the 20 patterns of Izhikevich's 2004 paper [3]_, in its order (A to T).

    Returns
    -------
    Catalogue
        Patterns by name, the same names as `yamauchi_patterns`; an unknown name raises `ParameterError`.
    """
    with (DATA / "izhikevich2004_patterns.yaml").open(encoding="utf-8") as file:
        content = yaml.safe_load(file)
    patterns = (_izhikevich_pattern(content["defaults"] | entry) for entry in content["patterns"])
    return Catalogue("pattern", ((pattern.name, pattern) for pattern in patterns))


def mat_parameter_sets() -> Catalogue[AmatParameters]:
    """Read the MAT neurons of Kobayashi et al. (2009) [2]_: AMAT neurons with ``beta = 0``.

    Returns
    -------
    Catalogue
        Parameters by the neuron's name. `tau_v`, which the paper does not have, is without effect.
    """
    return Catalogue(
        "MAT neuron",
        (
            (
                row["neuron"],
                AmatParameters.from_paper(
                    {
                        "R": float(row["R_MOhm"]),
                        "tau_m": float(row["tau_m_ms"]),
                        "tau_R": float(row["tau_R_ms"]),
                        "tau_1": float(row["tau_1_ms"]),
                        "tau_2": float(row["tau_2_ms"]),
                        "tau_v": _MAT_TAU_V,
                        "alpha_1": float(row["alpha_1_mV"]),
                        "alpha_2": float(row["alpha_2_mV"]),
                        "omega": float(row["omega_mV"]),
                    }
                ),
            )
            for row in _read_csv("kobayashi2009_mat.csv")
        ),
    )


def _izhikevich_pattern(entry: Mapping[str, Any]) -> IzhikevichPattern:
    numbers = ("a", "b", "c", "d", "V_0", "u_0", "h", "duration", "V_peak")
    q2, q1, q0 = entry["quadratic"]
    return IzhikevichPattern(
        name=entry["pattern"],
        printed_name=entry["printed_name"],
        label=entry["label"],
        quadratic=(q2, q1, q0),
        recovery=entry["recovery"],
        current=InputCurrent(_segments(entry), float(entry["baseline"])),
        **{name: float(entry[name]) for name in numbers},
    )


def _segments(entry: Mapping[str, Any]) -> tuple[CurrentSegment, ...]:
    return tuple(
        CurrentSegment(**{key: float(value) for key, value in segment.items()}) for segment in entry["segments"]
    )


def _stimulus(row: Mapping[str, str]) -> AmatStimulus:
    """Convert the stimulus columns of a row of Table 1 to pA, pA/ms and ms, one value a pulse or ramp."""
    amplitudes = [1e3 * value for value in _numbers(row["I_p_nA"])]
    durations = _numbers(row["D_p_ms"])
    intervals = _numbers(row["IPI_ms"])
    slopes = _numbers(row["ramp_rate"])
    ramp_durations = _numbers(row["ramp_duration_ms"]) or [math.inf] * len(slopes)
    n_pulses = len(intervals) + 1 if amplitudes else 0
    return AmatStimulus(
        kind=row["stimulus"],
        constant=1e3 * sum(_numbers(row["I_c_nA"])),
        pulse_amplitudes=_one_each(amplitudes, n_pulses),
        pulse_durations=_one_each(durations, n_pulses),
        pulse_intervals=tuple(intervals),
        ramp_slopes=tuple(rate * _RAMP_UNIT_IN_PA_PER_MS[row["ramp_rate_unit"]] for rate in slopes),
        ramp_durations=tuple(ramp_durations),
    )


def _one_each(values: list[float], count: int) -> tuple[float, ...]:
    """Repeat a value printed once for `count` pulses."""
    return tuple(values * count if len(values) == 1 else values)


def _numbers(cell: str) -> list[float]:
    return [float(number) for number in cell.split(";")] if cell else []


def _read_csv(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _finite(name: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ParameterError(f"{name} = {value!r} is not a finite number: give one")
    return number


def _require_positive(name: str, value: float, unit: str) -> None:
    if value <= 0:
        raise ParameterError(f"{name} = {value:g} {unit} is not positive: give a value above 0 {unit}")


def _require_known(kind: str, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise _unknown(kind, name, known)


def _unknown(kind: str, name: str, known: Collection[str]) -> ParameterError:
    nearest = difflib.get_close_matches(name, known, n=3, cutoff=0.0)
    return ParameterError(f"unknown {kind} {name!r}; the nearest names are {', '.join(nearest)}")
