"""Imports go down, rooms of a floor do not know each other, nothing goes through an ``__init__``; names say something.

Each rule is a function from a root folder to its breaches, and is tried against planted breaches as well.
"""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TORCH_ROOMS = {"networks", "objective", "teachers", "explain", "students", "distillation", "deploy"}
TORCH = {"torch", "captum"}
HEAVY = {"torch", "pandas", "sklearn", "scipy", "numpy", "pyarrow", "pydantic", "streamlit", "plotly", "matplotlib"}
VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "core", "misc"}
LIBRARIES = {"interpret": "interpret-core", "sklearn": "scikit-learn", "ruamel": "ruamel.yaml"}
LONGEST = 400


def floors(pyproject: Path = ROOT / "pyproject.toml") -> dict[str, int]:
    """Floor of each word and room, 0 at the bottom, as import-linter has them."""
    contract = tomllib.loads(pyproject.read_text())["tool"]["importlinter"]["contracts"][0]
    out = {}
    for height, layer in enumerate(reversed(contract["layers"])):
        for name in layer.replace("|", " ").replace(":", " ").split():
            out[name.strip("()")] = height
    return out


FLOORS = floors()


def sources(root: Path, *folders: str) -> Iterator[tuple[str, Path]]:
    """Each Python file as a dotted name and a path."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path: Path) -> tuple[tuple[int, str, str | None], ...]:
    """Line, module and name of all imports, nested ones and those by literal text too; '.' for relative ones."""
    return _imports(path.read_text())


@cache
def _imports(text: str) -> tuple[tuple[int, str, str | None], ...]:
    return tuple(_imported(ast.parse(text)))


def _imported(tree: ast.Module) -> Iterator[tuple[int, str, str | None]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, item.name, None) for item in names)
            case ast.ImportFrom(level=level, module=module, names=names):
                yield from ((node.lineno, "." if level else str(module), item.name) for item in names)
            case ast.Call(func=ast.Name(id="import_module" | "__import__"), args=[ast.Constant(value=str(name)), *_]):
                yield node.lineno, name, None
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(name)), *_]):
                yield node.lineno, name, None


def targets(root: Path, path: Path) -> Iterator[tuple[int, str, str]]:
    """Line, module of the package that is reached, and what is wrong with the way (empty if nothing)."""
    for line, module, name in imports(path):
        if module == ".":
            yield line, ".", "relative import"
        if module.split(".")[0] != "kdaudit":
            continue
        folder = root.joinpath(*module.split("."))
        if not folder.is_dir():
            yield line, module, ""
        elif name is not None and ((folder / f"{name}.py").exists() or (folder / name).is_dir()):
            yield line, f"{module}.{name}", ""
        else:
            yield line, module, "import through an __init__"


def misdirected(root: Path) -> list[str]:
    """Imports that go up, sideways, through an ``__init__`` or to a place on no floor."""
    out = []
    for module, path in sources(root, "kdaudit"):
        if module == "kdaudit":
            continue  # finds names when they are used
        own = module.split(".")[1]
        if own not in FLOORS:
            out.append(f"{path.relative_to(root)}: {own} is on no floor")
        for line, target, wrong in targets(root, path):
            where = f"{path.relative_to(root)}:{line}"
            other = target.split(".")[1] if "." in target.strip(".") else ""
            if wrong:
                out.append(f"{where}: {wrong}")
            elif FLOORS.get(other, 99) > FLOORS.get(own, 0):
                out.append(f"{where}: {own} imports up, from {other}")
            elif other != own and FLOORS[other] == FLOORS.get(own) > 0:
                out.append(f"{where}: {own} imports sideways, from {other}")
    return out


def eager(root: Path) -> list[str]:
    """Room ``__init__`` files that import anything of the package."""
    found = [(m, p) for m, p in sources(root, "kdaudit") if p.name == "__init__.py"]
    return [
        f"{path.relative_to(root)}:{line}: an __init__ imports nothing"
        for _, path in found
        for line, name, _ in imports(path)
        if name == "." or name.split(".")[0] not in sys.stdlib_module_names
    ]


def vague(root: Path) -> list[str]:
    """Modules and folders whose name says nothing."""
    found = (p for f in ("kdaudit", "apps", "tests", "case_studies") for p in (root / f).rglob("*"))
    return [
        f"{p.relative_to(root)}: say what it holds"
        for p in sorted(found)
        if p.stem in VAGUE and (p.suffix == ".py" or p.is_dir())
    ]


def shadowed(root: Path) -> list[str]:
    """Public names that importing a room or module of the same package would replace."""
    out = []
    for module, path in sources(root, "kdaudit"):
        if path.name != "__init__.py":
            continue
        beside = {p.stem if p.suffix == ".py" else p.name for p in path.parent.iterdir() if p.suffix in ("", ".py")}
        clash = sorted(_public(path) & beside)
        out += [f"{module}.{name} is a name and a module" for name in clash]
    return out


def _public(path: Path) -> set[str]:
    """Names that an ``__init__`` offers: keys of its tables of places, ``__all__``, and names it compares with."""
    out: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Dict(keys=keys):
                out |= {k.value for k in keys if isinstance(k, ast.Constant) and isinstance(k.value, str)}
            case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List(elts=items) | ast.Tuple(elts=items)):
                out |= {i.value for i in items if isinstance(i, ast.Constant)}
            case ast.Compare(left=ast.Name(id="name"), comparators=[ast.Constant(value=str(text))]):
                out.add(text)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                out.add(name)
    return {name for name in out if not name.startswith("__")}


def torch_outside(root: Path) -> list[str]:
    """Imports of torch outside its rooms."""
    return [
        f"{path.relative_to(root)}:{line}: {name.split('.')[0]} outside its rooms"
        for module, path in sources(root, "kdaudit", "apps")
        if not (module.startswith("kdaudit.") and module.split(".")[1] in TORCH_ROOMS)
        for line, name, _ in imports(path)
        if name.split(".")[0] in TORCH
    ]


def through_the_window(root: Path) -> list[str]:
    """Apps that know of auditing more than its desk, or the package that knows apps."""
    out = []
    for _, path in sources(root, "apps"):
        for line, target, wrong in targets(root, path):
            parts = target.split(".")
            if wrong != "relative import" and (wrong or (parts[1:2] == ["auditing"] and parts[2:3] != ["desk"])):
                out.append(f"{path.relative_to(root)}:{line}: {wrong or 'an app knows auditing by its desk alone'}")
    for _, path in sources(root, "kdaudit"):
        for line, name, _ in imports(path):
            if name.split(".")[0] in ("apps", "dashboard") or name.startswith("kdaudit._dashboard"):
                out.append(f"{path.relative_to(root)}:{line}: the package knows no app")
    return out


def long(root: Path) -> list[str]:
    """Files that nobody reads in one go."""
    found = [p for f in ("kdaudit", "apps", "tests", "case_studies") for p in sorted((root / f).rglob("*.py"))]
    counts = {p: len(p.read_text().splitlines()) for p in found}
    return [f"{p.relative_to(root)}: {n} lines" for p, n in counts.items() if n > LONGEST]


def heavy_on_import(root: Path) -> list[str]:
    """Heavy libraries that ``import kdaudit`` loads."""
    code = f"import sys, kdaudit; print(*sorted({HEAVY!r} & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [f"import kdaudit loads {name}" for name in done.stdout.split()]


def undeclared(root: Path) -> list[str]:
    """Imports of libraries that pyproject.toml does not name, so that a fresh machine would lack them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = {k: set(map(_distribution, v)) for k, v in project["optional-dependencies"].items()}
    dev = extras.pop("dev")
    users = set().union(*extras.values(), map(_distribution, project["dependencies"]))
    out = []
    # the files of an app, and those of the benches, find each other by name alone
    beside = {p.stem for folder in ("apps", "tests/benchmarks") for p in (root / folder).rglob("*.py")}
    for folders, known in ((("kdaudit", "apps"), users), (("tests", "case_studies"), users | dev)):
        for _, path in sources(root, *folders):
            own = {"", "kdaudit", *sys.stdlib_module_names, *beside, *peers(root, path)}
            for line, name, _ in imports(path):
                top = name.split(".")[0]
                if top not in own and LIBRARIES.get(top, top) not in known:
                    out.append(f"{path.relative_to(root)}:{line}: {top} is not named in pyproject.toml")
    return out


def peers(root: Path, path: Path) -> set[str]:
    """Libraries that a program of the benches is measured against, in an environment of their own."""
    folder = root / "tests" / "benchmarks"
    lists = folder.glob("peers*.txt") if path.parent == folder else ()
    lines = (line for file in lists for line in file.read_text().splitlines())
    return {_distribution(line) for line in lines if line.strip() and not line.startswith("#")}


def _distribution(text: str) -> str:
    return re.split(r"[<>=\[ ]", text)[0].lower()


RULES = (misdirected, eager, vague, shadowed, torch_outside, through_the_window, long, undeclared, heavy_on_import)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.__name__)
def test_the_house_keeps_its_rules(rule):
    assert rule(ROOT) == []


BREACHES = [
    (misdirected, "kdaudit/store/answers.py", "from kdaudit.compare.fidelity import Fidelity", "imports up"),
    (misdirected, "kdaudit/samples.py", "from kdaudit.store.answers import Store", "imports up"),
    (misdirected, "kdaudit/compare/a.py", "import kdaudit.probe.groups as g", "imports sideways"),
    (misdirected, "kdaudit/compare/a.py", "def f():\n    from kdaudit.probe import groups", "imports sideways"),
    (misdirected, "kdaudit/compare/a.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
     "    from kdaudit.probe.groups import Parity", "imports sideways"),
    (misdirected, "kdaudit/compare/a.py", "from importlib import import_module\n"
     "import_module('kdaudit.auditing.desk')", "imports up"),
    (misdirected, "kdaudit/compare/a.py", "from . import fidelity", "relative import"),
    (misdirected, "kdaudit/compare/a.py", "from ..store.answers import Store", "relative import"),
    (misdirected, "kdaudit/compare/a.py", "from kdaudit.store import Store", "through an __init__"),
    (misdirected, "kdaudit/compare/a.py", "import kdaudit.store", "through an __init__"),
    (misdirected, "kdaudit/compare/a.py", "from kdaudit import Store", "through an __init__"),
    (misdirected, "kdaudit/compare/a.py", "from kdaudit import auditing", "imports up"),
    (misdirected, "kdaudit/compare/a.py", "import kdaudit", "through an __init__"),
    (misdirected, "kdaudit/cellar/a.py", "", "cellar is on no floor"),
    (eager, "kdaudit/store/__init__.py", "from kdaudit.store.answers import Store", "imports nothing"),
    (eager, "kdaudit/store/__init__.py", "from .answers import Store", "imports nothing"),
    (eager, "kdaudit/store/__init__.py", "import numpy", "imports nothing"),
    (vague, "kdaudit/compare/utils.py", "", "say what it holds"),
    (vague, "apps/dashboard/helpers/a.py", "", "say what it holds"),
    (shadowed, "kdaudit/__init__.py", "_NAMES = {'probe': 'kdaudit.probe.groups'}", "kdaudit.probe is"),
    (shadowed, "kdaudit/store/__init__.py", "def __getattr__(name):\n    if name == 'answers':\n        return 1",
     "kdaudit.store.answers is"),
    (shadowed, "kdaudit/store/__init__.py", "__all__ = ['answers']", "kdaudit.store.answers is"),
    (torch_outside, "kdaudit/compare/a.py", "def f():\n    import torch.nn as nn", "torch outside"),
    (torch_outside, "kdaudit/samples.py", "from torch import Tensor", "torch outside"),
    (torch_outside, "apps/dashboard/a.py", "import torch", "torch outside"),
    (through_the_window, "apps/dashboard/a.py", "from kdaudit.auditing.plan import Plan", "its desk alone"),
    (through_the_window, "apps/dashboard/a.py", "from kdaudit.auditing import plan", "its desk alone"),
    (through_the_window, "apps/dashboard/a.py", "import kdaudit", "through an __init__"),
    (through_the_window, "kdaudit/cli/a.py", "from apps.dashboard import pages", "knows no app"),
    (through_the_window, "kdaudit/cli/a.py", "import kdaudit._dashboard.pages", "knows no app"),
    (long, "kdaudit/samples.py", "\n" * LONGEST, "401 lines"),
    (undeclared, "kdaudit/samples.py", "import polars", "polars is not named"),
    (undeclared, "kdaudit/samples.py", "def f():\n    from hypothesis import given", "hypothesis is not named"),
    (undeclared, "tests/test_samples.py", "import duckdb", "duckdb is not named"),
    (heavy_on_import, "kdaudit/__init__.py", "import numpy", "loads numpy"),
    (heavy_on_import, "kdaudit/__init__.py", "import kdaudit.samples", "loads scipy"),
]  # fmt: skip
INNOCENT = {
    "kdaudit/__init__.py": "from importlib import import_module\n_NAMES = {'audit': 'kdaudit.auditing.audits'}",
    "kdaudit/samples.py": "import scipy\nfrom kdaudit.domain import Domain",
    "kdaudit/domain.py": "Domain = 1",
    "kdaudit/store/__init__.py": "",
    "kdaudit/store/answers.py": "from kdaudit.samples import Samples\n\nStore = 1",
    "kdaudit/compare/__init__.py": "from typing import Any",
    "kdaudit/compare/fidelity.py": "from kdaudit.store.answers import Store\nfrom kdaudit.compare import shares",
    "kdaudit/compare/shares.py": "from kdaudit.store import answers",
    "kdaudit/probe/groups.py": "import kdaudit.store.answers",
    "kdaudit/networks/steps.py": "import torch",
    "kdaudit/auditing/plan.py": "from kdaudit.probe.groups import answers",
    "kdaudit/auditing/desk.py": "from kdaudit.auditing.plan import answers",
    "tests/test_samples.py": "import sklearn.tree\nfrom hypothesis import given",
    "apps/dashboard/overview.py": "from kdaudit.auditing import desk\nfrom kdaudit.samples import Samples",
}


def _house(root: Path) -> Path:
    for name, text in INNOCENT.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    return root


def test_an_innocent_house_breaks_no_rule(tmp_path):
    _house(tmp_path)
    (tmp_path / "scipy.py").write_text("")
    assert {rule.__name__: rule(tmp_path) for rule in RULES} == {rule.__name__: [] for rule in RULES}


@pytest.mark.parametrize(("rule", "name", "text", "word"), BREACHES)
def test_each_rule_sees_a_planted_breach(rule, name, text, word, tmp_path):
    path = _house(tmp_path) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n")
    for library in HEAVY:
        (tmp_path / f"{library}.py").write_text("")  # stands for the library, and loads at once
    assert any(word in breach for breach in rule(tmp_path)), rule(tmp_path)


def test_all_rooms_are_on_a_floor_of_the_import_contract():
    found = {p.stem for p in (ROOT / "kdaudit").iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert found - {"__init__", "_dashboard"} <= set(FLOORS)
    assert FLOORS["samples"] == 0 and FLOORS["store"] == 1 and FLOORS["cli"] == 5
