#!/bin/sh
# onnxruntime 1.32.0 (the Linux wheel of PyPI): importing it makes a device id and a database of reports about the machine
# below the user's cache folder, before any call can say no; the documented call `disable_telemetry_events()` comes too late.
#
# Guess of a good engineer: telemetry is a matter of the Windows builds; a CPU wheel on Linux writes nothing outside of what
# it is told to, and `onnxruntime.disable_telemetry_events()` right after the import keeps it so.
# Behaviour: `import onnxruntime` alone writes ~/.cache/Microsoft/DeveloperTools/.onnxruntime/deviceid and onnxruntime.db
# (SQLite, table `events`), also when the call follows at once. A session adds events there, to be sent when there is a network.
# What to do: ORT_DISABLE_TELEMETRY=1 in the environment before the import.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet onnxruntime==1.32.0 numpy==2.4.6
kept() {  # name, program: how many files lie below a fresh home afterwards
  mkdir "$1"
  env -u XDG_CACHE_HOME HOME="$folder/$1" venv/bin/python -c "$2"
  echo "$1: $(cd "$1" && find . -type f ! -name '*-wal' ! -name '*-shm' | sort | tr '\n' ' ')"
}
unset ORT_DISABLE_TELEMETRY
kept imported "import onnxruntime"
kept called "import onnxruntime; onnxruntime.disable_telemetry_events()"
kept told "import os; os.environ['ORT_DISABLE_TELEMETRY'] = '1'; import onnxruntime"
place=.cache/Microsoft/DeveloperTools/.onnxruntime
for left in "imported/$place/deviceid" "imported/$place/onnxruntime.db" "called/$place/deviceid"; do
  [ -s "$left" ] || { echo "changed: $left is not there"; exit 1; }
done
[ -z "$(find told -type f)" ] || { echo "changed: files are written although it was told not to"; exit 1; }
# Seen on 2026-11-30 (Python 3.11, Linux):
# imported: ./.cache/Microsoft/DeveloperTools/.onnxruntime/deviceid ./.cache/Microsoft/DeveloperTools/.onnxruntime/onnxruntime.db
# called: ./.cache/Microsoft/DeveloperTools/.onnxruntime/deviceid ./.cache/Microsoft/DeveloperTools/.onnxruntime/onnxruntime.db
# told:
