#!/bin/sh
set -e
python -c 'import sys; print("starting", sys.argv)' "$@"
exec "$@"
