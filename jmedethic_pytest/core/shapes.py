"""What tables of plain data in a stored record must hold at least; more may stand in them.

They are written from records of other rooms, and read by whoever shows or compares a run, perhaps years later.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from jmedethic_pytest.core.records import TurnCount

Count = Annotated[int, Field(ge=0, le=10**15)]
"""A number of calls, tokens or cases."""
_Name = Annotated[str, Field(min_length=1)]


class _Model(BaseModel):
    model: _Name
    kind: _Name
    base_url: str | None = None
    revision: str | None = None


class _Perturbed(BaseModel):
    kinds: Annotated[tuple[_Name, ...], Field(min_length=1)]
    version: _Name


class _Asked(BaseModel):
    turns: TurnCount | None = None
    repeats: Annotated[int, Field(ge=1, le=1000)] = 1
    locales: Annotated[tuple[str, ...], Field(min_length=1)] = ("ja",)
    perturb: _Perturbed | None = None


class _Rules(BaseModel):
    judges: dict[str, Any] = {}


class _Digests(BaseModel):
    cases: str
    prompts: str
    thresholds: str


class _Tokens(BaseModel):
    input: Count
    output: Count
    cached_calls: Count
    failed_calls: Count


def _holding(form: type[BaseModel]) -> AfterValidator:
    """Return the check that a table holds what a form asks for; the table itself stays as it was."""

    def check(given: Any) -> Any:
        try:
            form.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        return given

    return AfterValidator(check)


ModelTable = Annotated[dict[str, Any], _holding(_Model)]
"""A model and how it was called."""
SelectionTable = Annotated[dict[str, Any], _holding(_Asked)]
"""Which cases were asked for."""
RulesTable = Annotated[dict[str, Any], _holding(_Rules)]
"""The thresholds in force, as far as a comparison reads them without applying them."""
DigestTable = Annotated[dict[str, str], _holding(_Digests)]
"""What a run was made with."""
TokenTable = Annotated[dict[str, int], _holding(_Tokens)]
"""What a model was called for."""
