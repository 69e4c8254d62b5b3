"""The finder of millpond.hook, with modules made for the test."""

import importlib
import importlib.resources
import sys
import warnings

import pytest

from millpond import hook


@pytest.fixture
def target(tmp_path, monkeypatch):
    """A package to patch, and a patch that counts how often it is applied."""
    package = tmp_path / "hook_target"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "sub.py").write_text("value = 1\n")
    (package / "data.txt").write_text("data")
    (tmp_path / "hook_patch.py").write_text("times = []\ndef apply(module):\n    times.append(module.value)\n    module.value = 2\n")
    (tmp_path / "hook_broken.py").write_text("def apply(module):\n    module.no_such_thing\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(hook, "PATCHES", {"hook_target.sub": "hook_patch"})
    yield monkeypatch
    for name in [n for n in sys.modules if n.startswith("hook_")]:
        del sys.modules[name]


def test_a_module_is_patched_once_it_has_run(target):
    import hook_target

    assert "hook_patch" not in sys.modules, "nothing is imported before it is needed"
    sub = importlib.import_module("hook_target.sub")
    assert sub.value == 2
    assert sys.modules["hook_patch"].times == [1]
    assert importlib.import_module("hook_target.sub").value == 2
    assert sys.modules["hook_patch"].times == [1]
    assert importlib.resources.files(hook_target).joinpath("data.txt").read_text() == "data"


def test_a_module_imported_before_is_patched_by_install(target):
    target.setattr(sys, "meta_path", [f for f in sys.meta_path if f is not hook.Finder])
    sub = importlib.import_module("hook_target.sub")
    assert sub.value == 1
    hook.install()
    assert sub.value == 2
    hook.install()
    assert sys.meta_path.count(hook.Finder) == 1
    assert sys.modules["hook_patch"].times == [1]


def test_a_patch_that_fails_is_told_and_harms_nothing(target):
    target.setattr(hook, "PATCHES", {"hook_target.sub": "hook_broken"})
    with pytest.warns(UserWarning, match="cannot adapt hook_target.sub .* AttributeError"):
        assert importlib.import_module("hook_target.sub").value == 1


def test_other_modules_are_not_touched(target):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert hook.Finder.find_spec("json") is None
        target.setattr(hook, "PATCHES", {"hook_target.missing": "hook_patch"})
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("hook_target.missing")
