"""A model that answers. Importing this package imports no SDK; opening a provider imports the one it needs."""

from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.models.base import ChatRequest, Message, ModelRef, Observer, Provider, case_context
from jmedethic_pytest.models.registry import open_provider
from jmedethic_pytest.models.resolving import resolve, retirement

__all__ = [
    "ChatRequest",
    "Message",
    "ModelRef",
    "Observer",
    "Provider",
    "ProviderError",
    "case_context",
    "open_provider",
    "resolve",
    "retirement",
]
