"""The page as an app: it can be installed, starts without a network, and keeps nothing but its own files."""

import asyncio

from playwright.async_api import BrowserContext, Page, expect

from callcenter.simulator.people import Ignores
from tests.pages.house import House

KEPT = """async () => {
    const found = [];
    for (const name of await caches.keys()) {
        for (const request of await (await caches.open(name)).keys()) found.push(new URL(request.url).pathname);
    }
    return found.sort();
}"""


async def settled(page: Page) -> None:
    """The worker has its files and serves this page."""
    await page.evaluate(
        """async () => {
            await navigator.serviceWorker.ready;
            if (!navigator.serviceWorker.controller)
                await new Promise((met) => navigator.serviceWorker.addEventListener("controllerchange", met));
        }"""
    )


async def cut(context: BrowserContext, *, off: bool) -> None:
    """Take the network from a browser, or give it back."""
    await context.set_offline(off)


async def test_the_page_starts_without_a_network_and_goes_on_with_it(house: House) -> None:
    page = await house.window()
    await expect(page.get_by_text("Ready")).to_be_visible()
    await settled(page)
    for path in ("customers", "calls", ""):
        await page.goto(f"{house.url}/{path}")
        await expect(page.get_by_role("main")).to_be_visible()
    kept = await page.evaluate(KEPT)
    assert "/" in kept
    assert any(path.startswith("/assets/CustomersPage-") for path in kept)
    assert [path for path in kept if path not in ("/", "/icon.svg") and not path.startswith("/assets/")] == []

    await cut(page.context, off=True)
    await page.goto(f"{house.url}/customers")
    await expect(page.get_by_role("alert")).to_have_text("No connection")
    await cut(page.context, off=False)
    await expect(page.get_by_role("heading", level=1, name="Customers")).to_be_visible()
    await expect(page.get_by_role("alert")).to_have_count(0)
    assert house.faults == []


async def test_what_the_api_says_comes_from_the_network_alone(house: House) -> None:
    page = await house.window()
    await settled(page)
    await page.reload()
    await expect(page.get_by_text("Ready")).to_be_visible()
    async with page.expect_response("**/api/v1/session") as waiting:
        await page.evaluate("fetch('/api/v1/session')")
    answer = await waiting.value
    assert not answer.from_service_worker
    assert (await answer.all_headers())["cache-control"] == "no-store"
    await cut(page.context, off=True)
    assert await page.evaluate("fetch('/api/v1/session').then(() => 'answered', () => 'no network')") == "no network"
    await cut(page.context, off=False)


async def test_a_newer_build_takes_over_and_the_page_says_so(house: House) -> None:
    page = await house.window()
    await expect(page.get_by_text("Ready")).to_be_visible()
    await settled(page)

    # to a browser a worker with another address is another worker, as one with other words in it is; the page that is
    # read anew asks for the first address again, and may say again that there is another one
    await page.evaluate("window.older = navigator.serviceWorker.register('/sw.js?build=newer') && true")
    await expect(page.get_by_text("A newer version of this page is ready")).to_be_visible()
    await page.get_by_role("button", name="Load it").click()
    await page.wait_for_function("!window.older")
    await expect(page.get_by_text("Ready", exact=True)).to_be_visible()


async def test_it_can_be_installed(house: House) -> None:
    page = await house.guest()
    async with asyncio.timeout(10):
        link = await page.locator("link[rel=manifest]").get_attribute("href")
        devtools = await page.context.new_cdp_session(page)
        manifest = await devtools.send("Page.getAppManifest")
    assert link == "/manifest.webmanifest"
    assert manifest["errors"] == []
    answer = await page.context.request.get(f"{house.url}{link}")
    described = await answer.json()
    assert (described["start_url"], described["display"]) == ("/", "standalone")
    for icon in described["icons"]:
        found = await page.context.request.get(f"{house.url}{icon['src']}")
        assert (found.status, found.headers["content-type"]) == (200, icon["type"]), icon


async def test_a_phone_shows_the_pop_the_missed_call_and_calls_back(house: House) -> None:
    await house.customer("Margaret Chen", "+442079460958")
    page = await house.window(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    await expect(page.get_by_text("Ready")).to_be_visible()
    house.call("02079460958", callee=lambda extension, attempt: Ignores(), patience=2.5)
    await expect(page.get_by_role("heading", level=1, name="Margaret Chen")).to_be_in_viewport()
    await expect(page.get_by_text("the caller hung up before an answer")).to_be_visible()
    await page.get_by_role("button", name="Close this line").tap()
    await page.get_by_role("button", name="Missed").tap()
    missed = page.get_by_role("listitem").filter(has_text="Margaret Chen")
    await missed.get_by_role("button", name="Call +44 20 7946 0958").tap()
    await expect(page.get_by_role("button", name="Hang up")).to_be_in_viewport()
    await expect(page.get_by_role("heading", level=1, name="Margaret Chen")).to_be_visible()
    wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide
