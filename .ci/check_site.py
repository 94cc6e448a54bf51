"""Check a built site: each link within it leads somewhere, and it needs no network.

Run as ``python .ci/check_site.py docs/_build/html``.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

REMOTE = r"""(?:url\(|@import )["']?((?:https?:)?//[^"')]+)"""


class Page(HTMLParser):
    """The links, the anchors and what a browser loads by itself, of one page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors, self.loaded = [], set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        """Sort what an element refers to."""
        attributes = {name: value or "" for name, value in attributes}
        self.anchors |= {attributes.get("id"), attributes.get("name")}
        if tag == "a":
            self.links.append(attributes.get("href", "#"))
        if tag == "link":
            self.loaded.append(attributes.get("href", ""))
        self.loaded.append(attributes.get("src", ""))
        for source in attributes.get("srcset", "").split(","):
            self.loaded.append(source.split(" ")[0])


def problems(site):
    """What is wrong with the pages of a folder, one line each."""
    paths = sorted(set(site.rglob("*.html")) - set(site.glob("_static/**/*")))
    pages = {path: Page(path) for path in paths}
    for path, page in pages.items():
        name = path.relative_to(site)
        for link in {*page.links, *page.loaded}:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                if link in page.loaded and url.scheme != "data":
                    yield f"{name} loads {link}"
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            anchor = unquote(url.fragment)
            if not target.is_file():
                yield f"{name}: no file for {link}"
            elif anchor and target in pages and anchor not in pages[target].anchors:
                yield f"{name}: no anchor for {link}"
    for path in sorted(site.rglob("*.css")):
        for url in re.findall(REMOTE, path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(site)} loads {url}"


if __name__ == "__main__":
    found = list(problems(Path(sys.argv[1]).resolve()))
    sys.exit("\n".join(found) or 0)
