"""Pages for the tests of the report: as text, and in headless Chromium."""

import re
import shutil
from collections import Counter
from contextlib import contextmanager
from html.parser import HTMLParser

import pytest

ARGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--no-first-run",
]  # fmt: skip


@contextmanager
def chromium():
    """A browser; the test is skipped where there is none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
    if found is None:
        pytest.skip("there is no Chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGS)
        yield browser
        browser.close()


@contextmanager
def opened(browser, path, **options):
    """A page of its own; at the end nothing was asked of the network, nothing complained."""
    context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}} | options)
    page, requests, complaints = context.new_page(), [], []
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    yield page
    context.close()
    assert requests == [path.as_uri()]
    assert complaints == []


def luminance(page, name, element="document.body"):
    """Relative luminance (WCAG 2) of a computed colour."""
    text = page.evaluate(f"getComputedStyle({element})['{name}']")
    linear = [((int(c) / 255 + 0.055) / 1.055) ** 2.4 for c in re.findall(r"\d+", text)[:3]]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


class Page(HTMLParser):
    """Ids, attributes and words of a page, those in English and outside scripts."""

    def __init__(self, html):
        super().__init__()
        self.ids, self.attributes, self.tags, self.words = [], [], Counter(), {}
        self._open = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        self._open.append("zh" if ("lang", "zh") in attrs else tag)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() not in (tag, "zh"):
            pass

    def handle_data(self, data):
        for tag in self._open if not {"zh", "script"} & set(self._open) else ():
            self.words[tag] = self.words.get(tag, "") + data

    def text(self, tag="body"):
        return " ".join(self.words[tag].split())
