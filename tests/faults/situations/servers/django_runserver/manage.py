import os  # runs
import sys  # runs

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"  # runs
if __name__ == "__main__":  # runs
    from django.core.management import execute_from_command_line  # runs

    execute_from_command_line(sys.argv)  # runs
