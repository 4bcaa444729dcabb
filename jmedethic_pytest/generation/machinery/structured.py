"""Reading structured output: one JSON object that fits a pydantic model, or the reason why there is none."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, Field, ValidationError, create_model

from jmedethic_pytest.core.errors import JmedError
from jmedethic_pytest.models import json_answer
from jmedethic_pytest.models.reasoning import split_reasoning

M = TypeVar("M", bound=BaseModel)


class Malformed(JmedError):  # noqa: N818 - says what the answer is
    """The answer holds no object of the wanted form; the text names no word of the answer."""


class Listed(BaseModel):
    """An answer that is one list of texts."""

    items: list[str]


@lru_cache(maxsize=16)
def listing(name: str, count: int, word: str) -> type[Listed]:
    """Return the form of an answer with exactly so many texts.

    Args:
        name: of the list in the answer.
        count: how many there must be.
        word: what they are, for a model that gives another number.
    """

    def as_many(value: list[str]) -> list[str]:
        if len(value) != count:
            raise ValueError(f"{len(value)} {word}, {count} are wanted")
        return value

    kind = Annotated[list[str], AfterValidator(as_many)]
    return create_model("Listing", __base__=Listed, items=(kind, Field(alias=name)))


@lru_cache(maxsize=64)  # asked for by every call; nobody changes it
def schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a model as strict modes want it: every property required, none besides."""
    strict: dict[str, Any] = _strict(_inline(model.model_json_schema(), {}))
    return strict


def parse(answer: str, model: type[M]) -> M:
    """Return the object in an answer: the whole text, the content of its last code fence, or its last ``{...}``.

    Raises:
        Malformed: naming what is wrong, in words the model can be told.
    """
    text, _, unfinished = split_reasoning(answer)
    if unfinished:
        raise Malformed("the answer ends inside its <think> block")
    problem = "there is no JSON object"
    for candidate in json_answer.likely(text):
        try:
            return model.model_validate(_printable(candidate))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "the object"
            problem = f"{field}: {first['msg']}"
    raise Malformed(problem)


def _printable(value: Any) -> Any:
    """Replace lone surrogates: an answer may hold them as escapes, and no file can."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, list):
        return [_printable(item) for item in value]
    return {_printable(key): _printable(item) for key, item in value.items()} if isinstance(value, dict) else value


def _inline(node: Any, definitions: dict[str, Any]) -> Any:
    """Replace references to ``$defs`` by what they refer to."""
    if isinstance(node, list):
        return [_inline(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    definitions = {**definitions, **node.get("$defs", {})}
    if "$ref" in node:
        return _inline(definitions[str(node["$ref"]).rsplit("/", 1)[-1]], definitions)
    kept = {key: value for key, value in node.items() if key != "$defs" and not _is_note(key, value, node)}
    return {key: _inline(value, definitions) for key, value in kept.items()}


def _is_note(key: str, value: Any, node: dict[str, Any]) -> bool:
    """Tell pydantic's own notes from properties of the same name."""
    return (key == "title" and isinstance(value, str)) or (key == "default" and ("type" in node or "anyOf" in node))


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: _strict(value) for key, value in node.items()}
    if made.get("type") == "object" and "properties" in made:
        made |= {"additionalProperties": False, "required": list(made["properties"])}
    return made
