import unittest  # runs


class Cases(unittest.TestCase):  # runs
    def test_one(self):  # runs
        self.assertEqual(1, 1)  # runs

    def test_two(self):  # runs
        with self.assertRaises(ZeroDivisionError):  # runs
            1 / 0  # runs
