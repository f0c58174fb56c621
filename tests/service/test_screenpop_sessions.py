"""Coming back: resume, replacement, restart, stop, eviction."""

from callcenter.model import OfferResult
from screenpop.messages import Notice
from screenpop.stream import KEPT_MESSAGES
from tests.service.screenpop_house import House, running
from tests.unit.screenpop.script import Script


def note(text: str) -> Notice:
    return Notice(level="info", code="test", text=text)


async def test_a_client_that_comes_back_gets_what_it_missed() -> None:
    async with running(House()) as house:
        async with house.page() as page:
            house.server.broadcast("default", note("one"), ["li"])
            await page.next("notice")
        call = Script()
        house.server.publish(call.rings("li"))
        house.server.publish(call.stops("li", OfferResult.NO_ANSWER))
        house.server.broadcast("default", note("two"), ["li"])
        async with house.page(resume=page.resume) as back:
            assert back.welcome["resumed"] is True and back.welcome["snapshot"] is None
            assert back.welcome["session"] == page.welcome["session"]
            kinds = []
            while (message := await back.read())["type"] != "notice":
                kinds.append(message["type"])
            assert message["text"] == "two"
            assert kinds.count("call") == 2


async def test_a_client_that_was_away_too_long_starts_from_a_snapshot() -> None:
    async with running(House()) as house:
        async with house.page() as page:
            pass
        for n in range(KEPT_MESSAGES + 1):
            house.server.broadcast("default", note(str(n)), ["li"])
        async with house.page(resume=page.resume) as back:
            assert back.welcome["resumed"] is False
            assert back.welcome["seq"] == page.seq + KEPT_MESSAGES + 1
            assert back.welcome["snapshot"]["agent"]["agent"] == "li"


async def test_a_resumed_session_takes_the_place_of_its_old_socket() -> None:
    async with running(House()) as house, house.page() as old, house.page() as other:
        async with house.page(resume=old.resume) as new:
            assert new.welcome["resumed"] is True
            code, reason = await old.closed()
            assert code == 4409 and reason is not None and "another window" in reason
            house.server.broadcast("default", note("here"), ["li"])
            assert (await new.next("notice"))["text"] == "here"
            assert (await other.next("notice"))["text"] == "here"


async def test_the_session_of_somebody_else_is_worth_nothing() -> None:
    async with running(House()) as house, house.page("li") as li:
        house.server.broadcast("default", note("for li only"), ["li"])
        await li.next("notice")
        async with house.page("wu", resume={"session": li.welcome["session"], "seq": 0}) as wu:
            assert wu.welcome["resumed"] is False
            house.server.broadcast("default", note("for all"))
            assert (await li.next("notice"))["text"] == "for all"
            assert (await wu.next("notice"))["text"] == "for all"


async def test_a_number_from_the_future_is_not_resumed() -> None:
    async with running(House()) as house:
        async with house.page() as page:
            pass
        async with house.page(resume=page.resume | {"seq": 10**9}) as back:
            assert back.welcome["resumed"] is False


async def test_a_server_that_restarts_says_so_and_gives_a_new_snapshot() -> None:
    async with running(House()) as first:
        page = await first.page().__aenter__()
        port = first.server.port
    assert await page.closed() == (1001, "the server stops: connect again")
    async with running(House(port=port)) as second, second.page(resume=page.resume) as back:
        assert back.welcome["resumed"] is False and back.welcome["snapshot"] is not None
        assert back.welcome["session"] != page.welcome["session"]


async def test_what_was_published_before_the_stop_arrives_before_the_goodbye() -> None:
    async with running(House()) as house:
        page = await house.page().__aenter__()
        for n in range(100):
            house.server.broadcast("default", note(str(n)), ["li"])
    texts = [(await page.next("notice"))["text"] for _ in range(100)]
    assert texts == [str(n) for n in range(100)]
    assert (await page.closed())[0] == 1001
    house.server.publish(Script().rings("li"))  # the tracker may stop later than we do


async def test_the_ninth_tab_closes_the_oldest() -> None:
    async with running(House()) as house:
        pages = [await house.page().__aenter__() for _ in range(9)]
        assert (await pages[0].closed())[0] == 4409
        house.server.broadcast("default", note("still here"), ["li"])
        for page in pages[1:]:
            assert (await page.next("notice"))["text"] == "still here"
            await page.socket.close()


async def test_who_is_logged_out_is_cut_off() -> None:
    async with running(House()) as house, house.page(session="office") as page, house.page(session="home") as other:
        assert {who.session for who in house.server.pages("default")} == {"office", "home"}
        house.server.evict("default", "li", "office")
        assert await page.closed() == (4401, "you were logged out")
        await house.until(lambda: {who.session for who in house.server.pages("default")} == {"home"})
        house.server.broadcast("default", note("still here"))
        assert (await other.next("notice"))["text"] == "still here"
