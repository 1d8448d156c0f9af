"""How templates become Python: Jinja's own code generator, with less work for each value that a page writes.

A page writes hundreds of values. Jinja makes each of them a Markup first, which Python code does, only to join it with the text
around it at once; and it asks of each thing that is called whether it wants the context. Both together were a tenth of a page.
"""

from types import FunctionType, MethodType
from typing import Any

from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context, Macro
from markupsafe import Markup, _escape_inner, escape  # type: ignore[attr-defined]

_PLAIN = (FunctionType, MethodType, Macro, type)


def shown(value: Any) -> str:
    """A value as the page writes it: markup as it is, everything else escaped."""
    kind = type(value)
    if kind is str:
        return _escape_inner(value)
    return value if kind is Markup else escape(value)


def called(
    context: Context, thing: Any, /, *arguments: Any, _loop_vars: Any = None, _block_vars: Any = None, **named: Any
) -> Any:
    """Call what a template calls; what wants the context or the environment goes Jinja's own way, with the loop's names."""
    if type(thing) in _PLAIN and not hasattr(thing, "jinja_pass_arg"):
        return thing(*arguments, **named)
    return context.call(thing, *arguments, _loop_vars=_loop_vars, _block_vars=_block_vars, **named)


class LeanGenerator(CodeGenerator):
    """Writes the two functions above where Jinja writes its own."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.shown(")

    def write(self, x: str) -> None:
        """Write a piece of Python."""
        super().write("environment.called(context, " if x == "context.call(" else x)


class LeanEnvironment(Environment):
    """Jinja's environment with the lean generator."""

    code_generator_class = LeanGenerator
    shown = staticmethod(shown)
    called = staticmethod(called)
