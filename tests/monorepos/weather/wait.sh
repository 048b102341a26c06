#!/bin/sh
timeout 60 sh -c 'until docker compose logs publish | grep -q "published .*Quito: 290"; do sleep 0.1; done'
