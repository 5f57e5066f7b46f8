"""The one schema that every interface shares, as JSON Schema, and the OpenAPI description of the HTTP interface."""

from collections.abc import Callable
from typing import Any

from rag.spans import LEVELS, REASONS
from rag.wire import (
    ANSWER_LIMIT,
    AROUND,
    DOCUMENTS_LIMIT,
    HISTORY_LIMIT,
    OPEN_LIMIT,
    PASSAGES,
    PASSAGES_LIMIT,
    POSITION_LIMIT,
    QUESTION_LIMIT,
)

Schema = dict[str, Any]
Ref = Callable[[str], Schema]


def schemas(prefix: str) -> dict[str, Schema]:
    """Return every schema by name; they refer to each other by `prefix` and name."""

    def ref(name: str) -> Schema:
        return {"$ref": f"{prefix}{name}"}

    return {
        "AskRequest": _request(_ASK, "question"),
        "SearchRequest": _request(_SEARCH, "question"),
        "OpenRequest": _request(_OPEN, "document"),
        "Answer": _object(_answer(ref), "What the documents say to a question, or why they do not say it."),
        "Citation": _object(_CITATION, "Where it says so: the exact words, and the sentence around them."),
        "Alternative": _object(_alternative(ref), "Another answer that documents give to the same question."),
        "Place": _object(_PLACE, "A passage that was read, as a place in a document."),
        "Passage": _object(_PASSAGE, "A passage that a search found: a place in a document, with its text."),
        "Passages": _object(_passages(ref), "The passages that fit a question best."),
        "Document": _object(_DOCUMENT, "A document, without its text."),
        "Documents": _object(_documents(ref), "The documents that answers come from."),
        "Excerpt": _object(_EXCERPT, "A document with its text, or with a part of it."),
        "Health": _object(_HEALTH, "That the server answers, and what its index is made of."),
        "Error": _object(_ERROR, "What is wrong with the request and what to do, in one sentence."),
    }


def standalone(name: str) -> Schema:
    """Return one schema with all that it refers to inside it, under `$defs`."""
    known = schemas("#/$defs/")
    wanted, waiting = {}, [known[name]]
    while waiting:
        for other in _refers(waiting.pop()):
            if other not in wanted:
                wanted[other] = known[other]
                waiting.append(known[other])
    return {**known[name], **({"$defs": wanted} if wanted else {})}


def openapi(version: str) -> Schema:
    """Return the OpenAPI 3.1 description of the HTTP interface, of a version of the program."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Verbatim",
            "version": version,
            "summary": "Answers questions about a folder of documents in the documents' own words.",
            "description": (
                "An answer is a place in a document: its text is always document.text[start:end], never reworded. "
                "Positions count Unicode code points of the document's text from 0; an end is not included. Not found "
                "is a normal answer with a reason. A mistake in a request is an error of the 4xx family whose body "
                "says in one sentence what is wrong."
            ),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "where this description was read"}],
        "security": [{}, {"password": []}],
        "paths": {
            "/api/ask": {"post": _ask_operation()},
            "/api/search": {"post": _search_operation()},
            "/api/documents": {"get": _documents_operation()},
            "/api/documents/{document}": {"get": _document_operation()},
            "/api/health": {"get": _health_operation()},
        },
        "components": {
            "schemas": schemas("#/components/schemas/"),
            "securitySchemes": {
                "password": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "Asked for only where the server was started with --auth.",
                }
            },
        },
    }


def _ask_operation() -> Schema:
    return {
        "operationId": "ask",
        "summary": "Answer a question in the documents' own words, or say why they do not answer it.",
        "requestBody": _body("AskRequest", {"question": "who leads AI Studio?"}),
        "responses": {
            "200": _json("Answer", "The answer; one that was not found has a reason and no citations."),
            **_errors("400", "413", "415", "422", "503"),
        },
    }


def _search_operation() -> Schema:
    return {
        "operationId": "search",
        "summary": "Find the passages that fit a question best, without reading an answer from them.",
        "requestBody": _body("SearchRequest", {"question": "who leads AI Studio?", "limit": 3}),
        "responses": {
            "200": _json("Passages", "The passages, best first."),
            **_errors("400", "413", "415", "422", "503"),
        },
    }


def _documents_operation() -> Schema:
    return {
        "operationId": "documents",
        "summary": "List the documents that answers come from, by id.",
        "responses": {"200": _json("Documents", "The documents, without their texts."), **_errors()},
    }


def _document_operation() -> Schema:
    number = {"type": "integer", "minimum": 0, "maximum": POSITION_LIMIT}
    return {
        "operationId": "document",
        "summary": "Read a document's text, or a part of it.",
        "parameters": [
            {
                "name": "document",
                "in": "path",
                "required": True,
                "description": "The document's id; its slashes may stand as they are or as %2F.",
                "schema": {"type": "string"},
            },
            {
                "name": "start",
                "in": "query",
                "description": "The first code point wanted, counted from 0.",
                "schema": {**number, "default": 0},
            },
            {
                "name": "end",
                "in": "query",
                "description": "The code point to end before; the document's end when not given or beyond it.",
                "schema": number,
            },
        ],
        "responses": {"200": _json("Excerpt", "The document and its text."), **_errors("404", "422")},
    }


def _health_operation() -> Schema:
    return {
        "operationId": "health",
        "summary": "Tell that the server answers, and what its index is made of.",
        "responses": {"200": _json("Health", "The server answers."), **_errors()},
    }


_PROBLEMS = {
    "400": "The body is not JSON.",
    "401": "A name and a password are needed, and none or wrong ones were sent.",
    "403": "The request comes from another website's page.",
    "404": "There is no such document.",
    "413": "The body is too large.",
    "415": "The body is not declared as application/json.",
    "421": "The Host header names another host than this server.",
    "422": "A field or parameter is missing, unknown, of the wrong type, or beyond its limit.",
    "503": "Too many questions wait already, and Retry-After says when to ask again; or the passages' server is away.",
}


def _errors(*codes: str) -> dict[str, Schema]:
    return {code: _json("Error", _PROBLEMS[code]) for code in sorted({*codes, "401", "403", "421"})}


def _json(name: str, description: str) -> Schema:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
    }


def _body(name: str, example: Schema) -> Schema:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}


def _object(properties: dict[str, Schema], description: str) -> Schema:
    return {"type": "object", "description": description, "properties": properties, "required": [*properties]}


def _request(properties: dict[str, Schema], required: str) -> Schema:
    return {"type": "object", "properties": properties, "required": [required], "additionalProperties": False}


def _refers(schema: object) -> list[str]:
    """Return the names that a schema refers to."""
    if isinstance(schema, dict):
        named = [schema["$ref"].rpartition("/")[2]] if "$ref" in schema else []
        return named + [name for value in schema.values() for name in _refers(value)]
    return [name for value in schema for name in _refers(value)] if isinstance(schema, list) else []


_QUESTION: Schema = {
    "type": "string",
    "maxLength": QUESTION_LIMIT,
    "description": f"The question, in any language; at most {QUESTION_LIMIT} characters.",
}
_CODE: Schema = {
    "type": ["string", "null"],
    "pattern": "^[a-z]{2,3}$",
    "description": "The question's language as an ISO 639 code; recognised when null or left out.",
}
_AMONG: Schema = {
    "type": ["array", "null"],
    "items": {"type": "string"},
    "maxItems": DOCUMENTS_LIMIT,
    "description": "The ids of the documents to search among; all of them when null or left out.",
}
_ASK: dict[str, Schema] = {
    "question": _QUESTION,
    "history": {
        "type": ["array", "null"],
        "maxItems": HISTORY_LIMIT,
        "items": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
        "description": (
            "Earlier [question, answer text] turns, the latest last, for a question that leans on them; "
            f"at most {HISTORY_LIMIT} turns, of at most {QUESTION_LIMIT} and {ANSWER_LIMIT} characters."
        ),
    },
    "language": _CODE,
    "documents": _AMONG,
    "threshold": {
        "type": ["number", "null"],
        "minimum": 0,
        "maximum": 1,
        "description": (
            "The least confidence, a probability from 0 to 1, that is answered: the fitted one when null or left "
            "out; 0 always answers."
        ),
    },
}
_SEARCH: dict[str, Schema] = {
    "question": _QUESTION,
    "language": _CODE,
    "documents": _AMONG,
    "limit": {
        "type": ["integer", "null"],
        "minimum": 1,
        "maximum": PASSAGES_LIMIT,
        "default": PASSAGES,
        "description": f"The most passages wanted, {PASSAGES} when null or left out; fewer where fewer are distinct.",
    },
}
_DOCUMENT_ID: Schema = {"type": "string", "description": "The document's id: its path below the folder of documents."}
_TITLE: Schema = {"type": "string", "description": "The document's title."}
_DOCUMENT_LANGUAGE: Schema = {
    "type": "string",
    "description": 'The document\'s language as an ISO 639-1 code; "und" when unknown.',
}


def _start(what: str) -> Schema:
    return {"type": "integer", "minimum": 0, "description": f"Where {what} begins, in code points from 0."}


def _end(what: str) -> Schema:
    return {"type": "integer", "minimum": 0, "description": f"Where {what} ends, in code points; not included."}


def _score(of: str) -> Schema:
    return {"type": "number", "description": f"{of}; higher is better, and comparable within one response only."}


def _page(what: str) -> Schema:
    return {
        "type": ["integer", "null"],
        "minimum": 1,
        "description": f"The page on which {what} begin, counted from 1; null where the format has no pages.",
    }


def _heading(what: str) -> Schema:
    return {"type": ["string", "null"], "description": f"The last heading before {what}; null where there is none."}


def _wanted(what: str, most: int) -> Schema:
    return {"type": ["integer", "null"], "minimum": 0, "maximum": most, "description": what}


_OPEN: dict[str, Schema] = {
    "document": _DOCUMENT_ID,
    "start": _wanted(
        "Where the place begins, in code points from 0; the document's start when left out.", POSITION_LIMIT
    ),
    "end": _wanted(
        "Where the place ends, in code points, not included; the document's end when left out.", POSITION_LIMIT
    ),
    "around": {
        **_wanted(
            f"How many code points before and after the place are wanted as well; {AROUND} when left out.", OPEN_LIMIT
        ),
        "default": AROUND,
    },
}
_CITATION: dict[str, Schema] = {
    "document": _DOCUMENT_ID,
    "title": _TITLE,
    "language": _DOCUMENT_LANGUAGE,
    "page": _page("the words"),
    "heading": _heading("the words"),
    "start": _start("the words"),
    "end": _end("the words"),
    "text": {"type": "string", "description": "The exact words: the document's text from start to end."},
    "sentence": {"type": "string", "description": "The sentence that holds the words, exactly as in the document."},
    "score": _score("How well the words answer"),
}
_PLACE: dict[str, Schema] = {
    "document": _DOCUMENT_ID,
    "start": _start("the passage"),
    "end": _end("the passage"),
    "score": _score("How well the passage fits the question"),
}
_PASSAGE: dict[str, Schema] = {
    "document": _DOCUMENT_ID,
    "title": _TITLE,
    "language": _DOCUMENT_LANGUAGE,
    "page": _page("the passage's words"),
    "heading": _heading("the passage's words"),
    "start": _start("the passage"),
    "end": _end("the passage"),
    "text": {"type": "string", "description": "The document's text from start to end."},
    "score": _score("How well the passage fits the question"),
}
_DOCUMENT: dict[str, Schema] = {
    "document": _DOCUMENT_ID,
    "title": _TITLE,
    "language": _DOCUMENT_LANGUAGE,
    "date": {"type": ["string", "null"], "description": "The document's day, ISO 8601; null when unknown."},
    "url": {"type": ["string", "null"], "description": "Where the document was published; null when unknown."},
    "length": {"type": "integer", "minimum": 0, "description": "The length of the document's text in code points."},
}
_EXCERPT: dict[str, Schema] = {
    **_DOCUMENT,
    "start": _start("the text"),
    "end": _end("the text"),
    "text": {"type": "string", "description": "The document's text from start to end."},
}
_HEALTH: dict[str, Schema] = {
    "status": {"const": "ok", "description": "Always ok: a server that is not does not answer."},
    "version": {"type": "string", "description": "The version of the program."},
    "documents": {"type": "integer", "minimum": 0, "description": "How many documents the index holds."},
    "passages": {"type": "integer", "minimum": 0, "description": "How many passages the index holds."},
    "built": {"type": "string", "description": "When the index was built, ISO 8601."},
}
_ERROR: dict[str, Schema] = {
    "error": {"type": "string", "description": "What is wrong and what to do, in one sentence."},
}


def _answer(ref: Ref) -> dict[str, Schema]:
    levels = "; ".join(f"{name}: {meaning}" for name, (_, meaning) in LEVELS.items())
    return {
        "question": {"type": "string", "description": "The question as it was asked."},
        "language": {
            "type": "string",
            "description": "The question's language, ISO 639, given or recognised.",
        },
        "found": {"type": "boolean", "description": "Whether the documents answer the question."},
        "answer": {
            "type": "string",
            "description": "The exact words of the first citation; empty when nothing was found.",
        },
        "confidence": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "description": "The probability, 0 to 1, that the first citation answers the question.",
        },
        "level": {
            "enum": [*LEVELS, None],
            "description": f"The confidence in a word, null when nothing was found. {levels}.",
        },
        "reason": {
            "enum": [*REASONS, None],
            "description": "Why there is no answer; null when there is one.",
        },
        "citations": _list(ref("Citation"), "The places that give the answer, best first; none when not found."),
        "others": _list(ref("Alternative"), "Answers of other documents that contradict this one, best first."),
        "unmentioned": _list(
            {"type": "string"}, "Names and numbers of the question, in its words, that stand in no document."
        ),
        "passages": _list(ref("Place"), "The passages that were found, best first; the best four are read."),
    }


def _alternative(ref: Ref) -> dict[str, Schema]:
    return {
        "answer": {"type": "string", "description": "The exact words of the first citation."},
        "citations": _list(ref("Citation"), "The places that give this answer, best first."),
    }


def _passages(ref: Ref) -> dict[str, Schema]:
    return {
        "question": {"type": "string", "description": "The question as it was asked."},
        "passages": _list(ref("Passage"), "The passages, best first; none when it is no question."),
    }


def _documents(ref: Ref) -> dict[str, Schema]:
    return {"documents": _list(ref("Document"), "The documents by id.")}


def _list(items: Schema, description: str) -> Schema:
    return {"type": "array", "items": items, "description": description}
