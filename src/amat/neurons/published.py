# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Published parameter sets: the firing patterns of AMAT and of Izhikevich's neuron, and MAT neurons.

References
----------
.. [1] Yamauchi S, Kim H, Shinomoto S (2011). Front. Comput. Neurosci. 5:42. doi:10.3389/fncom.2011.00042
.. [2] Kobayashi R, Tsubo Y, Shinomoto S (2009). Front. Comput. Neurosci. 3:9.
   doi:10.3389/neuro.10.009.2009
.. [3] Izhikevich EM (2004). IEEE Trans. Neural Netw. 15:1063-1070. doi:10.1109/TNN.2004.832719
.. [4] Heiberg T, Kriener B, Tetzlaff T, Einevoll GT, Plesser HE (2018). J. Comput. Neurosci. 45:103-132.
   doi:10.1007/s10827-018-0693-9
"""

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from amat.errors import ParameterError
from amat.files import load_yaml
from amat.neurons.amat import AmatParameters
from amat.neurons.checks import Catalogue
from amat.neurons.currents import CurrentSegment, InputCurrent
from amat.neurons.izhikevich import IzhikevichParameters
from amat.neurons.neuron import NEURON_MODELS, ModelName, Neuron
from amat.paths import DATA

__all__ = [
    "UNEQUAL_TAU_V",
    "AmatPattern",
    "IzhikevichPattern",
    "SetName",
    "find_neuron",
    "find_patterns",
    "heiberg_patterns",
    "izhikevich_patterns",
    "mat_parameter_sets",
    "pattern_label",
    "validated_patterns",
    "yamauchi_patterns",
]

#: Of AMAT's parameters: validated; the same with tau_v = `UNEQUAL_TAU_V`; as printed with a membrane time constant of
#: 10 or 5 ms; Heiberg's Table 4, once it is typed in.
SetName = Literal["validated", "validated-unequal", "printed-10", "printed-5", "heiberg2018"]

#: tau_v of the second validated set, ms. NEST's built-in model refuses tau_m = tau_v, which the first set has.
UNEQUAL_TAU_V = 5.5

_RAMP_UNIT_IN_PA_PER_MS = {"pA/s": 1e-3, "nA/s": 1.0}
_HEIBERG = "heiberg2018_table4.csv"
# Without effect at beta = 0; differs from MAT's tau_m = 5 ms, because NEST's amat2_psc_exp refuses tau_v == tau_m.
_MAT_TAU_V = 10.0

# Yamauchi's Table 1 leaves these open; all in ms.
#: Start of the input.
_ONSET = 10.0
#: From the start of the constant current to the first pulse, and from ramp to ramp.
_PAUSE = 100.0
#: Length of a run: activity that lasts is seen to last.
_DURATION = 500.0
#: The same for the printed ramps of classes 1 and 2, which have no end: up to 1.2 times the threshold current.
_RAMP_DURATION = 48000.0


@dataclass(frozen=True)
class AmatPattern:
    """A firing pattern of the AMAT neuron.

    Attributes
    ----------
    name : str
        Name, shared with the same pattern of Izhikevich's model.
    parameters : AmatParameters
        The neuron's parameters; the stimulus is not part of `I_e`.
    current : InputCurrent
        The input that evokes the pattern, pA.
    duration : float
        Length of the run, ms.
    """

    name: str
    parameters: AmatParameters
    current: InputCurrent
    duration: float

    def neuron(self, resolution: float = 0.1) -> Neuron:
        """Return the neuron with a time step in ms; raise `ParameterError` if the refractory time is shorter."""
        self.parameters.validate(resolution)
        return Neuron(self.parameters, {}, resolution, self.name, *_currents(self.current))


@dataclass(frozen=True)
class IzhikevichPattern:
    """A firing pattern of Izhikevich's neuron, as in the script of his 2004 paper [3]_.

    Attributes
    ----------
    name : str
        Name, shared with the same pattern of the AMAT neuron.
    label : str
        Panel (A to T) in the paper's Figure 1.
    parameters : IzhikevichParameters
    V_0, u_0 : float
        Initial values (mV, mV/ms).
    h, duration : float
        Time step and length of the run, ms.
    current : InputCurrent
        The input, mV/ms.
    """

    name: str
    label: str
    parameters: IzhikevichParameters
    V_0: float
    u_0: float
    h: float
    duration: float
    current: InputCurrent

    def neuron(self) -> Neuron:
        """Return the neuron with the pattern's initial values and time step."""
        initial = {"V_m": self.V_0, "U_m": self.u_0}
        return Neuron(self.parameters, initial, self.h, self.name, *_currents(self.current))


_Pattern = TypeVar("_Pattern", AmatPattern, IzhikevichPattern)


def _currents(current: InputCurrent) -> tuple[float, float, int]:
    """Return a neuron's current at rest, its holding current, and the sign of the change that evokes the pattern."""
    return float(current(0.0)), current.holding, current.direction


def pattern_label(pattern: str) -> str:
    """Return a pattern's name for readers."""
    return pattern.replace("_", " ").replace("inhibition induced", "inhibition-induced")


def find_patterns(
    model: ModelName, parameters: SetName = "validated"
) -> Catalogue[AmatPattern] | Catalogue[IzhikevichPattern]:
    """Return the 20 patterns of a model.

    Parameters
    ----------
    model : {"amat", "izhikevich"}
    parameters : {"validated", "validated-unequal", "printed-10", "printed-5", "heiberg2018"}
        Of AMAT: those that were found to show the pattern; the same with tau_v = 5.5 ms, which NEST's built-in model
        accepts; Yamauchi's Table 1 as printed with a membrane time constant of 10 or 5 ms; or Heiberg's Table 4.

    Raises
    ------
    ParameterError
        If there is no such model or set, or Heiberg's table has not been typed in.
    """
    if model not in NEURON_MODELS:
        raise ParameterError(f"Unknown model {model!r}: choose one of {', '.join(NEURON_MODELS)}.")
    if parameters not in get_args(SetName):
        raise ParameterError(f"Unknown parameter set {parameters!r}: choose one of {', '.join(get_args(SetName))}.")
    if model == "izhikevich":
        return izhikevich_patterns()
    if parameters == "validated":
        return validated_patterns()
    if parameters == "validated-unequal":
        return validated_patterns(tau_v=UNEQUAL_TAU_V)
    if parameters == "heiberg2018":
        if not (found := heiberg_patterns()):
            raise ParameterError(f"{_HEIBERG} in data/ has no rows yet: type in the values of the paper's Table 4.")
        return found
    return yamauchi_patterns(tau_m=float(parameters.removeprefix("printed-")))


def find_neuron(pattern: str, model: ModelName, parameters: SetName = "validated", resolution: float = 0.1) -> Neuron:
    """Return the neuron of a model that shows a pattern; see `find_patterns`.

    The resolution, in ms, is AMAT's. Izhikevich's published scheme has one for each pattern.

    Raises
    ------
    ParameterError
        If there is no such pattern, model or set, or the resolution is longer than the refractory time.
    """
    found = find_patterns(model, parameters)[pattern]
    return found.neuron(resolution) if isinstance(found, AmatPattern) else found.neuron()


def yamauchi_patterns(tau_m: float = 10.0) -> Catalogue[AmatPattern]:
    """Read the 20 patterns of Yamauchi's Table 1 [1]_, as printed.

    The table does not state where inter-pulse intervals begin. Here they run from a pulse's end to the next onset.

    Parameters
    ----------
    tau_m : float
        Membrane time constant, ms; the paper states 10. The resistance stays 50 MOhm, so that `C_m` follows.

    Returns
    -------
    Catalogue
        Patterns by name; an unknown name raises `ParameterError`.
    """
    return _by_name(_printed_pattern(row, {"tau_m": tau_m}) for row in _read_csv("yamauchi2011_table1.csv"))


def heiberg_patterns() -> Catalogue[AmatPattern]:
    """Read the patterns of Heiberg's Table 4 [4]_, as far as they have been typed in.

    NEST's documentation refers to this table for corrected values of Yamauchi's Table 1. It was not available to this
    project: data/heiberg2018_table4.csv has its header only. Cells for time constants may stay empty; the others
    have the columns and the meaning of Yamauchi's table.

    Returns
    -------
    Catalogue
        Patterns by name; empty without rows.

    Raises
    ------
    ParameterError
        If a value is out of its range.
    """
    columns, known = {"tau_m": "tau_m_ms", "tau_v": "tau_v_ms"}, yamauchi_patterns()
    found = []
    for row in _read_csv(_HEIBERG):
        known[row["pattern"]]  # refuses an unknown name
        try:
            constants = {name: float(row[column]) for name, column in columns.items() if row[column]}
            found.append(_printed_pattern(row, constants))
        except (ValueError, TypeError, KeyError) as error:
            raise ParameterError(
                f"The row {row['pattern']} of data/{_HEIBERG} has a cell that is missing, not a number or not a unit "
                f"({error}): compare it with a row of yamauchi2011_table1.csv."
            ) from None
    return _by_name(found)


def _printed_pattern(row: Mapping[str, str], constants: Mapping[str, float]) -> AmatPattern:
    """Return the pattern of a row of a printed table, with constants that differ from Yamauchi's common ones."""
    common = {row["parameter"]: float(row["value"]) for row in _read_csv("yamauchi2011_common.csv")}
    columns = {"alpha_1": "alpha_1_mV", "alpha_2": "alpha_2_mV", "beta": "beta_per_ms"}
    own = {name: float(row[column]) for name, column in columns.items()}
    return AmatPattern(
        row["pattern"],
        AmatParameters.from_paper({**common, **constants, **own}),
        _printed_current(row),
        _RAMP_DURATION if row["ramp_rate"] and not row["ramp_duration_ms"] else _DURATION,
    )


def validated_patterns(*, tau_v: float | None = None) -> Catalogue[AmatPattern]:
    """Read the 20 patterns of the AMAT neuron that this project found, beginning at Yamauchi's Table 1 [1]_.

    Parameters
    ----------
    tau_v : float, optional
        Time constant of the voltage-dependent threshold, ms, in place of the file's 5 ms, which equals tau_m.

    Returns
    -------
    Catalogue
        Patterns by name, the same names as `yamauchi_patterns`; an unknown name raises `ParameterError`.
    """
    content = _read_yaml("amat_patterns.yaml")
    common = content["common"] | ({} if tau_v is None else {"tau_v": tau_v})
    return _by_name(
        AmatPattern(
            entry["pattern"],
            AmatParameters.from_nestml(common | entry["parameters"]),
            InputCurrent(_segments(entry)),
            float(entry["duration"]),
        )
        for entry in content["patterns"]
    )


def izhikevich_patterns() -> Catalogue[IzhikevichPattern]:
    """Read the 20 patterns of Izhikevich's 2004 paper [3]_, in its order (A to T).

    Returns
    -------
    Catalogue
        Patterns by name, the same names as `yamauchi_patterns`; an unknown name raises `ParameterError`.
    """
    content = _read_yaml("izhikevich2004_patterns.yaml")
    return _by_name(_izhikevich_pattern(content["defaults"] | entry) for entry in content["patterns"])


def _by_name(patterns: Iterable[_Pattern]) -> Catalogue[_Pattern]:
    return Catalogue("pattern", ((pattern.name, pattern) for pattern in patterns))


def mat_parameter_sets() -> Catalogue[AmatParameters]:
    """Read the MAT neurons of Kobayashi et al. (2009) [2]_: AMAT neurons with ``beta = 0``.

    Returns
    -------
    Catalogue
        Parameters by the neuron's name. `tau_v`, which the paper does not have, is without effect.
    """
    columns = {"R": "R_MOhm", "tau_m": "tau_m_ms", "tau_R": "tau_R_ms", "tau_1": "tau_1_ms", "tau_2": "tau_2_ms"}
    columns |= {"alpha_1": "alpha_1_mV", "alpha_2": "alpha_2_mV", "omega": "omega_mV"}
    return Catalogue(
        "MAT neuron",
        (
            (
                row["neuron"],
                AmatParameters.from_paper(
                    {"tau_v": _MAT_TAU_V} | {name: float(row[column]) for name, column in columns.items()}
                ),
            )
            for row in _read_csv("kobayashi2009_mat.csv")
        ),
    )


def _izhikevich_pattern(entry: Mapping[str, Any]) -> IzhikevichPattern:
    values = {name: entry[name] for name in ("a", "b", "c", "d", "V_peak")}
    values |= dict(zip(("q_2", "q_1", "q_0"), entry["quadratic"], strict=True))
    if entry["recovery"] == "accommodation":
        values |= {"leak": 0.0, "V_ref": -65.0}
    return IzhikevichPattern(
        name=entry["pattern"],
        label=entry["label"],
        parameters=IzhikevichParameters(**values),
        current=InputCurrent(_segments(entry), float(entry["baseline"])),
        **{name: float(entry[name]) for name in ("V_0", "u_0", "h", "duration")},
    )


def _segments(entry: Mapping[str, Any]) -> tuple[CurrentSegment, ...]:
    return tuple(
        CurrentSegment(**{key: float(value) for key, value in segment.items()}) for segment in entry["segments"]
    )


def _printed_current(row: Mapping[str, str]) -> InputCurrent:
    """Return the stimulus of a row of Table 1 as a function of time, in pA and ms."""
    segments = []
    t = _ONSET
    slopes = [rate * _RAMP_UNIT_IN_PA_PER_MS[row["ramp_rate_unit"]] for rate in _numbers(row["ramp_rate"])]
    for slope, duration in zip(slopes, _numbers(row["ramp_duration_ms"]) or [math.inf] * len(slopes), strict=True):
        segments.append(CurrentSegment(t, t + duration, 0.0, slope))
        t += duration + _PAUSE
    if constant := 1e3 * sum(_numbers(row["I_c_nA"])):
        segments.append(CurrentSegment(_ONSET, math.inf, constant))
        t += _PAUSE
    amplitudes = [1e3 * value for value in _numbers(row["I_p_nA"])]
    intervals = _numbers(row["IPI_ms"])
    count = len(intervals) + 1 if amplitudes else 0
    durations = _one_each(_numbers(row["D_p_ms"]), count)
    for amplitude, duration, interval in zip(_one_each(amplitudes, count), durations, [*intervals, 0.0], strict=False):
        segments.append(CurrentSegment(t, t + duration, amplitude))
        t += interval + duration
    return InputCurrent(tuple(segments))


def _one_each(values: list[float], count: int) -> list[float]:
    """Repeat a value printed once for `count` pulses."""
    return values * count if len(values) == 1 else values


def _numbers(cell: str) -> list[float]:
    return [float(number) for number in cell.split(";")] if cell else []


def _read_csv(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def _read_yaml(name: str) -> dict[str, Any]:
    content: dict[str, Any] = load_yaml(DATA / name)
    return content
