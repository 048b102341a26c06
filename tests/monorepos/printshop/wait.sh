#!/bin/sh
timeout 30 sh -c 'until docker compose logs | grep -q printed && docker compose logs | grep -q bound; do sleep 0.1; done'
