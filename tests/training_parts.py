"""What several tests of the training share."""

from training.wording import Words


class NoWords(Words):
    """No dictionary: half-translated questions stay as they are."""

    def __init__(self) -> None:
        self.by_language = {}
