#!/bin/sh
# A small curl for machines that have none: `curl [-fsSL] [-o FILE] [-H HEADER]… URL`.
exec python3 - "$@" <<'PY'
import shutil, sys, urllib.error, urllib.request
out, headers, urls = None, {}, []
words = iter(sys.argv[1:])
for word in words:
    if word in ("-o", "--output"):
        out = next(words, None)
    elif word in ("-H", "--header"):
        name, _, value = next(words, "").partition(":")
        headers[name] = value.strip()
    elif word.startswith("-") and not word.startswith("--") and word.endswith("o"):
        out = next(words, None)
    elif not word.startswith("-"):
        urls.append(word)
try:
    with urllib.request.urlopen(urllib.request.Request(urls[-1], headers=headers)) as answer:
        target = open(out, "wb") if out and out != "-" else sys.stdout.buffer
        shutil.copyfileobj(answer, target)
except (OSError, IndexError) as error:
    print("curl:", error, file=sys.stderr)
    sys.exit(22)
PY
