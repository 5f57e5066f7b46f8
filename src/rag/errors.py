"""What a user can do wrong, as exceptions whose message is one sentence to act on."""


class RagError(Exception):
    """Something the user can mend: the message says in one sentence what is wrong and what to do.

    The command line prints it and exits with status 2; over HTTP it is an answer of the 4xx family.
    """


class CorpusError(RagError):
    """The documents cannot be read."""


class IndexDirectoryError(RagError):
    """The index is missing, damaged, of another version, or cannot be written."""


class EncoderError(RagError):
    """The encoder cannot be loaded, or is not the one that made the index."""


class EngineError(RagError):
    """The engine of an index cannot be had, refuses, or is another than was asked for."""


class GoldError(RagError):
    """A file of gold questions cannot be read."""
