"""{% keep %}: a part of a live page that is drawn once in a generation."""

from __future__ import annotations

from django import template
from django.template import Context, Node, NodeList
from django.template.base import FilterExpression, Parser, Token
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from sishu.web.context import per_generation

register = template.Library()

# Not to be seen inside: whatever knows who is asking. What a part may depend on is named in the tag, and so in its key.
NOBODY = {"user": None, "request": None, "duties": None, "messages": None, "perms": None, "csrf_token": None}


class KeepNode(Node):
    """Draws its part, or takes it from the cache when the page is live, and so has a `generation`. Drafts have none.

    It is the generation in which the page was asked for, before anything of it was read: what was read before a change
    is never kept for after it.
    """

    def __init__(self, nodelist: NodeList, name: str, values: list[FilterExpression]) -> None:
        self.nodelist = nodelist
        self.name = name
        self.values = values

    def render(self, context: Context) -> SafeString:
        def draw() -> SafeString:
            with context.push(**NOBODY):
                return self.nodelist.render(context)

        asked_in: int | None = context.get("generation")
        if asked_in is None:
            return draw()
        values = ":".join(str(value.resolve(context)) for value in self.values)
        return per_generation(f"part:{self.name}:{get_language()}:{values}", draw, asked_in)


@register.tag
def keep(parser: Parser, token: Token) -> KeepNode:
    """{% keep name value value … %}…{% endkeep %}: the same for everybody for whom the values are the same."""
    _tag, name, *values = token.split_contents()
    nodelist = parser.parse(("endkeep",))
    parser.delete_first_token()
    return KeepNode(nodelist, name, [parser.compile_filter(value) for value in values])
