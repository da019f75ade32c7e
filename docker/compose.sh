#!/usr/bin/env bash
# The platform in containers: `demo` builds, starts, goes a journey of every kind and leaves it up, `test` runs the acceptance
# suite against it, `down` stops it and keeps its data. SANDBOX_BASE_PORT shifts all ports; COMPOSE names the compose command.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${BIN:-.venv/bin}
base=${SANDBOX_BASE_PORT:-8440}
host=${SANDBOX_PUBLIC_HOST:-localhost}
export SANDBOX_BASE_PORT=$base SANDBOX_WELCOME_PORT=$((base - 1)) SANDBOX_PORTAL_PORT=$base SANDBOX_FRONT_PORT=$((base + 1)) \
  SANDBOX_EDGE_PORT=$((base + 3)) SANDBOX_DEMO_PORT=$((base + 6))
compose=${COMPOSE:-$(docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)}
servers=(bank admin authorization portal demo edge)
name=demo

start() {
  local began=$SECONDS
  $compose build secrets # one image serves all
  $compose up -d
  for server in "${servers[@]}"; do
    until $compose exec -T "$server" python3 -P -m chassis.serving.health "$server" "$base" /srv/sandbox 2>/dev/null; do
      if ((SECONDS - began > ${DEADLINE:-600})); then
        echo "$server is not well after $((SECONDS - began)) s; the end of its log:" >&2
        $compose logs --tail=20 "$server" >&2
        exit 1
      fi
      sleep 0.5
    done
  done
  echo "all servers are well, $((SECONDS - began)) s after the start"
}

# What a TPP needs of it lies in the authority's volume: the root to trust, and the TPP's own keys.
take_out() {
  mkdir -p "$1"
  $compose exec -T portal tar -C /srv/sandbox -c certs/trust.pem "certs/tpps/$name" | tar -C "$1" -x --no-same-owner
}

demo() {
  start
  $compose exec -T portal sandbox tpp register "$name" --authorisation-number PSDDE-BAFIN-100001 --roles AISP,PISP,CBPII \
    --organisation "Demo Money Manager" --redirect-uri "https://$host:$SANDBOX_DEMO_PORT/callback"
  take_out var/compose
  "$bin/tpp" journey all --tpp "$name" --home var/compose
  cat <<TEXT

The platform is up in containers. \`make compose-down\` stops it, its data stays.
  welcome   http://$host:$SANDBOX_WELCOME_PORT
  portal    https://$host:$SANDBOX_PORTAL_PORT
  front     https://$host:$SANDBOX_FRONT_PORT
  edge      https://$host:$SANDBOX_EDGE_PORT
  demo app  https://$host:$SANDBOX_DEMO_PORT
Root certificate and the TPP's keys: var/compose/certs
TEXT
}

case ${1:-} in
  demo) demo ;;
  test) start && "$bin/behave" --no-capture --format progress -D compose="$compose" ;;
  down) $compose down ;;
  *) echo "usage: $0 demo|test|down" >&2 && exit 2 ;;
esac
