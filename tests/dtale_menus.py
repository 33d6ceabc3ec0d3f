"""D-Tale's menus in a browser: how each is opened, and what there is to press in it."""

import re
from dataclasses import dataclass

# Languages in which the entries that come after them have other names.
NOT_HERE = {"CN", "PT"}


@dataclass(frozen=True)
class Menu:
    """A menu of the grid: the CSS of what opens it, and of its own element."""

    opener: str
    element: str

    def open(self, page):
        if page.locator(self.element).is_visible():  # Somebody has pinned it.
            return
        page.mouse.move(640, 1)  # The ribbon comes down when the mouse is at the top.
        page.locator(self.opener).first.click()

    def entries(self, page):
        """What can be pressed in it, once it is open (list of Locator)."""
        page.locator(self.element).locator("li").first.wait_for()
        pressed = (
            "li button:not([disabled]), li i.pointer, li input.form-control, "
            "li .Select__control"
        )
        # An entry of text alone is pressed itself.
        alone = "li:not(:has(button, i.pointer, input))"
        return page.locator(self.element).locator(f"{pressed}, {alone}").all()


def name_of(entry):
    """What an entry (Locator) says (str) but for numbers, or what its picture is."""
    text = re.sub(r"[\d\s]+", " ", entry.inner_text()).strip()
    return text or entry.get_attribute("title") or entry.get_attribute("class")


def column(name):
    return Menu(f".headerCell:has(.text-nowrap:text-is('{name}'))", "#column-menu-div")


# Those with entries of the same names belong together.
MENUS = {
    "main": [Menu(".grid-menu", "[data-testid=data-viewer-menu]")],
    "ribbon": [
        Menu(f"#ribbon-item-{item}", "[data-testid=ribbon-dropdown]")
        for item in ("main", "actions", "visualize", "highlight", "settings")
    ],
    "columns": [column("number"), column("text"), column("day")],
}
