"""Reading a page as a browser would: tags in order, addresses, and the text that a person sees."""

from html.parser import HTMLParser
from pathlib import Path

VOID_TAGS = {"meta", "img", "source", "br", "link", "input"}
UNSEEN = {"script", "style"}


class Balance(HTMLParser):
    """Every tag that is opened is closed, in order; collects addresses and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID_TAGS:
            self.open.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "srcset", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in UNSEEN:
            self.text += data


def read(page: Path) -> Balance:
    return parse(page.read_text(encoding="utf-8"))


def parse(html: str) -> Balance:
    parser = Balance()
    parser.feed(html)
    assert parser.open == []
    return parser
