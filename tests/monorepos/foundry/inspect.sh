#!/bin/sh
timeout 30 sh -c 'until docker compose logs sensors | grep -q "measured 1200"; do sleep 0.1; done'
