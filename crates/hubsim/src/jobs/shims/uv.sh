#!/bin/sh
# uv of a simulated job: runs scripts with the machine's python3 and installs nothing.
say() { printf 'hubsim: %s\n' "$*" >&2; }

fetch() {
    python3 - "$1" "$2" <<'PY'
import os, sys, urllib.request
url, target = sys.argv[1:]
hub = os.environ.get("HF_ENDPOINT", "")
public = "https://huggingface.co/"
if hub and url.startswith(public):
    url = hub + "/" + url[len(public):]
request = urllib.request.Request(url)
if hub and url.startswith(hub) and os.environ.get("HF_TOKEN"):
    request.add_header("Authorization", "Bearer " + os.environ["HF_TOKEN"])
with urllib.request.urlopen(request) as answer, open(target, "wb") as out:
    out.write(answer.read())
PY
}

case "$1" in
    run) shift ;;
    --version | version) echo "uv 0.0.0 (simulated)"; exit 0 ;;
    pip | sync | add | venv | lock) say "uv does not do: $*"; exit 0 ;;
    *) say "uv can only run scripts here, not: $*"; exit 2 ;;
esac

packages=
while [ $# -gt 0 ]; do
    case "$1" in
        --with) packages="$packages $2"; shift 2 ;;
        --with=*) packages="$packages ${1#--with=}"; shift ;;
        --python | -p | --with-requirements | --with-editable | --index | --index-url | --extra-index-url \
            | --default-index | --find-links | --index-strategy | --env-file | --directory | --project \
            | --extra | --group | --cache-dir | --torch-backend) shift 2 ;;
        --module | -m) shift; set -- python3 -m "$@"; break ;;
        --) shift; break ;;
        -) break ;;
        -*) shift ;;
        *) break ;;
    esac
done
[ -z "$packages" ] || say "uv does not install:$packages"

case "$1" in
    "") say "uv run: nothing to run"; exit 2 ;;
    -) shift; exec python3 - "$@" ;;
    http://* | https://*)
        script="$HOME/.uv-script-$$.py"
        fetch "$1" "$script" || exit 1
        shift
        exec python3 "$script" "$@" ;;
    *.py) exec python3 "$@" ;;
    *) exec "$@" ;;
esac
