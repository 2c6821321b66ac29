"""The packages of the wheel: `mvr`, and beside it what people look for at the top of the checkout.

pyproject.toml can list packages or have them found, not both; all else stands there.
"""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["mvr*"]), "mvr.assets", "mvr.deployment"])
