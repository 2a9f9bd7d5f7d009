"""Which inputs there are: the fields of a row, their kinds, ranges and roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from kdaudit.errors import InvalidInput, OutOfDomain


@dataclass(frozen=True)
class Real:
    """A number.

    Parameters
    ----------
    name : str
        An identifier, so that conditions can speak of it.
    low, high : float, optional
        Range, ends included.
    unit : str
        Unit for people, such as ``"hours per week"``.
    integer : bool
        Whether only whole numbers occur.
    missing : bool
        Whether the value may be missing (NaN).
    protected, immutable : bool
        Protected by law or policy; not to be changed by the person.
    monotone : {-1, 0, 1}
        Sign that the answer should have in this field; 0 for none.
    """

    kind: ClassVar[str] = "real"
    name: str
    low: float | None = None
    high: float | None = None
    unit: str = ""
    integer: bool = False
    missing: bool = False
    protected: bool = False
    immutable: bool = False
    monotone: int = 0


@dataclass(frozen=True)
class Category:
    """One of a closed list of levels.

    Parameters
    ----------
    name : str
        An identifier.
    levels : tuple of str
        All levels; samples hold their positions.  Rising if `ordered`.
    ordered, missing, protected, immutable : bool
        As for `Real`; `ordered` levels may be compared in conditions and cut by a threshold.
    monotone : {-1, 0, 1}
        Of ordered levels, as for `Real`.
    """

    kind: ClassVar[str] = "category"
    name: str
    levels: tuple[str, ...]
    ordered: bool = False
    missing: bool = False
    protected: bool = False
    immutable: bool = False
    monotone: int = 0


@dataclass(frozen=True)
class Text:
    """A text of at most `longest` characters."""

    kind: ClassVar[str] = "text"
    name: str
    longest: int = 100_000
    missing: bool = False
    protected: bool = False
    immutable: bool = False


@dataclass(frozen=True)
class Image:
    """A picture of shape (channels, height, width) with values in [0, 1]."""

    kind: ClassVar[str] = "image"
    name: str
    shape: tuple[int, int, int]
    missing: bool = False
    protected: bool = False
    immutable: bool = False


Field = Real | Category | Text | Image
KINDS: dict[str, type[Field]] = {"real": Real, "category": Category, "text": Text, "image": Image}


@dataclass(frozen=True)
class Domain:
    """The inputs that a question is about.

    Parameters
    ----------
    fields : tuple of Field
        In the order in which a model sees them.
    constraints : tuple of str
        Conditions that every row fulfils (see `kdaudit.condition`).

    Raises
    ------
    InvalidInput
        If two fields share a name, a name is no identifier, a category lacks levels, or monotone is no direction.

    Examples
    --------
    >>> people = Domain((Real("age", 18, 99), Category("sex", ("female", "male"), protected=True)))
    >>> people["sex"].levels
    ('female', 'male')
    """

    fields: tuple[Field, ...]
    constraints: tuple[str, ...] = ()
    names: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(f.name for f in self.fields))
        for item in self.fields:
            if not item.name.isidentifier():
                raise InvalidInput(f"field name {item.name!r} is no identifier; use letters, digits and underscores")
            if self.names.count(item.name) > 1:
                raise InvalidInput(f"two fields are called {item.name!r}; names must differ")
            match item:
                case Category(levels=levels) if not levels or len(set(levels)) < len(levels):
                    raise InvalidInput(f"field {item.name!r} needs at least one level and no level twice")
                case Real(monotone=sign) | Category(monotone=sign) if sign not in (-1, 0, 1):
                    raise InvalidInput(f"field {item.name!r} is monotone {sign}; -1, 0 or 1 was expected")
                case Category(monotone=sign, ordered=False) if sign:
                    raise InvalidInput(f"levels of field {item.name!r} have no order; nothing can rise along them")
                case Real(low=float() | int() as low, high=float() | int() as high) if low > high:
                    raise InvalidInput(f"field {item.name!r} has low {low} above high {high}")
                case _:
                    pass

    def __getitem__(self, name: str) -> Field:
        for item in self.fields:
            if item.name == name:
                return item
        raise OutOfDomain(f"there is no field {name!r}; the fields are {', '.join(self.names)}")

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def category(self, name: str) -> Category:
        """Return the field `name`, which must be a category.

        Raises
        ------
        OutOfDomain
            If there is no such field or it is of another kind.
        """
        item = self[name]
        if not isinstance(item, Category):
            raise OutOfDomain(f"field {name!r} is a {item.kind}; a category was expected")
        return item

    def code(self, name: str, level: str) -> int:
        """Return the position of `level` among the levels of the category `name`.

        Raises
        ------
        OutOfDomain
            If the category has no such level.
        """
        levels = self.category(name).levels
        if level not in levels:
            raise OutOfDomain(f"{name} has no level {level!r}; its levels are {', '.join(levels)}")
        return levels.index(level)

    def undirected(self) -> Domain:
        """Return the same fields without monotone: of answers that are differences."""
        free = tuple(replace(f, monotone=0) if isinstance(f, Real | Category) else f for f in self.fields)
        return Domain(free, self.constraints)

    @property
    def protected(self) -> tuple[str, ...]:
        """Names of the protected fields."""
        return tuple(f.name for f in self.fields if f.protected)

    def layout(self) -> str:
        """Return what the columns *mean* (names and kinds, not roles or ranges): the salt of row keys."""
        return "|".join(f"{f.kind}:{f.name}" for f in self.fields)

    def to_data(self) -> dict[str, Any]:
        """Return the domain as plain data, the form of a plan's `domain` section."""
        rows = []
        for item in self.fields:
            row: dict[str, Any] = {"kind": item.kind}
            for name, value in vars(item).items():
                row[name] = list(value) if isinstance(value, tuple) else value
            rows.append(row)
        return {"fields": rows, "constraints": list(self.constraints)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Domain:
        """Return the domain that `to_data` wrote.

        Raises
        ------
        InvalidInput
            On an unknown kind or key.
        """
        fields = []
        for row in data["fields"]:
            values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items() if k != "kind"}
            kind = KINDS.get(row.get("kind", ""))
            if kind is None:
                raise InvalidInput(f"field kind {row.get('kind')!r} is unknown; kinds are {', '.join(KINDS)}")
            try:
                fields.append(kind(**values))
            except TypeError as error:
                raise InvalidInput(f"field {row.get('name')!r}: {error}") from error
        return cls(tuple(fields), tuple(data.get("constraints", ())))
