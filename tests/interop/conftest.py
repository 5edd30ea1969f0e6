"""What every test stands on."""

import pytest

from programs import Emulator
from sdks import SDKS


@pytest.fixture
def emulator(tmp_path):
    """An emulator of the test's own."""
    running = Emulator(tmp_path)
    yield running
    running.stop()


@pytest.fixture(params=SDKS)
def sdk(request):
    """Each SDK and signature in turn."""
    return SDKS[request.param]


@pytest.fixture
def kms(sdk, emulator):
    """A client of the emulator with the right key."""
    return sdk(emulator.address, emulator.key_id, emulator.key_secret)


def pytest_unconfigure(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    count = lambda *outcomes: sum(len(reporter.stats.get(outcome, [])) for outcome in outcomes)
    print(f"\ninterop: {count('passed')} passed, {count('failed', 'error')} failed")
