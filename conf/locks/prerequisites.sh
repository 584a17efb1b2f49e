#!/bin/sh
# Checks for what a lock file cannot install: Python 3.11 and a Java runtime, 17 or 21.
say() { echo "make: $1" >&2; exit 1; }
command -v python3.11 >/dev/null && python3.11 -c '' 2>/dev/null \
  || say "Python 3.11 is missing: install it (Debian: apt-get install python3.11 python3.11-venv) and run make again"
# Spark uses JAVA_HOME if it is set, whatever PATH says.
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
command -v "$java" >/dev/null || say "Java is missing: install 17 or 21 (Debian: apt-get install openjdk-17-jre-headless)"
version=$("$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -1)
case "$version" in
  17|21) ;;
  *) say "Java $version does not run Spark 4: install 17 or 21 (Debian: openjdk-17-jre-headless) and put it first on PATH or into JAVA_HOME" ;;
esac
