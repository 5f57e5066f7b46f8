"""The page's named endpoints for programs: /ask, /passages and /documents return JSON, and never markup."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rag.errors import RagError
from rag.wire import AskRequest, SearchRequest, document_entry, encodable

if TYPE_CHECKING:
    from rag import Assistant


def offer(assistant: "Assistant") -> None:
    """Add the endpoints to the page that is being made; what gradio shows of them is their signature and docstring."""
    from gradio.events import api

    def ask(
        question: str,
        history: list[list[str]] | None = None,
        language: str | None = None,
        documents: list[str] | None = None,
        threshold: float | None = None,
    ) -> dict[str, Any]:
        """Answer a question in the documents' own words, or say why they do not answer it.

        history: earlier [question, answer] pairs, the latest last; language: the question's, recognised when not
        given; documents: the ids to search among; threshold: the least confidence that is answered, 0 to 1.
        """
        values = {
            "question": question,
            "history": history,
            "language": language,
            "documents": documents,
            "threshold": threshold,
        }
        with _mistakes_shown():
            return AskRequest.read(_encodable(values)).put_to(assistant).to_dict()

    def passages(
        question: str, language: str | None = None, documents: list[str] | None = None, limit: int | None = None
    ) -> dict[str, Any]:
        """Find the passages that fit a question best, best first, without reading an answer from them."""
        values = {"question": question, "language": language, "documents": documents, "limit": limit}
        with _mistakes_shown():
            return SearchRequest.read(_encodable(values)).put_to(assistant)

    def list_documents() -> list[dict[str, Any]]:
        """List the documents that answers come from; length is in code points."""
        return [document_entry(document) for document in assistant.documents]

    api(ask, api_name="ask", concurrency_id="ask")
    api(passages, api_name="passages", concurrency_id="ask")
    api(list_documents, api_name="documents")


@contextmanager
def _mistakes_shown() -> Iterator[None]:
    import gradio as gr

    try:
        yield
    except RagError as error:
        raise gr.Error(str(error), print_exception=False) from error


def _encodable(value: Any) -> Any:  # noqa: ANN401
    """Return JSON values whose strings can all be sent out again."""
    match value:
        case str():
            return encodable(value)
        case list():
            return [_encodable(each) for each in value]
        case dict():
            return {name: _encodable(each) for name, each in value.items()}
    return value
