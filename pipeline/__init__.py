"""How a build runs: recipe, plan, runners, progress, the flow, the command line.

from pipeline import build
result = build("quickstart", archive="my-archive", out="out")
"""

from pipeline.build import BuildResult, Request, build
from pipeline.recipe import Recipe
from pipeline.recipe_file import load_recipe

__all__ = ["BuildResult", "Recipe", "Request", "build", "load_recipe"]
