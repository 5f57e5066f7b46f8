"""Which engine an index has: chosen at its first build and kept in its folder."""

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rag.engine import Engine
from rag.errors import EngineError, IndexDirectoryError
from rag.local import Local
from rag.manifest import MANIFEST, writing
from rag.qdrant import Qdrant
from rag.qdrant_collection import Place, checked_url

ENGINES = ("local", "qdrant")
# Hidden, like what else a stopped build leaves: without a manifest there is no index yet.
KEPT = ".engine.json"


def place_of(folder: Path, engine: str | None, url: str | None) -> Place | None:
    """Return where an index has its passages, None for its own folder.

    What was chosen at the first build is kept; `engine` and `url` choose for a folder that has no index yet. Raises
    EngineError when they contradict the index or each other: a build does not convert one engine to another.
    """
    if engine is not None and engine not in ENGINES:
        raise EngineError(f"there is no engine {engine!r}; take one of {', '.join(ENGINES)}")
    if url is not None and engine != "qdrant":
        raise EngineError("a URL goes with the engine qdrant; give --engine qdrant with it")
    wanted = None if url is None else checked_url(url)
    if not (folder / KEPT).exists() and not (folder / MANIFEST).exists():
        if engine != "qdrant":
            return None
        if wanted is None:
            raise EngineError("the engine qdrant needs --url with the address of its server, or a folder")
        return Place(wanted, secrets.token_hex(6))
    kept = _kept(folder)
    same = engine is None or (engine == "qdrant") == (kept is not None)
    if not same or (kept is not None and wanted not in (None, kept.url)):
        where = "its own folder" if kept is None else f"the engine qdrant at {kept.url}"
        raise EngineError(
            f"the index in {folder} has its passages in {where} and a build does not move them;"
            " name another folder with --index, or remove this one first"
        )
    return kept


def keep_place(folder: Path, place: Place) -> None:
    """Write down where an index has its passages, before anything is sent there."""
    with writing(folder):
        beside = folder / f"{KEPT}.new"
        beside.write_text(json.dumps({"engine": "qdrant", "url": place.url, "token": place.token}), encoding="ascii")
        beside.replace(folder / KEPT)


def open_engine(data: Path, description: Mapping[str, Any]) -> Engine:
    """Open the engine that a manifest describes; raises as its `load`."""
    return Qdrant.load(data, description) if description["name"] == "qdrant" else Local.load(data, description)


def tidy(engine: Engine) -> None:
    """Take away what earlier and stopped builds left where the engine keeps its passages."""
    if isinstance(engine, Qdrant):
        engine.tidy()


def _kept(folder: Path) -> Place | None:
    try:
        kept = json.loads((folder / KEPT).read_bytes())
        return Place(checked_url(kept["url"]), str(kept["token"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexDirectoryError(f"{KEPT} in {folder} cannot be read; remove this index and build it again") from error
