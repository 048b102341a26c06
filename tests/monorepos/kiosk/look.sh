#!/bin/sh
set -eu
timeout 30 sh -c 'until docker compose logs screen | grep -q "screen: to pay: 3"; do sleep 0.1; done'
timeout 30 sh -c 'until docker compose exec -T till test -e /receipts/loaded; do sleep 0.1; done'
docker compose logs till | grep -q 'drawer=1 total=449'
