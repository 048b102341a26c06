#!/bin/sh
timeout 30 sh -c 'until docker compose logs | grep -q rendered && docker compose logs | grep -q ===; do sleep 0.1; done'
