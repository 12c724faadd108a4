# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""From NESTML's model to the description that the templates of the optimised code need."""

from collections.abc import Iterator
from typing import Any

import sympy
from pynestml.meta_model.ast_assignment import ASTAssignment
from pynestml.meta_model.ast_simple_expression import ASTSimpleExpression
from pynestml.meta_model.ast_variable import ASTVariable
from pynestml.symbols.integer_type_symbol import IntegerTypeSymbol
from pynestml.symbols.symbol import SymbolKind
from pynestml.utils.model_parser import ModelParser
from pynestml.visitors.ast_symbol_table_visitor import ASTSymbolTableVisitor

from nestml_optimised.description import Formula, Jump, NeuronDescription, Variable
from nestml_optimised.errors import UnsupportedModelError
from nestml_optimised.expressions import ScopedVariablePrinter, Translator, cpp_name, is_zero, parse, print_cpp, tidy
from nestml_optimised.slices import find_bound, threshold_distance
from nestml_optimised.transformer import EquationSystem

__all__ = ["analyse"]

#: Marks the state variables that NESTML makes of a convolution.
_CONVOLUTION = "__X__"


def analyse(
    neuron: Any,
    metadata: dict[str, Any],
    printer: Any,
    variables: ScopedVariablePrinter,
    declarations: Any,
    *,
    heun: bool,
    bounds: bool,
) -> NeuronDescription:
    """Describe a neuron whose equations were taken apart by `SystemMatrixTransformer`.

    Parameters
    ----------
    neuron
        NESTML's model, after its analysis by NESTML's generator.
    metadata : dict
        Of this model.
    printer
        NESTML's printer of C++ expressions.
    variables : ScopedVariablePrinter
        The printer's printer of variables; it is given the neuron's names.
    declarations
        NESTML's helper for the types of declarations.
    heun : bool
        Whether nonlinear equations are integrated by Heun's method; otherwise they are refused.
    bounds : bool
        Whether a bound is looked for that lets slices be skipped.

    Raises
    ------
    UnsupportedModelError
        With the reason.
    """
    return _Analysis(neuron, metadata, printer, variables, declarations, heun, bounds).run()


class _Analysis:
    """One neuron's analysis; each step uses what those before it found."""

    def __init__(
        self,
        neuron: Any,
        metadata: dict[str, Any],
        printer: Any,
        variables: ScopedVariablePrinter,
        declarations: Any,
        heun: bool,
        bounds: bool,
    ) -> None:
        self.neuron = neuron
        self.metadata = metadata
        self.printer = printer
        self.names = variables.names = {}
        self.translator = Translator(printer, variables)
        self.declarations = declarations
        self.heun = heun
        self.bounds = bounds
        self.system: EquationSystem = metadata.get("equation_system") or EquationSystem(
            [], sympy.zeros(0, 0), sympy.zeros(0, 1), sympy.zeros(0, 1), {}, {}
        )
        self.result = NeuronDescription(neuron.get_name())
        self.parameters = [_name(symbol) for symbol in neuron.get_parameter_symbols()]
        self.internals = {_name(s): s.get_declaring_expression() for s in neuron.get_internal_symbols()}
        self.inlines = {_name(s): s.get_declaring_expression() for s in neuron.get_inline_expression_symbols()}
        self.linear = self.system.is_linear()
        self.coefficients: dict[str, sympy.Expr] = {}  # of drives, by name

    def run(self) -> NeuronDescription:
        self._refuse_what_is_not_supported()
        self._collect_ports()
        self.values = self._values_of_internals()
        self._expand_system()
        self.distance = threshold_distance(self.neuron, self._expanded, self._is_counter) if self.bounds else None
        shared_internals = self._choose_what_is_shared()
        self._name_everything(shared_internals)
        self._rewrite_spike_input()
        self._precompute_coefficients_of_drives()
        self._declare_variables()
        self._declare_internals(shared_internals)
        self._declare_inlines()
        if self.linear:
            self._describe_linear_system()
        else:
            self._describe_nonlinear_system()
        self._drop_unused_ports()
        self._find_bound()
        return self.result

    def _refuse_what_is_not_supported(self) -> None:
        def refuse(what: str) -> None:
            raise UnsupportedModelError(f"it has {what}, which only NESTML's templates support")

        neuron = self.neuron
        if neuron.has_state_vectors() or neuron.get_vector_symbols():
            refuse("vectors")
        if neuron.has_delay_variables():
            refuse("delayed variables")
        if self.metadata.get("delta_factors"):
            refuse("convolutions with a delta function")
        if self.metadata.get("paired_synapses"):
            refuse("state variables of a synapse")
        if neuron.get_functions():
            refuse("functions of its own")
        if len(neuron.get_continuous_input_ports()) > 1:
            refuse("more than one continuous input port")
        if not self.linear and not self.heun:
            terms = zip(self.system.variables, self.system.nonlinear, strict=True)
            names = [name for name, term in terms if term != 0] or self.system.variables
            raise UnsupportedModelError(
                f"its equations for {', '.join(names)} are not linear with constant coefficients; the option "
                "numeric_solver: Heun integrates them numerically"
            )

    def _collect_ports(self) -> None:
        """Accept one port for all spikes, or one for each sign of their weights."""
        ports = self.neuron.get_spike_input_ports()
        both = [port for port in ports if port.is_excitatory() == port.is_inhibitory()]
        exc = [port for port in ports if port.is_excitatory() and port not in both]
        inh = [port for port in ports if port.is_inhibitory() and port not in both]
        if [len(both), len(exc), len(inh)] not in ([0, 0, 0], [1, 0, 0], [0, 1, 1]):
            raise UnsupportedModelError(
                "it has other spike ports than one, or one excitatory and one inhibitory: "
                + ", ".join(map(_name, ports))
            )
        self.result.receives_spikes = bool(ports)
        self.result.ports = [Variable(_name(port), _name(port), "double") for port in both + exc + inh]
        for port in self.neuron.get_continuous_input_ports():
            self.result.current = _name(port)

    def _values_of_internals(self) -> dict[str, sympy.Expr]:
        """Return the internal variables that are numbers, such as a unit."""
        values: dict[str, sympy.Expr] = {}
        for name, expression in self.internals.items():
            try:
                value = tidy(self.translator.to_sympy(expression).xreplace(_symbols(values)))
            except UnsupportedModelError:
                continue
            if value.is_number and value.is_finite:
                values[name] = value
        return values

    def _expanded(self, expression: Any) -> sympy.Expr:
        """Return a NESTML expression with inline expressions, and internals that are numbers, written out."""
        value = self.translator.to_sympy(expression)
        while found := [str(s) for s in value.free_symbols if str(s) in self.inlines or str(s) in self.values]:
            value = value.xreplace(
                {
                    sympy.Symbol(name): self.values[name]
                    if name in self.values
                    else self.translator.to_sympy(self.inlines[name])
                    for name in found
                }
            )
        return tidy(value)

    def _expand_system(self) -> None:
        """Take timers out of the system, and write out what is constant in it."""
        system = self.system
        self.matrix = system.matrix.applyfunc(lambda entry: tidy(parse(str(entry), self.values)))
        self.inhomogeneous = [tidy(parse(str(entry), self.values)) for entry in system.inhomogeneous]
        timers = [
            i
            for i, value in enumerate(self.inhomogeneous)
            if value == -1
            and all(is_zero(x) for x in list(self.matrix[i, :]) + list(self.matrix[:, i]))
            and system.nonlinear[i] == 0
        ]
        self.result.countdowns = [system.variables[i] for i in timers]
        self.kept = [i for i in range(len(system.variables)) if i not in timers]
        self.variables = [system.variables[i] for i in self.kept]
        self.result.convolutions = [name for name in self.variables if _CONVOLUTION in name]
        if not self.linear and self.result.convolutions:
            raise UnsupportedModelError("it has convolutions beside equations that are not linear")

    def _is_counter(self, name: str) -> bool:
        """Return whether a variable counts steps: a timer, or an integer."""
        if name in self.result.countdowns:
            return True
        return any(
            _name(s) == name and isinstance(s.get_type_symbol(), IntegerTypeSymbol)
            for s in self.neuron.get_state_symbols()
        )

    def _choose_what_is_shared(self) -> set[str]:
        """Find the parameters that enter what is computed beforehand; return the internals that are."""
        shared_internals = {
            name
            for block in self.neuron.get_update_blocks() + self.neuron.get_on_receive_blocks()
            for name in self._names_in(block)
            if name in self.internals and name not in self.values
        }
        entering: set[str] = set()
        if self.linear:
            for i in self.kept:
                entering |= {str(s) for j in self.kept for s in self.matrix[i, j].free_symbols}
            for name in self.result.convolutions:
                entering |= {str(s) for s in parse(self.system.initial_values[name], self.values).free_symbols}
            if self.distance is not None:
                for name in map(_name, self.neuron.get_state_symbols()):
                    entering |= {str(s) for s in sympy.diff(self.distance, sympy.Symbol(name)).free_symbols}
        shared_internals |= {name for name in entering if name in self.internals}
        waiting = sorted(shared_internals)
        while waiting:
            names = self._names_in(self.internals[waiting.pop()])
            entering |= names
            new = {name for name in names if name in self.internals and name not in self.values} - shared_internals
            shared_internals |= new
            waiting += sorted(new)
        strange = entering - set(self.parameters) - set(self.internals)
        if strange:
            raise UnsupportedModelError(f"coefficients depend on {', '.join(sorted(strange))}")
        self.shared = [name for name in self.parameters if name in entering]
        return shared_internals

    def _names_in(self, node: Any) -> set[str]:
        """Return the names of the variables in a part of the model, those inside inline expressions included."""
        names = {cpp_name(variable.get_complete_name()) for variable in _variables_in(node)}
        for name in sorted(names & set(self.inlines)):
            names |= self._names_in(self.inlines[name])
        return names

    def _name_everything(self, shared_internals: set[str]) -> None:
        names = self.names
        for symbol in self.neuron.get_state_symbols():
            names[_name(symbol)] = f"s.{_name(symbol)}"
        for name in self.parameters:
            names[name] = f"c.{name}" if name in self.shared else f"p.{name}"
        for name in self.internals:
            if name in self.values:
                names[name] = name
            elif name in shared_internals:
                names[name] = f"c.{name}"
            else:
                names[name] = f"compute_{name}( p, c )"
        for name in self.inlines:
            names[name] = f"compute_{name}( s, p, c, in )"
        for port in self.result.ports:
            names[port.cpp] = f"in.{port.cpp}"
        if self.result.current:
            names[self.result.current] = f"in.{self.result.current}"

    def _rewrite_spike_input(self) -> None:
        """Cancel units where spike input is used.

        A port is in 1/s in NESTML, so that models multiply it by 1 s. The two factors need not cancel in floating
        point, and would cost a step two operations.
        """
        ports = [sympy.Symbol(port.cpp) for port in self.result.ports]
        for block in self.neuron.get_update_blocks() + self.neuron.get_on_receive_blocks():
            for assignment in _assignments_in(block):
                names = {cpp_name(v.get_complete_name()) for v in _variables_in(assignment.get_expression())}
                found = [port for port in ports if str(port) in names]
                if not found:
                    continue
                value = self.translator.to_sympy(assignment.get_expression())
                value = sympy.expand(value.xreplace({port: port / 1000 for port in found}))
                value = sum(
                    (port * sympy.nsimplify(value.coeff(port), rational=True, tolerance=1e-12) for port in found),
                    value.xreplace(dict.fromkeys(found, sympy.Integer(0))),
                )
                if any(is_zero(sympy.diff(value, port)) or sympy.diff(value, port).has(port) for port in found):
                    raise UnsupportedModelError(f"{assignment} is not linear in the spike input")
                self._replace(assignment, value.xreplace(_symbols(self.values)))
        for block in self.neuron.get_on_receive_blocks():
            statements = block.get_stmts_body().get_stmts()
            simple = [
                s.small_stmt.get_assignment() for s in statements if s.is_small_stmt() and s.small_stmt.is_assignment()
            ]
            if len(simple) != len(statements) or not all(a.is_compound_sum or a.is_compound_minus for a in simple):
                raise UnsupportedModelError(
                    f"onReceive({block.get_port_name()}) does something else than to add to or subtract from variables"
                )
            for assignment in simple:
                port = sympy.Symbol(block.get_port_name())
                if not is_zero(
                    self.translator.to_sympy(assignment.get_expression()).xreplace({port: sympy.Integer(0)})
                ):
                    raise UnsupportedModelError(f"{assignment} does not vanish without a spike")

    def _precompute_coefficients_of_drives(self) -> None:
        """Take what only depends on shared parameters out of drives, which every update computes."""
        if not self.linear:
            return
        changing = {self.system.variables[i] for i in self.kept if not is_zero(self.matrix[i, :].norm())}
        constant = set(self.variables) - changing
        self.inhomogeneous = [
            self._with_coefficients(term, f"drive_{name}")
            for term, name in zip(self.inhomogeneous, self.system.variables, strict=True)
        ]
        for block in self.neuron.get_update_blocks():
            for assignment in _assignments_in(block):
                name = cpp_name(assignment.get_variable().get_complete_name())
                if name in constant and assignment.is_direct_assignment:
                    value = self._with_coefficients(self._expanded(assignment.get_expression()), name)
                    self._replace(assignment, value)

    def _with_coefficients(self, expression: sympy.Expr, name: str) -> sympy.Expr:
        shared = [sympy.Symbol(parameter) for parameter in self.shared]
        terms = []
        for term in sympy.Add.make_args(sympy.expand(expression)):
            own, coefficient = term.as_independent(*shared)
            if len(own.free_symbols) == 1 and own.is_Symbol and not coefficient.is_Symbol and coefficient != 1:
                symbol = sympy.Symbol(f"{name}_per_{own}")
                self.coefficients[str(symbol)] = coefficient
                self.names[str(symbol)] = f"c.{symbol}"
                terms.append(symbol * own)
            else:
                terms.append(term)
        return sum(terms, sympy.Integer(0))

    def _replace(self, assignment: Any, value: sympy.Expr) -> None:
        """Put another expression on the right-hand side of an assignment."""
        rewritten = ModelParser.parse_expression(str(value))
        rewritten.update_scope(assignment.get_scope())
        rewritten.accept(ASTSymbolTableVisitor())
        assignment.rhs = rewritten

    def _declare_variables(self) -> None:
        for block in self.neuron.get_parameters_blocks() + self.neuron.get_state_blocks():
            for declaration in block.get_declarations():
                for variable in declaration.get_variables():
                    self._declare_variable(variable, declaration)

    def _declare_variable(self, variable: Any, declaration: Any) -> None:
        name = variable.get_complete_name()
        cpp = cpp_name(name)
        symbol = variable.get_scope().resolve_to_symbol(name, SymbolKind.VARIABLE)
        kind = self.declarations.print_variable_type(symbol)
        if cpp in self.result.countdowns:
            kind = "nestml_optimised::Countdown"
        if kind not in ("double", "long", "bool", "nestml_optimised::Countdown"):
            raise UnsupportedModelError(f"the variable {name} is of the type {kind}")
        hidden = _CONVOLUTION in cpp
        value = "0" if hidden or not declaration.has_expression() else self.printer.print(declaration.get_expression())
        comment = " ".join(" ".join(map(str, declaration.get_comments())).split())
        made = Variable(name, cpp, kind, value, comment, hidden)
        self.result.defaults.append(Formula(self.names[cpp], value))
        if cpp in self.parameters:
            (self.result.shared if cpp in self.shared else self.result.own).append(made)
        else:
            self.result.state.append(made)

    def _used_names(self) -> set[str]:
        """Return all names that the generated functions refer to."""
        neuron = self.neuron
        blocks = neuron.get_update_blocks() + neuron.get_on_receive_blocks() + neuron.get_on_condition_blocks()
        declarations = [
            d for b in neuron.get_state_blocks() + neuron.get_parameters_blocks() for d in b.get_declarations()
        ]
        used = {name for node in blocks + declarations for name in self._names_in(node)}
        for symbol in neuron.get_inline_expression_symbols():
            if symbol.is_recordable:
                used |= {_name(symbol)} | self._names_in(symbol.get_declaring_expression())
        if self.linear:
            used |= {str(s) for entry in self.inhomogeneous for s in entry.free_symbols}
        else:
            for text in self.system.right_hand_sides.values():
                used |= {str(s) for s in parse(text).free_symbols}
        return used

    def _declare_internals(self, shared_internals: set[str]) -> None:
        used = self._used_names() | shared_internals
        for name in [n for n in self.internals if n in used]:
            used |= self._names_in(self.internals[name])
        for name, expression in self.internals.items():
            if name not in used:
                continue
            if name in self.values:
                self.result.constants.append(Formula(name, _number(self.values[name])))
            elif name in shared_internals:
                self.result.shared_internals.append(Formula(name, self.printer.print(expression)))
            else:
                self.result.internals.append(Formula(name, self.printer.print(expression), self._type_of(name)))

        for name, value in self.coefficients.items():
            self.result.shared_internals.append(Formula(name, self.translator.to_cpp(value)))

    def _type_of(self, internal: str) -> str:
        symbols = {_name(symbol): symbol for symbol in self.neuron.get_internal_symbols()}
        return str(self.declarations.print_variable_type(symbols[internal]))

    def _declare_inlines(self) -> None:
        used = self._used_names()
        for symbol in self.neuron.get_inline_expression_symbols():
            name = _name(symbol)
            if name in used:
                self.result.inlines.append(Formula(name, self.printer.print(self.inlines[name])))
            if symbol.is_recordable:
                self.result.recordable_inlines.append(name)

    def _describe_linear_system(self) -> None:
        result = self.result
        result.variables = self.variables
        order = len(self.kept)
        entries = {
            (row, column): self.matrix[i, j]
            for row, i in enumerate(self.kept)
            for column, j in enumerate(self.kept)
            if not is_zero(self.matrix[i, j])
        }
        # Inhomogeneous terms become constant states: a drive each, or one for those that are proportional.
        drives: list[tuple[int, sympy.Expr]] = []
        for row, i in enumerate(self.kept):
            term = self.inhomogeneous[i]
            if is_zero(term):
                continue
            for column, (_, drive) in enumerate(drives):
                ratio = sympy.simplify(term / drive)
                if {str(s) for s in ratio.free_symbols} <= set(self.shared):
                    entries[row, order + column] = ratio
                    break
            else:
                entries[row, order + len(drives)] = sympy.Integer(1)
                drives.append((row, term))
        result.drives = [Formula(self.variables[row], self.translator.to_cpp(term)) for row, term in drives]
        result.matrix = {place: print_cpp(entry) for place, entry in sorted(entries.items())}
        result.matrix_names = sorted({str(s) for entry in entries.values() for s in entry.free_symbols})
        result.pattern = _reachable(set(entries), order + len(drives), order)
        for name in result.convolutions:
            factor = tidy(parse(self.system.initial_values[name], self.values))
            port = name.split(_CONVOLUTION)[1].removesuffix("__d")
            while port.endswith("__d"):
                port = port.removesuffix("__d")
            if not is_zero(factor):
                result.jumps.append(Jump(name, port, "" if factor == 1 else self.translator.to_cpp(factor)))

    def _drop_unused_ports(self) -> None:
        """What nothing reads needs no buffer."""
        used = self._used_names() | {jump.port for jump in self.result.jumps}
        if not any(port.cpp in used for port in self.result.ports):
            self.result.ports = []

    def _describe_nonlinear_system(self) -> None:
        scope = self.neuron.get_scope()
        for name in self.variables:
            expression = ModelParser.parse_expression(self.system.right_hand_sides[name])
            expression.update_scope(scope)
            expression.accept(ASTSymbolTableVisitor())
            self.result.derivatives.append(Formula(name, self.printer.print(expression)))

    def _find_bound(self) -> None:
        if not self.bounds:
            self.result.no_bound = "it was switched off"
        elif not self.linear or not self.variables:
            self.result.no_bound = "there is no linear system"
        elif self.distance is None:
            self.result.no_bound = "the condition for a spike is not one comparison beside a refractory counter"
        else:
            driving = {str(s) for i in self.kept for s in self.inhomogeneous[i].free_symbols}
            driving |= {name for inline in driving & set(self.inlines) for name in self._names_in(self.inlines[inline])}
            try:
                self.result.bound = find_bound(
                    self.neuron, self.result, self.distance, self._expanded, self._is_counter, self.translator, driving
                )
            except UnsupportedModelError as reason:
                self.result.no_bound = str(reason)


def _name(symbol: Any) -> str:
    return cpp_name(symbol.get_symbol_name())


def _symbols(values: dict[str, sympy.Expr]) -> dict[sympy.Symbol, sympy.Expr]:
    return {sympy.Symbol(name): value for name, value in values.items()}


def _number(value: sympy.Expr) -> str:
    return repr(float(value))


def _variables_in(node: Any) -> Iterator[ASTVariable]:
    """Yield the variables in a part of NESTML's syntax tree."""
    if isinstance(node, ASTVariable):
        yield node
    elif isinstance(node, ASTSimpleExpression) and node.is_numeric_literal_with_unit():
        return  # the unit is a variable in the tree
    for child in node.get_children():
        if child is not None:
            yield from _variables_in(child)


def _assignments_in(block: Any) -> list[Any]:
    """Return all assignments in a part of the tree."""
    if isinstance(block, ASTAssignment):
        return [block]
    return [found for child in block.get_children() if child is not None for found in _assignments_in(child)]


def _reachable(entries: set[tuple[int, int]], dimension: int, order: int) -> list[tuple[int, int]]:
    """Return where the exponential of a matrix may differ from zero, without the rows of constant states."""
    reach = [[i == j or (i, j) in entries for j in range(dimension)] for i in range(dimension)]
    for k in range(dimension):
        for i in range(dimension):
            for j in range(dimension):
                reach[i][j] = reach[i][j] or (reach[i][k] and reach[k][j])
    changing = {i for i, _ in entries}
    return [(i, j) for i in range(order) for j in range(dimension) if reach[i][j] and i in changing]
