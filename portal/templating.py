"""How templates become pages: as Jinja and Flask do it, without what they do again for each piece.

MarkupSafe copies each piece of HTML before Jinja puts it into the page, and wraps each text that it
escapes; Jinja looks at each function before it calls it, and through all globals for each fragment.
A list of orders has a thousand pieces, and this takes a fifth of the time that the page takes.
"""

import html
from collections.abc import MutableMapping
from typing import Any

from flask.templating import Environment as FlasksEnvironment
from jinja2.compiler import CodeGenerator, Frame
from jinja2.nodes import Call, Expr, Name
from markupsafe import Markup, escape


class Generator(CodeGenerator):
    """Makes of a template the code that renders it, see `Environment.code_generator_class`."""

    def _output_child_pre(self, node: Expr, frame: Frame, finalize: Any) -> None:
        context = frame.eval_ctx
        if context.autoescape and not context.volatile and finalize.src is None:
            self.write("environment.escape_once(")
        else:
            super()._output_child_pre(node, frame, finalize)

    def visit_Call(self, node: Call, frame: Frame, forward_caller: bool = False) -> None:
        """Calls what stands for a sentence, see formats.py, without asking what it takes."""
        if isinstance(node.node, Name) and node.node.name == "_":
            self.visit(node.node, frame)
            self.write("(context.eval_ctx")
            self.signature(node, frame)
            self.write(")")
        else:
            super().visit_Call(node, frame, forward_caller=forward_caller)


def escape_once(value: object) -> str:
    """`value` as HTML."""
    if type(value) is str:
        return html.escape(value)
    return value if type(value) is Markup else escape(value)


class Environment(FlasksEnvironment):
    """Flask's, with our Generator."""

    code_generator_class = Generator
    escape_once = staticmethod(escape_once)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals of a template with `d` of its own, which none of ours has."""
        return super().make_globals(d) if d else self.globals
