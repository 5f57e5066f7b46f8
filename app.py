"""Open the page on the articles beside this file: `python app.py`."""

import sys
from pathlib import Path

from rag.errors import RagError
from rag.server import launch

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    try:
        launch(HERE / "index", corpus=HERE / "seeds", open_browser=True)
    except RagError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
