#!/usr/bin/env bash
# compose.sh -- docker-compose.yml is what docker-compose understands.  Without docker-compose it says so.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v docker-compose >/dev/null; then
	echo "docker-compose is not installed (apt-get install docker-compose): docker-compose.yml was NOT checked"
	exit 0
fi
docker-compose -f docker-compose.yml config -q
echo "docker-compose.yml: valid"
