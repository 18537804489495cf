import pytest

pytest.register_assert_rewrite("tests.running", "tests.survival")  # before conftest.py imports them
