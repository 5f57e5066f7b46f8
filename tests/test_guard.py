import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rag.errors import RagError
from rag.guard import Guard, Rules
from rag.passwords import Passwords, password_line
from rag.server import Where

HERE = "http://localhost:7860"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Say what came through, with the headers of somebody who lets every website in."""
    body = await Request(scope, receive).body()
    headers = {"access-control-allow-origin": "*", "x-frame-options": "ALLOWALL"}
    await Response(f"{scope['method']} {len(body)}", headers=headers)(scope, receive, send)


def send(rules: Rules, *requests: httpx.Request) -> list[httpx.Response]:
    async def inside() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Guard(echo, rules))) as client:
            return [await client.send(request) for request in requests]

    return asyncio.run(inside())


def get(path: str = "/", **headers: str) -> httpx.Request:
    return httpx.Request("GET", HERE + path, headers=_named(headers))


def post(path: str = "/api/ask", content: Any = b"{}", **headers: str) -> httpx.Request:
    return httpx.Request("POST", HERE + path, content=content, headers=_named(headers))


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def status(rules: Rules, request: httpx.Request) -> int:
    (response,) = send(rules, request)
    if response.status_code != 200:
        assert set(response.json()) == {"error"}
        assert response.headers["connection"] == "close"
    assert response.headers["x-content-type-options"] == "nosniff"
    return response.status_code


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:7860", "LOCALHOST:9", "127.0.0.1:7860", "[::1]:7860", "[::1]"]
)
def test_this_machine_s_own_names_are_let_in(host: str) -> None:
    assert status(Rules(), get(host=host)) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:7860",
        "localhost.evil.example",
        "localhost.",
        "127.0.0.1.nip.io:7860",
        "10.0.0.5",
        "localhost@evil.example",
        "evil.example@localhost",
        "localhost:x",
        "localhost/evil",
        "[::1",
        "localhost, evil.example",
        "",
    ],
)
def test_a_name_that_somebody_else_made_lead_here_is_refused(host: str) -> None:
    assert status(Rules(), get(host=host)) == 421


def test_a_missing_or_doubled_host_is_refused() -> None:
    request = get()
    request.headers = httpx.Headers([("host", "localhost"), ("host", "localhost")])
    assert status(Rules(), request) == 421
    request.headers = httpx.Headers({})
    assert status(Rules(), request) == 421


def test_a_server_for_others_goes_by_its_address_and_its_names() -> None:
    rules = Where("0.0.0.0", everybody=True, names=("Docs.example.org",)).rules()
    for host in ("10.0.0.5:7860", "[fe80::1]:7860", "docs.example.org", "localhost:7860"):
        assert status(rules, get(host=host)) == 200
    assert status(rules, get(host="evil.example")) == 421


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": HERE},
        {"origin": HERE, "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {"origin": "https://localhost:7860", "sec_fetch_site": "same-origin"},
    ],
)
def test_the_page_itself_and_programs_may_post(headers: dict[str, str]) -> None:
    assert status(Rules(), post(**headers)) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:3000"},
        {"origin": "http://127.0.0.1:7860"},
        {"origin": "https://evil.example", "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"},
        {"sec_fetch_site": "unheard-of"},
    ],
)
def test_other_websites_pages_may_not_post(headers: dict[str, str]) -> None:
    assert status(Rules(), post(**headers)) == 403
    preflight = httpx.Request("OPTIONS", f"{HERE}/api/ask", headers=_named(headers))
    assert status(Rules(), preflight) == 403


def test_other_websites_may_link_here_and_do_nothing_else() -> None:
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert status(Rules(), get(**link)) == 200
    assert status(Rules(), get(**{**link, "sec_fetch_dest": "iframe"})) == 403
    assert status(Rules(), get("/api/documents", sec_fetch_site="cross-site", sec_fetch_mode="cors")) == 403
    assert status(Rules(), get("/logo.png", sec_fetch_site="cross-site", sec_fetch_mode="no-cors")) == 403
    assert status(Rules(), get("/api/documents", sec_fetch_site="same-site", sec_fetch_mode="cors")) == 403
    assert status(Rules(), get("/api/documents", origin="https://evil.example")) == 403


def test_a_body_over_the_limit_is_refused_before_anyone_reads_it() -> None:
    async def pieces(count: int) -> Any:
        for _ in range(count):
            yield b"x" * 10

    rules = Rules(body_limit=100)
    small, large, unsaid, lying = send(
        rules,
        post(content=b"x" * 100),
        post(content=b"x" * 101),
        post(content=pieces(11)),
        post(content=pieces(10)),
    )
    assert (small.text, lying.text) == ("POST 100", "POST 100")
    assert (large.status_code, unsaid.status_code) == (413, 413)
    assert large.json() == {"error": "the body of the request is over 100 bytes: send less"}


def test_files_have_a_limit_of_their_own_where_they_may_come() -> None:
    async def pieces() -> Any:
        yield b"x"

    files = "/gradio_api/queue/join"
    rules = Rules(body_limit=10, files_path=files, files_limit=50)
    fits, large, unsaid, lying, elsewhere, below = send(
        rules,
        post(files, content=b"x" * 50),
        post(files, content=b"x" * 51),
        post(files, content=pieces()),
        post(files, content=pieces(), content_length="1", transfer_encoding="chunked"),
        post(content=b"x" * 50),
        post(files + "/more", content=b"x" * 50),
    )
    assert fits.text == "POST 50"
    assert [each.status_code for each in (large, unsaid, lying, elsewhere, below)] == [413, 411, 411, 413, 413]


def test_only_a_few_bodies_of_files_arrive_at_once() -> None:
    release = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await release.wait()
        await echo(scope, receive, send)

    async def inside() -> list[int]:
        rules = Rules(body_limit=10, files_path="/files", files_limit=50)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Guard(slow, rules))) as client:
            large = [asyncio.create_task(client.send(post("/files", content=b"x" * 50))) for _ in range(5)]
            small = asyncio.create_task(client.send(post("/files", content=b"x")))
            await asyncio.wait(large, return_when=asyncio.FIRST_COMPLETED)
            release.set()
            return [(await each).status_code for each in (*large, small)]

    assert asyncio.run(inside()) == [200, 200, 200, 200, 503, 200]


def test_answers_tell_browsers_to_keep_to_this_site() -> None:
    page, data, mcp = send(Rules(), get("/"), get("/api/documents"), post("/mcp"))
    for response in (page, data, mcp):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-frame-options"] == "DENY"
        assert response.headers["referrer-policy"] == "same-origin"
        assert "access-control-allow-origin" not in response.headers
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert page.headers["content-security-policy"].startswith("default-src 'self';")
    assert "http" not in page.headers["content-security-policy"]
    assert data.headers["content-security-policy"].startswith("default-src 'none';")
    assert (data.headers["cache-control"], mcp.headers["cache-control"]) == ("no-store", "no-store")


def test_websockets_are_closed_and_the_lifespan_passes() -> None:
    seen: list[Any] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def inside() -> list[Any]:
        said: list[Any] = []

        async def send(message: Any) -> None:
            said.append(message)

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        guard = Guard(inner, Rules())
        await guard({"type": "lifespan"}, receive, send)
        await guard({"type": "websocket", "path": "/", "headers": []}, receive, send)
        return said

    assert asyncio.run(inside()) == [{"type": "websocket.close", "code": 1008}]
    assert seen == ["lifespan"]


def test_who_hangs_up_in_the_middle_of_a_body_is_told_to_the_application() -> None:
    seen: list[Any] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(await receive())

    async def inside() -> None:
        messages = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Any) -> None:
            seen.append(message)

        headers = [(b"host", b"localhost")]
        await Guard(inner, Rules())({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive, send)

    asyncio.run(inside())
    assert seen == [{"type": "http.disconnect"}]


@pytest.fixture(scope="module")
def passwords(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("auth") / "passwords"
    lines = ["# who may ask", password_line("ada", "correct horse"), "", password_line("zoë", "pass:wörd "), ""]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def basic(words: str, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(words.encode()).decode()}"


def test_only_those_with_a_password_are_let_in(passwords: Path) -> None:
    rules = Rules(passwords=Passwords.read(passwords))
    right = [basic("ada:correct horse"), basic("zoë:pass:wörd "), basic("ada:correct horse", "bAsIc")]
    wrong = [
        "",
        basic("ada:correct hors"),
        basic("ada:"),
        basic("ada"),
        basic("bob:correct horse"),
        basic(":"),
        basic("zoë:correct horse"),
        "Bearer " + basic("ada:correct horse").partition(" ")[2],
        "Basic ###",
        "Basic",
        "Basic /w==",
    ]
    for path in ("/", "/api/health", "/mcp", "/gradio_api/queue/join"):
        (answer,) = send(rules, get(path))
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Basic realm="Verbatim", charset="UTF-8"'
    requests = [get(authorization=each) for each in (*right, *wrong)]
    statuses = [response.status_code for response in send(rules, *requests)]
    assert statuses == [200] * 3 + [401] * len(wrong)


def test_a_password_that_was_right_is_not_hashed_again(passwords: Path) -> None:
    checked: list[str] = []
    known = Passwords.read(passwords)

    class Counting(Passwords):
        def accept(self, name: str, password: str) -> bool:
            checked.append(name)
            return known.accept(name, password)

    rules = Rules(passwords=Counting(known.secrets))
    request, guess = get(authorization=basic("ada:correct horse")), get(authorization=basic("ada:wrong"))
    responses = send(rules, request, request, guess, guess, request)
    assert [response.status_code for response in responses] == [200, 200, 401, 401, 200]
    assert checked == ["ada", "ada", "ada"]


def test_guesses_do_not_keep_those_out_who_were_let_in(passwords: Path) -> None:
    rules = Rules(passwords=Passwords.read(passwords))

    async def inside() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Guard(echo, rules))) as client:
            known = get(authorization=basic("ada:correct horse"))
            first = (await client.send(known)).status_code
            guesses = [
                asyncio.create_task(client.send(get(authorization=basic(f"ada:guess {number}"))))
                for number in range(70)
            ]
            await asyncio.sleep(0)
            refused = 0
            while not refused:
                await asyncio.sleep(0.01)
                refused = sum(task.done() and task.result().status_code == 503 for task in guesses)
            again = (await client.send(known)).status_code
            for task in guesses:
                task.cancel()
            await asyncio.gather(*guesses, return_exceptions=True)
            return [first, again, refused]

    assert asyncio.run(inside()) == [200, 200, 6]


def test_a_line_holds_no_password_and_differs_each_time() -> None:
    one, other = password_line("ada", "correct horse"), password_line("ada", "correct horse")
    assert one.startswith("ada:scrypt-")
    assert one != other
    assert "correct" not in one


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("", "long enough"),
        ("a:b", "long enough"),
        ("a b", "long enough"),
        ("a\n", "long enough"),
        ("a" * 65, "long enough"),
        ("ada", "short"),
        ("ada", "x" * 1001),
    ],
)
def test_a_name_or_a_password_that_will_not_do_is_refused(name: str, password: str) -> None:
    with pytest.raises(RagError):
        password_line(name, password)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is nobody in"),
        ("# nobody\n\n", "there is nobody in"),
        ("ada:secret words\n", "line 1: this is no line that"),
        ("ada:scrypt-32768-8-3$AAAA$AAAA\n", "line 1: this is no line that"),
        ("\nada\n", "line 2: this is no line that"),
        ("LINE\nLINE\n", 'line 2: "ada" has a password already'),
    ],
)
def test_a_file_that_will_not_do_is_told_by_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "passwords"
    path.write_text(text.replace("LINE", password_line("ada", "correct horse")))
    with pytest.raises(RagError, match=said) as refusal:
        Passwords.read(path)
    assert "secret" not in str(refusal.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name in ("missing", "binary", "."):
        with pytest.raises(RagError, match=r"cannot be read \(.+\): make them with"):
            Passwords.read(tmp_path / name)


def test_only_this_machine_is_served_without_a_password(passwords: Path) -> None:
    for host in ("127.0.0.1", "[::1]", "::1", "127.0.0.2"):
        assert Where(host).rules().passwords is None
    for host in ("0.0.0.0", "::", "[::]", "192.0.2.7"):
        with pytest.raises(RagError, match="everybody who reaches this machine could ask"):
            Where(host).rules()
        assert Where(host, everybody=True).rules().by_address
        known = Where(host, auth=passwords).rules().passwords
        assert known is not None
        assert set(known.secrets) == {"ada", "zoë"}


def test_a_refusal_is_json() -> None:
    (response,) = send(Rules(), get(host="evil.example"))
    assert response.headers["content-type"] == "application/json"
    assert json.loads(response.text)["error"].startswith("the Host header names another host than this server")
