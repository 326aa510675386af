"""A visit of a page in a real browser: whatever it asks of another site is refused and written down, and so are errors.

What its policy forbids and what goes to the console as an error are written down too. The clock of a page is ours, so
that an hour is over at once.
"""

from typing import Any

from tests.browser.headless import PATIENCE

__all__ = ["Visit"]

NOTE_VIOLATIONS = """
globalThis.violations = [];
addEventListener("securitypolicyviolation", (event) => {
  violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""


class Visit:
    """A visit of one page, and all that it should not have done."""

    def __init__(self, context: Any, site: str) -> None:
        self.page = context.new_page()
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self._site = site
        self.page.set_default_timeout(PATIENCE)
        context.add_init_script(NOTE_VIOLATIONS)
        context.route("**/*", self._let_through)
        context.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        self.page.clock.install()

    def _let_through(self, route: Any) -> None:
        url: str = route.request.url
        if url.startswith(f"{self._site}/"):
            route.continue_()
        else:
            self.foreign.append(url)
            route.abort()

    def go(self, path: str) -> Any:
        """Go to a page, and return it."""
        self.page.goto(self._site + path)
        return self.page

    def open(self, path: str) -> Any:
        """Go to a page, and return it when it shows an operation."""
        self.go(path)
        if "redoc" in path:
            self.page.get_by_text("vocabulary").first.click()  # it shows the operations of a tag when asked
        self.page.get_by_text("Show one word").first.wait_for()
        return self.page

    def an_hour_later(self) -> None:
        """Let every timer of the page go off that has less than an hour to go."""
        self.page.clock.fast_forward("01:00:00")

    @property
    def violations(self) -> list[str]:
        """What the policy of the page forbade it."""
        found: list[str] = self.page.evaluate("violations")
        return found

    def expect_nothing_noted(self) -> None:
        """It asked nobody else, was forbidden nothing, and reported no error."""
        assert (self.foreign, self.violations, self.errors) == ([], [], [])
