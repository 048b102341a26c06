COVERAGE_FILE=/nowhere/mine COVERAGE_SOURCE=/nowhere python app.py
