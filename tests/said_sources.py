"""Every English sentence that the sources can print: in errors by their calls, and in notes by how they look."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import livingcircle
import livingcircle_layers

HOLE = "§"  # stands for what varies in an f-string
_ERRORS = {"InputError", "UsageError", "ResultWarning", "sentence", "unknown_word"}
_ENGLISH = re.compile(r"[A-Za-z]{2,},? [a-z]{2,}")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_MOST = 40  # alternatives of one sentence


@dataclass(frozen=True)
class Said:
    """One text that a user can see: where it is made, and which part of an error it is (alone: the only one)."""

    place: str
    part: str
    text: str


@dataclass
class _Module:
    """A source file, with its constants and what it imports."""

    path: Path
    tree: ast.Module
    constants: dict[str, ast.expr] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path) -> _Module:
        module = cls(path, ast.parse(path.read_text(encoding="utf-8")))
        for node in module.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                module.constants[node.targets[0].id] = node.value
        return module


def modules() -> list[_Module]:
    folders = [Path(str(package.__file__)).parent for package in (livingcircle_layers, livingcircle)]
    found = [_Module.of(path) for folder in folders for path in sorted(folder.rglob("*.py"))]
    known: dict[str, ast.expr] = {}
    for module in found:
        known.update({name: value for name, value in module.constants.items() if len(name) > 3})
    for module in found:  # constants of other modules, such as a remedy that several readers give
        module.constants = known | module.constants
    return found


def errors() -> Iterator[Said]:
    """Yield the parts of every error: the arguments of the calls that make one, each way they can be put together."""
    for module in modules():
        for scope, call in _calls(module.tree):
            name = _name(call.func)
            parts = [("what" if call.keywords else "alone", call.args[0])] if call.args else []
            parts += [(str(word.arg), word.value) for word in call.keywords]
            for part, value in parts:
                for text in _texts(value, scope, module):
                    plain = " ".join(text.split())
                    if re.search("[A-Za-z]{2}", plain.replace(HOLE, " ")):
                        yield Said(f"{module.path.name}:{call.lineno} {name}", part, plain)


def lines(*, without: frozenset[str]) -> Iterator[Said]:
    """Yield other texts that look English and hold no Chinese, of all modules but some: notes, and words of errors."""
    for module in modules():
        if module.path.name in without or module.path.parent.name in without:
            continue
        left_out = _not_said(module.tree)
        for node in ast.walk(module.tree):
            if node in left_out or not isinstance(node, ast.Constant | ast.JoinedStr):
                continue
            text = _plain(node)
            if _ENGLISH.search(text) and not _CHINESE.search(text):
                yield Said(f"{module.path.name}:{node.lineno}", "line", " ".join(text.split()))


def _calls(tree: ast.AST, scope: ast.AST | None = None) -> Iterator[tuple[ast.AST, ast.Call]]:
    """Yield calls that make errors, with the function they stand in."""
    for node in ast.iter_child_nodes(tree):
        inner = node if isinstance(node, ast.FunctionDef) else scope
        if isinstance(node, ast.Call) and _name(node.func) in _ERRORS:
            yield inner or tree, node
        yield from _calls(node, inner)


def _not_said(tree: ast.Module) -> set[ast.AST]:
    """Return what is no line of its own: docstrings, help, errors (looked at by themselves), parts of f-strings."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            found.update(part for part in node.values if isinstance(part, ast.Constant))
        elif isinstance(node, ast.keyword) and node.arg in {"help", "description"}:
            found.update(ast.walk(node.value))
        elif isinstance(node, ast.Call) and _name(node.func) in {*_ERRORS, "ValueError", "TypeError", "AttributeError"}:
            if node.func.__class__ is ast.Name and _name(node.func) == "ValueError":
                continue  # what a validator raises is the middle of an error
            found.update(ast.walk(node))
    return found


def _texts(  # noqa: C901  one case for each kind of expression
    value: ast.expr, scope: ast.AST, module: _Module, depth: int = 0
) -> list[str]:
    """Return what an expression can be as text; what is not written in the sources is a hole."""

    def of(part: ast.expr) -> list[str]:
        return _texts(part, scope, module, depth + 1)

    found = [HOLE]
    match value:
        case _ if depth > 6:
            pass
        case ast.Constant(value=None):
            found = []
        case ast.Constant(value=text):
            found = [str(text)]
        case ast.JoinedStr(values=parts):
            found = _joined([of(part) for part in parts])
        case ast.FormattedValue(value=inner):
            found = of(inner)
        case ast.IfExp(body=one, orelse=other):
            found = [*of(one), *of(other)]
        case ast.BoolOp(values=parts):
            found = [text for part in parts for text in of(part)]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            found = _joined([of(left), of(right)])
        case ast.Name(id=name):
            found = _named(name, scope, module, depth)
    return found


def _joined(parts: list[list[str]]) -> list[str]:
    return ["".join(choice) for choice in list(product(*(part or [""] for part in parts)))[:_MOST]]


def _named(name: str, scope: ast.AST, module: _Module, depth: int) -> list[str]:
    """Return what a name can stand for: what is written for it in its function, or a constant."""
    given = [node.value for node in ast.walk(scope) if name in _targets(node)]
    if not given and name.strip("_").isupper() and name in module.constants:
        given = [module.constants[name]]
    texts = [text for value in given for text in _texts(value, scope, module, depth + 1)]
    return list(dict.fromkeys(texts)) or [HOLE]


def _targets(node: ast.AST) -> set[str]:
    """Return the names that a statement gives a value to."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.NamedExpr) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _plain(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def english_left(text: str) -> list[str]:
    """Return runs of three English words in a text that is to be Chinese; values in quotes and code are no words."""
    text = re.sub(r"程序原文: [^|]*?(;应为|;请|$)|query = .*|(pip|apt) install .*|create extension .*", " ", text)
    plain = re.sub(
        r"\{.*?\}|`[^`]*`|\"[^\"]*\"|'[^']*'",
        " ",
        text,
    )
    return re.findall(r"(?<![\w.=/§-])[A-Za-z]{2,}(?: [a-z]{2,}){2,}", plain)


def stages() -> list[tuple[str, str]]:
    """Return the id and the words of every stage of long work, for which the command line has names of its own."""
    calls = [node for module in modules() for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
    return [
        (call.args[0].value, _plain(call.args[1]))
        for call in calls
        if _name(call.func) == "stage" and len(call.args) == 2 and isinstance(call.args[0], ast.Constant)
    ]
