#!/bin/sh
timeout 30 sh -c 'until docker compose logs | grep -q "keys for" && docker compose logs | grep -q locked && docker compose logs | grep -q silent; do sleep 0.1; done'
sleep 0.3
