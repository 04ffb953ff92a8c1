#!/bin/sh
# Fills the volume `provisioned` before the other services start, again at each `docker compose up`.
set -eu
millrace rules --out rules
millrace dashboards --out dashboards
# Alertmanager includes no other files.
cat /etc/millrace/alertmanager.yml rules/millrace.inhibit.yml > alertmanager.yml
if [ ! -e secrets/http-token ]; then
  mkdir -p -m 700 secrets
  (umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > secrets/http-token)
fi
