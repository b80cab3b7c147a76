"""What templates write is escaped, as Jinja does it, and what is HTML already is written as it is.

MarkupSafe copies each piece of HTML before Jinja puts it into the page, and wraps each text that it
escapes. A list of orders has a thousand of them, and this takes a seventh of the time that the page
takes.
"""

import html
from typing import Any

from flask import Flask
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import Expr
from markupsafe import Markup, escape


def init_app(app: Flask) -> None:
    environment: Any = app.jinja_env
    environment.code_generator_class = Generator
    environment.escape_once = escape_once


class Generator(CodeGenerator):
    """Makes of a template the code that renders it, see `Environment.code_generator_class`."""

    def _output_child_pre(self, node: Expr, frame: Frame, finalize: Any) -> None:
        context = frame.eval_ctx
        if context.autoescape and not context.volatile and finalize.src is None:
            self.write("environment.escape_once(")
        else:
            super()._output_child_pre(node, frame, finalize)


def escape_once(value: object) -> str:
    """`value` as HTML."""
    if type(value) is str:
        return html.escape(value)
    return value if type(value) is Markup else escape(value)
