"""A tiny expression language for rule conditions, with three-valued logic.

A condition such as ``gas_lel_vol >= 4 and gas_reading_vol > max_vol`` is parsed with ``ast``, checked against a short
list of allowed forms and turned into nested Python functions once, when the table is loaded. Nothing is ever executed
as code. A name without a usable value gives `Unknown`, which spreads (Kleene logic) unless the known values already
decide: ``False and unknown`` is False, ``True or unknown`` is True, everything else stays unknown.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Lookup = Callable[[str], Any]
Compiled = Callable[[Lookup], Any]


@dataclass(frozen=True, slots=True)
class Unknown:
    """No usable value; `names` are the facts that would settle it."""

    names: frozenset[str]

    def __bool__(self) -> bool:
        raise TypeError("an unknown value has no truth")


class BadExpression(ValueError):
    """The condition uses a form the rule table does not allow, or a name nobody declared."""


def unknown(*names: str) -> Unknown:
    return Unknown(frozenset(names))


def _join(values: list[Any]) -> Unknown:
    names: set[str] = set()
    for value in values:
        if type(value) is Unknown:
            names |= value.names
    return Unknown(frozenset(names))


_COMPARE: dict[type, Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
_NULL_SAFE = (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)


@dataclass(frozen=True)
class Expression:
    """A compiled condition. `names` are the facts it reads; call it with a lookup to get True, False or Unknown."""

    source: str
    names: frozenset[str]
    run: Compiled

    def __call__(self, lookup: Lookup) -> Any:
        return self.run(lookup)


def compile_expression(
    source: str, *, constants: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]
) -> Expression:
    """Compile one condition. `constants` are the rule's own limits; `functions` may receive and return Unknown.

    Raises BadExpression for a form outside the list, an unknown function, or text that does not parse.
    """
    try:
        tree = ast.parse(source, mode="eval").body
    except SyntaxError as error:
        raise BadExpression(f"{source!r}: {error.msg}") from error
    compiler = _Compiler(constants, functions)
    run = compiler.build(tree)
    return Expression(source, frozenset(compiler.names), run)


class _Compiler:
    def __init__(self, constants: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]):
        self.constants, self.functions = constants, functions
        self.names: set[str] = set()

    def build(self, node: ast.AST) -> Compiled:
        method = getattr(self, f"_{type(node).__name__}", None)
        if method is None:
            raise BadExpression(f"{ast.unparse(node)!r}: {type(node).__name__} is not allowed")
        return method(node)

    def _Constant(self, node: ast.Constant) -> Compiled:
        value = node.value
        if value is not None and type(value) not in (bool, int, float, str):
            raise BadExpression(f"{value!r} is not allowed")
        return lambda _look: value

    def _Name(self, node: ast.Name) -> Compiled:
        name = node.id
        if name in self.constants:
            constant = self.constants[name]
            return lambda _look: constant
        self.names.add(name)
        return lambda look: look(name)

    def _List(self, node: ast.List) -> Compiled:
        if not all(isinstance(item, ast.Constant) for item in node.elts):
            raise BadExpression("a list may hold only plain values")
        values = tuple(item.value for item in node.elts)  # type: ignore[attr-defined]
        return lambda _look: values

    def _BoolOp(self, node: ast.BoolOp) -> Compiled:
        parts = tuple(self.build(value) for value in node.values)
        decisive = isinstance(node.op, ast.Or)

        def run(look: Lookup) -> Any:
            open_parts = []
            for part in parts:
                value = part(look)
                if type(value) is Unknown:
                    open_parts.append(value)
                elif bool(value) is decisive:
                    return decisive
            return _join(open_parts) if open_parts else not decisive

        return run

    def _UnaryOp(self, node: ast.UnaryOp) -> Compiled:
        if not isinstance(node.op, ast.Not):
            raise BadExpression(f"{ast.unparse(node)!r}: only 'not' is allowed")
        inner = self.build(node.operand)

        def run(look: Lookup) -> Any:
            value = inner(look)
            return value if type(value) is Unknown else not value

        return run

    def _Compare(self, node: ast.Compare) -> Compiled:
        if len(node.ops) != 1:
            raise BadExpression(f"{ast.unparse(node)!r}: chain comparisons with 'and'")
        left, op, right = node.left, node.ops[0], node.comparators[0]
        if isinstance(right, ast.IfExp):  # x > (a if t else b): compare inside, so that an unknown t may still decide
            return self._if(right.test, ast.Compare(left, [op], [right.body]), ast.Compare(left, [op], [right.orelse]))
        a, b = self.build(left), self.build(right)
        if isinstance(op, (ast.Is, ast.IsNot)):
            if not (isinstance(right, ast.Constant) and right.value is None):
                raise BadExpression("'is' may only be used with None")
            wanted = isinstance(op, ast.Is)
            return lambda look: v if type(v := a(look)) is Unknown else (v is None) is wanted
        return _comparison(a, b, _COMPARE[type(op)], null_safe=isinstance(op, _NULL_SAFE), names=self._read(node))

    def _BinOp(self, node: ast.BinOp) -> Compiled:
        function = _ARITHMETIC.get(type(node.op))
        if function is None:
            raise BadExpression(f"{ast.unparse(node)!r}: only + - * are allowed")
        a, b = self.build(node.left), self.build(node.right)
        return _comparison(a, b, function, null_safe=False, names=self._read(node))

    def _IfExp(self, node: ast.IfExp) -> Compiled:
        return self._if(node.test, node.body, node.orelse)

    def _if(self, test: ast.expr, body: ast.expr, orelse: ast.expr) -> Compiled:
        t, a, b = self.build(test), self.build(body), self.build(orelse)

        def run(look: Lookup) -> Any:
            chosen = t(look)
            if type(chosen) is not Unknown:
                return a(look) if chosen else b(look)
            first, second = a(look), b(look)
            if type(first) is Unknown or type(second) is Unknown:
                return _join([chosen, first, second])
            return first if first == second else chosen

        return run

    def _Call(self, node: ast.Call) -> Compiled:
        if not isinstance(node.func, ast.Name) or node.keywords or node.func.id not in self.functions:
            raise BadExpression(f"{ast.unparse(node)!r}: this function is not allowed")
        function = self.functions[node.func.id]
        arguments = tuple(self.build(argument) for argument in node.args)
        names = self._read(*node.args)

        def run(look: Lookup) -> Any:
            values = [argument(look) for argument in arguments]
            if getattr(function, "takes_unknown", False):
                return function(*values)
            open_values = [value for value in values if type(value) is Unknown]
            if open_values:
                return _join(open_values)
            return Unknown(names) if None in values else function(*values)

        return run

    def _read(self, *nodes: ast.AST) -> frozenset[str]:
        """The facts that these nodes read."""
        found = {leaf.id for node in nodes for leaf in ast.walk(node) if isinstance(leaf, ast.Name)}
        return frozenset(found - set(self.constants) - set(self.functions))


def _comparison(a: Compiled, b: Compiled, function: Callable, *, null_safe: bool, names: frozenset[str]) -> Compiled:
    def run(look: Lookup) -> Any:
        x, y = a(look), b(look)
        if type(x) is Unknown or type(y) is Unknown:
            return _join([x, y])
        if (x is None or y is None) and not null_safe:
            return Unknown(names)  # "known to be none" cannot be compared with a limit
        return function(x, y)

    return run
