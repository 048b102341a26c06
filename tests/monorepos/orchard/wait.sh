#!/bin/sh
timeout 30 sh -c 'until docker compose logs | grep -q "apples of autumn"; do sleep 0.1; done'
