"""What a conversation remembers."""

from rag.conversation import Stops


def test_stops_are_counted_for_each_session() -> None:
    stops = Stops()
    assert stops.of("a") == 0
    stops.stop("a")
    stops.stop("a")
    stops.stop("b")
    assert (stops.of("a"), stops.of("b"), stops.of("c")) == (2, 1, 0)


def test_the_oldest_sessions_give_way() -> None:
    stops = Stops(most=2)
    for session in ("a", "b", "a", "c"):
        stops.stop(session)
    assert (stops.of("a"), stops.of("b"), stops.of("c")) == (2, 0, 1)
