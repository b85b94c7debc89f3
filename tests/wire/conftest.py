"""What the tests of the npm clients share."""

from tests.support.npm import node_modules

__all__ = ["node_modules"]
