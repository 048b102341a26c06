#!/bin/sh
timeout 30 sh -c 'until docker compose logs recorder | grep -q "recorded Radio Nowhere on 98.5"; do sleep 0.1; done'
