"""Prepare the templates: everything escaped, missing names are errors, numbers as people read them.

In: the assets. Out: the template engine of the application.
"""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template import TemplateConfig

from headwater.web.assets import Assets

_FOLDER = Path(__file__).parent / "templates"


def create_templates(assets: Assets) -> TemplateConfig[JinjaTemplateEngine]:
    """Build the engine; a template can name an asset only by `asset(...)`."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = assets.url
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment))
