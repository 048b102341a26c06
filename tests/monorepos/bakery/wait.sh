#!/bin/sh
timeout 30 sh -c 'until docker compose logs | grep -q baked && docker compose logs | grep -q sold; do sleep 0.1; done'
