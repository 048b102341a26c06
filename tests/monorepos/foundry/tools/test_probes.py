import unittest

from probes import heat


class Probes(unittest.TestCase):
    def test_calibrated(self):
        assert heat.calibrate() == 0
