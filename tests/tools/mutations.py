# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mutants of a Python source. Each mutant differs from the source in one place. Pure.

A mutant is a node of the syntax tree with its replacement. Code whose change no test can or should notice is not mutated:
docstrings, annotations, type aliases, `__all__`, imports, decorators, protocols, the flags of dataclass fields.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Union

__all__ = ["TABLE", "Mutant", "mutants_of", "mutated"]

#: The path from a tree to a node in it: names of fields and, in a list, indices.
Path = tuple[tuple[str, Union[int, None]], ...]
#: The results of an operator: the kind of the mutation and the new node.
Variants = Iterator[tuple[str, ast.AST]]


@dataclass(frozen=True)
class Mutant:
    """One change of one source file.

    `function` is the qualified name of the function that holds it, empty at module or class level. `lines` are the first
    and last line of the simple statement, or of the head of the compound statement, that holds it.
    """

    file: str
    function: str
    kind: str
    before: str
    after: str
    line: int
    lines: tuple[int, int]
    path: Path = field(repr=False)
    replacement: ast.AST = field(repr=False, compare=False)

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """The identity of the mutant. It stays the same if the line moves within its function."""
        return self.file, self.function, self.kind, self.before, self.after

    def __str__(self) -> str:
        before, after = _difference(self.before, self.after)
        return f"{self.file}:{self.line}: {self.kind} in {self.function or 'the module'}: {before} -> {after}"


def mutants_of(source: str, file: str) -> list[Mutant]:
    """All mutants of a source, in the order of their places. No two mutants of one place are the same."""
    found = {(mutant.path, ast.dump(mutant.replacement)): mutant for mutant in _Walk(file).of(ast.parse(source))}
    return [mutant for mutant in found.values() if mutant.before != mutant.after]


def mutated(source: str, mutant: Mutant) -> ast.Module:
    """The syntax tree of the source with the mutant's change."""
    tree = ast.parse(source)
    *way, (name, index) = mutant.path
    holder: ast.AST = tree
    for step, place in way:
        holder = getattr(holder, step) if place is None else getattr(holder, step)[place]
    old = getattr(holder, name) if index is None else getattr(holder, name)[index]
    new = ast.copy_location(copy.deepcopy(mutant.replacement), old)
    if index is None:
        setattr(holder, name, new)
    else:
        getattr(holder, name)[index] = new
    return ast.fix_missing_locations(tree)


@dataclass(frozen=True)
class _Place:
    """The position of a node: its path, its parents (the nearest last), its function and the lines of its statement."""

    path: Path = ()
    parents: tuple[ast.AST, ...] = ()
    names: tuple[str, ...] = ()
    in_function: bool = False
    lines: tuple[int, int] = (0, 0)

    @property
    def parent(self) -> ast.AST | None:
        return self.parents[-1] if self.parents else None


class _Walk:
    def __init__(self, file: str) -> None:
        self._file = file

    def of(self, node: ast.AST, place: _Place | None = None) -> Iterator[Mutant]:
        place = place or _Place()
        if _is_skipped(node, place):
            return
        if isinstance(node, ast.stmt):
            place = _Place(place.path, place.parents, place.names, place.in_function, _head(node))
        elif isinstance(node, ast.excepthandler):
            place = _Place(place.path, place.parents, place.names, place.in_function, (node.lineno, node.lineno))
        for operator in _OPERATORS:
            for kind, replacement in operator(node, place):
                yield self._mutant(node, place, kind, replacement)
        yield from self._children(node, place)

    def _mutant(self, node: ast.AST, place: _Place, kind: str, replacement: ast.AST) -> Mutant:
        return Mutant(
            file=self._file,
            function=".".join(place.names) if place.in_function else "",
            kind=kind,
            before=_text(node),
            after=_text(replacement),
            line=getattr(node, "lineno", place.lines[0]),
            lines=place.lines,
            path=place.path,
            replacement=replacement,
        )

    def _children(self, node: ast.AST, place: _Place) -> Iterator[Mutant]:
        names, in_function = place.names, place.in_function
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names = (*names, node.name)
        for name, value in ast.iter_fields(node):
            if name in _SKIPPED_FIELDS.get(type(node), ()):
                continue
            # The defaults of a function belong to it, but are evaluated at its definition.
            inside = in_function or (isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and name == "body")
            for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(child, ast.AST):
                    path = (*place.path, (name, index))
                    yield from self.of(child, _Place(path, (*place.parents, node), names, inside, place.lines))


#: Fields without behaviour, or only for type checkers.
_SKIPPED_FIELDS: dict[type, tuple[str, ...]] = {
    ast.FunctionDef: ("decorator_list", "returns", "type_params"),
    ast.AsyncFunctionDef: ("decorator_list", "returns", "type_params"),
    ast.ClassDef: ("decorator_list", "bases", "keywords", "type_params"),
    ast.AnnAssign: ("annotation", "target"),
    ast.arg: ("annotation",),
    ast.FormattedValue: ("format_spec",),
}
_TYPING = {"TypeVar", "NewType", "ParamSpec", "namedtuple", "NamedTuple", "TypedDict"}
_GENERIC = {
    *("dict", "list", "tuple", "set", "frozenset", "type", "Annotated", "Literal", "Optional", "Union"),
    *("Callable", "Collection", "Iterable", "Iterator", "Generator", "Mapping", "MutableMapping", "Sequence", "Set"),
}


def _name(node: ast.AST | None) -> str:
    """The last part of a dotted name, such as `Mapping` of `collections.abc.Mapping`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_skipped(node: ast.AST, place: _Place) -> bool:
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.Assert)):
        return True
    if isinstance(node, ast.keyword):
        return node.arg in _SILENT
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True  # a docstring, or the ellipsis of a stub
    if isinstance(node, ast.ClassDef):
        return bool({"Protocol", "TypedDict", "NamedTuple"} & {_name(base) for base in node.bases})
    if isinstance(node, ast.If):
        names = {child.id for child in ast.walk(node.test) if isinstance(child, ast.Name)}
        return bool(names & {"TYPE_CHECKING", "__name__"})
    if isinstance(node, ast.Raise):
        return _name(getattr(node.exc, "func", node.exc)) == "NotImplementedError"
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        return _is_for_type_checkers(node) or _is_member(node, place)
    return _is_first_of_cast(node, place)


def _is_for_type_checkers(node: ast.Assign | ast.AnnAssign) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if {_name(target) for target in targets} & {"__all__", "__slots__", "__metaclass__"}:
        return True
    if isinstance(node, ast.AnnAssign) and _name(node.annotation) == "TypeAlias":
        return True
    value = node.value
    if isinstance(value, ast.Call):
        return _name(value.func) in _TYPING
    if isinstance(value, ast.BinOp):  # a type alias for a union, recognised by its name
        return all(name != name.upper() and name[:1].isupper() for name in map(_name, targets))
    return isinstance(value, ast.Subscript) and _name(value.value) in _GENERIC


def _is_member(node: ast.Assign | ast.AnnAssign, place: _Place) -> bool:
    """Whether the node is a member of an enumeration that is only used by name."""
    bases = {_name(base) for base in getattr(place.parent, "bases", [])}
    return bases == {"Enum"} and isinstance(node.value, ast.Constant)


def _is_first_of_cast(node: ast.AST, place: _Place) -> bool:
    parent = place.parent
    return isinstance(parent, ast.Call) and _name(parent.func) == "cast" and parent.args[:1] == [node]


def _head(node: ast.stmt) -> tuple[int, int]:
    """The lines of a statement, without its body."""
    body = getattr(node, "body", None)
    last = body[0].lineno - 1 if isinstance(body, list) and body else node.end_lineno or node.lineno
    return node.lineno, max(node.lineno, last)


#: Maximum number of characters of a mutant's source in a message, and their number before and after a difference in a longer one.
_SHOWN, _AROUND = 200, 40


def _difference(before: str, after: str) -> tuple[str, str]:
    """Both texts or, of long ones, the parts around their first difference."""
    if len(before) <= _SHOWN:
        return before, after
    same = next((index for index, (old, new) in enumerate(zip(before, after, strict=False)) if old != new), len(after))
    start = max(same - _AROUND, 0)
    removed = max(len(before) - len(after), 0)
    ends = (start + 2 * _AROUND + removed, start + 2 * _AROUND)
    first, second = (text[start:end] for text, end in zip((before, after), ends, strict=True))
    return f"...{first}...", f"...{second}..."


def _text(node: ast.AST) -> str:
    """The node's source on one line. For a compound statement, only its head."""
    if isinstance(node, (ast.JoinedStr, ast.FormattedValue)):
        return ast.unparse(node if isinstance(node, ast.JoinedStr) else ast.JoinedStr([node]))
    text = ast.unparse(node)
    if isinstance(node, (ast.If, ast.While, ast.For, ast.ExceptHandler)):
        return text.splitlines()[0]
    return " ".join(text.split())


def _with(node: ast.AST, **fields: object) -> ast.AST:
    """A copy of the node with other fields."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _without(items: list[ast.expr], index: int) -> list[ast.expr]:
    return [*items[:index], *items[index + 1 :]]


_COMPARISONS: dict[type, tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}


def _comparison(node: ast.AST, _place: _Place) -> Variants:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            for other in _COMPARISONS[type(operator)]:
                ops = [*node.ops[:index], other(), *node.ops[index + 1 :]]
                yield "comparison", _with(node, ops=ops)


def _boolean(node: ast.AST, _place: _Place) -> Variants:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not", node.operand
    if not isinstance(node, ast.BoolOp):
        return
    yield "and/or", _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for index in range(len(node.values)):
        rest = _without(node.values, index)
        yield "operand", rest[0] if len(rest) == 1 else _with(node, values=rest)


_ARITHMETIC: dict[type, type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}


def _arithmetic(node: ast.AST, _place: _Place) -> Variants:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "arithmetic", node.operand
    if isinstance(node, ast.AugAssign) and type(node.op) in _ARITHMETIC:
        yield "arithmetic", _with(node, op=_ARITHMETIC[type(node.op)]())
    if not isinstance(node, ast.BinOp):
        return
    if isinstance(node.op, (ast.Sub, ast.BitOr, ast.BitAnd)):
        yield "operand", node.left  # including operators on sets and mappings
    if any(isinstance(side, ast.JoinedStr) or _is_text(side) for side in (node.left, node.right)):
        yield from (("operand", side) for side in (node.left, node.right))
    elif type(node.op) in _ARITHMETIC:
        yield "arithmetic", _with(node, op=_ARITHMETIC[type(node.op)]())


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))


def _constant(node: ast.AST, place: _Place) -> Variants:
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield "constant", ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield "constant", ast.Constant(value + 1)
    elif isinstance(value, str):
        sentence = " " in value.strip() or isinstance(place.parent, ast.JoinedStr)
        yield "text" if sentence else "string", ast.Constant(_other_text(value))
    elif isinstance(value, bytes):
        yield "string", ast.Constant(b"XX" + value)


def _other_text(value: str) -> str:
    """A text with additional letters. A set of signs, such as `*?[`, loses its first sign."""
    if len(value) > 1 and not any(sign.isalnum() or sign.isspace() for sign in value):
        return value[1:]
    return f"XX{value}XX" if value else "XX"


def _format(node: ast.AST, place: _Place) -> Variants:
    if isinstance(node, ast.FormattedValue) and isinstance(place.parent, ast.JoinedStr):
        yield "text", ast.Constant("XX")


#: The kind of the mutants of constant tables.
TABLE = "table"
#: Maximum number of mutated elements of another literal. Further elements are alike.
_ELEMENTS = 6


def _literal(node: ast.AST, place: _Place) -> Variants:
    """A literal without one of its elements. A literal that is unpacked or returned as several values keeps its size."""
    kind, most = (TABLE, None) if _is_table(place) and not _is_version(node) else ("element", _ELEMENTS)
    if isinstance(node, ast.Dict):
        for index in range(len(node.keys))[:most]:
            keys = [*node.keys[:index], *node.keys[index + 1 :]]
            yield kind, ast.Dict(keys, _without(node.values, index))
    elif isinstance(node, (ast.List, ast.Tuple, ast.Set)) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        several = (ast.Return, ast.Assign, ast.Subscript, ast.Yield)
        if isinstance(node, ast.Tuple) and isinstance(place.parent, several) and kind != TABLE:
            return
        for index in range(len(node.elts))[:most]:
            rest = _without(node.elts, index)
            empty = ast.Call(ast.Name("set", ast.Load()), [], [])
            yield kind, _with(node, elts=rest) if rest or not isinstance(node, ast.Set) else empty


def _is_version(node: ast.AST) -> bool:
    """Whether it is a tuple of numbers, which is one value. Without its first number, a version is later than every other one."""
    elements = node.elts if isinstance(node, ast.Tuple) else []
    return bool(elements) and all(isinstance(one, ast.Constant) and isinstance(one.value, int) for one in elements)


def _is_table(place: _Place) -> bool:
    """Whether the value of a constant of a module or a class is at that place: all its elements have a meaning of their own."""
    *others, parent = (None, *place.parents)
    if isinstance(parent, ast.Call) and _name(parent.func) in ("frozenset", "set", "tuple", "dict", "MappingProxyType"):
        parent = others[-1]
    if place.in_function or not isinstance(parent, (ast.Assign, ast.AnnAssign)):
        return False
    targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
    return all(isinstance(target, ast.Name) and target.id.isupper() for target in targets)


#: Keywords whose change no test can notice here: flags of dataclass fields, defaults of the platform.
_SILENT = {
    *("repr", "compare", "hash", "init", "kw_only", "slots", "frozen"),
    *("encoding", "strict", "daemon", "thread_name_prefix"),
}
#: Methods whose result is the text that they are called on, changed.
_CHANGED = {
    *("strip", "lstrip", "rstrip", "lower", "upper", "casefold", "title", "removeprefix", "removesuffix", "replace"),
    *("rstrip", "expandtabs", "swapcase", "capitalize"),
}
_SWAPPED = {
    **{"any": "all", "all": "any", "min": "max", "max": "min", "sorted": "list"},
    **{"startswith": "endswith", "endswith": "startswith", "partition": "rpartition", "rpartition": "partition"},
    **{"split": "rsplit", "rsplit": "split", "find": "rfind", "rfind": "find", "lstrip": "rstrip", "rstrip": "lstrip"},
}


def _call(node: ast.AST, _place: _Place) -> Variants:
    if not isinstance(node, ast.Call):
        return
    for index, keyword in enumerate(node.keywords):
        if keyword.arg not in _SILENT:
            yield "argument", _with(node, keywords=[*node.keywords[:index], *node.keywords[index + 1 :]])
    if len(node.args) > 1 and _name(node.func) not in ("isinstance", "issubclass", "cast"):
        yield "argument", _with(node, args=node.args[:-1])
    if isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGED:
        yield "call", node.func.value
    yield from _swapped(node)


def _swapped(node: ast.Call) -> Variants:
    other = _SWAPPED.get(_name(node.func))
    if not other or (other in ("rsplit", "split") and len(node.args) < 2):
        return  # without a limit, both give the same result
    if other == "list" and node.keywords:
        yield "call", ast.Call(ast.Name("list", ast.Load()), node.args, [])
    else:
        named = {"attr": other} if isinstance(node.func, ast.Attribute) else {"id": other}
        yield "call", _with(node, func=_with(node.func, **named))


def _condition(node: ast.AST, _place: _Place) -> Variants:
    if isinstance(node, ast.If):
        yield "condition", _with(node, test=ast.Constant(True))
        yield "condition", _with(node, test=ast.Constant(False))
    elif isinstance(node, ast.While):
        yield "condition", _with(node, test=ast.Constant(False))
    elif isinstance(node, ast.IfExp):
        yield "condition", node.body
        yield "condition", node.orelse
    elif isinstance(node, ast.comprehension) and node.ifs:
        for index in range(len(node.ifs)):
            yield "filter", _with(node, ifs=_without(node.ifs, index))


def _slice(node: ast.AST, _place: _Place) -> Variants:
    if isinstance(node, ast.Slice):
        for name in ("lower", "upper", "step"):
            if getattr(node, name) is not None:
                yield "slice", _with(node, **{name: None})


def _except(node: ast.AST, _place: _Place) -> Variants:
    """A handler that catches nothing, or one type less."""
    if not isinstance(node, ast.ExceptHandler):
        return
    yield "except", _with(node, type=ast.Tuple([], ast.Load()))


def _returned(node: ast.AST, place: _Place) -> Variants:
    if isinstance(node, ast.Return):
        if node.value is None:
            if not _is_last(node, place):
                yield "statement", ast.Pass()
        elif not (isinstance(node.value, ast.Constant) and not node.value.value):
            yield "return", ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Yield) and node.value is not None:
        yield "yield", ast.Yield(ast.Constant(None))


def _is_last(node: ast.stmt, place: _Place) -> bool:
    """Whether no statement of the function follows, in any block that contains the statement."""
    for parent in reversed(place.parents):
        if isinstance(parent, (ast.For, ast.While, ast.Try)):
            return False
        if (
            getattr(parent, "body", [None])[-1] is not node
            and (getattr(parent, "orelse", None) or [None])[-1] is not node
        ):
            return False
        if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return True
        node = parent  # type: ignore[assignment]
    return False


def _statement(node: ast.AST, place: _Place) -> Variants:
    if isinstance(node, (ast.Raise, ast.Delete, ast.AugAssign, ast.Break, ast.Continue)) or (
        isinstance(node, ast.Expr) and not isinstance(node.value, (ast.Yield, ast.YieldFrom))
    ):
        yield "statement", ast.Pass()
    elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
        plain = isinstance(node, ast.AnnAssign) or not isinstance(node.targets[0], ast.Tuple)
        if place.in_function and plain and not (isinstance(node.value, ast.Constant) and not node.value.value):
            yield "assignment", _with(node, value=ast.Constant(None))
        if _is_known_before(node, place):
            yield "statement", ast.Pass()
    if isinstance(node, ast.Continue):
        yield "statement", ast.Break()
    if isinstance(node, ast.For):
        yield "loop", _with(node, iter=ast.Tuple([], ast.Load()))


def _is_known_before(node: ast.Assign | ast.AnnAssign, place: _Place) -> bool:
    """Whether the target has a value without the assignment: a part of an object, or a name with another assignment."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    target = targets[0]
    if isinstance(target, (ast.Attribute, ast.Subscript)):
        return True
    functions = [parent for parent in place.parents if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef))]
    if not functions or not isinstance(target, ast.Name):
        return False
    arguments = functions[-1].args
    if any(each.arg == target.id for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)):
        return True
    names = [child for child in ast.walk(functions[-1]) if isinstance(child, ast.Name) and child.id == target.id]
    return any(isinstance(name.ctx, ast.Store) and name.lineno < node.lineno for name in names)


_OPERATORS: tuple[Callable[[ast.AST, _Place], Variants], ...] = (
    _comparison,
    _boolean,
    _arithmetic,
    _constant,
    _format,
    _literal,
    _call,
    _condition,
    _slice,
    _except,
    _returned,
    _statement,
)
