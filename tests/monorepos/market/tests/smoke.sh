#!/bin/sh
set -eu
timeout 30 sh -c 'until docker compose logs web | grep -q "<h1>3 crates</h1>"; do sleep 0.1; done'
timeout 30 sh -c 'until docker compose logs jobs | grep -q "counted 3 crates"; do sleep 0.1; done'
docker compose exec -T api python -m jobs.stock.refill
sleep 0.3
