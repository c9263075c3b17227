#!/usr/bin/env bash
# The one step of action.yml, for bash 3.2 (macOS) and newer: fetch what to compare with, check once, tell what came of it.
set -eo pipefail

case $INPUT_FAIL_ON in
  regression | inconclusive) ;;
  *)
    echo "::error title=actbench::fail-on is either regression or inconclusive"
    exit 2
    ;;
esac

against=$INPUT_AGAINST
if [ -z "$against" ]; then
  if [ -n "$GITHUB_BASE_REF" ]; then against=git:origin/$GITHUB_BASE_REF; else against=git:HEAD^; fi
fi
case $against in
  git:origin/*)
    branch=${against#git:origin/}
    # In a shallow checkout one commit is enough; a whole one must not be cut down to that.
    shallow=()
    if [ "$(git rev-parse --is-shallow-repository)" = true ]; then shallow=(--depth=1); fi
    git fetch --quiet --no-tags "${shallow[@]}" origin "+refs/heads/$branch:refs/remotes/origin/$branch"
    ;;
  git:HEAD^)
    if ! git rev-parse --verify --quiet HEAD^ > /dev/null; then
      git fetch --quiet --no-tags --deepen=1 origin "$(git rev-parse HEAD)"
    fi
    ;;
esac

words=$("$INPUT_PYTHON" -c 'import shlex, sys; print(*shlex.split(sys.argv[1]), sep="\n")' "$INPUT_ARGUMENTS")
arguments=()
while IFS= read -r word; do
  if [ -n "$word" ]; then arguments+=("$word"); fi
done <<< "$words"

place=$(mktemp -d "$RUNNER_TEMP/actbench-XXXXXX")
report=$place/report.md
code=0
# -P: what is measured is what is installed, even where the checkout has a folder of the same name.
"$INPUT_PYTHON" -P -m actbench check "${arguments[@]}" \
  --against="$against" --format=markdown --output="$place/runs" > "$report" || code=$?
cat "$report"

sentence=
read -r sentence < "$report" || true
sentence=${sentence#'**'}
sentence=${sentence%'**'}
sentence=${sentence//'\'/} # the escapes of Markdown
sentence=${sentence//'%'/%25} # as workflow commands want it
verdict=failed
case $code in
  0) verdict=passed ;;
  1) if [ -n "$sentence" ]; then verdict=regressed; fi ;; # Python itself ends with 1 as well, but without a report
  3) verdict=inconclusive ;;
esac

{
  echo "verdict=$verdict"
  echo "exit-code=$code"
  if [ -s "$report" ]; then echo "report=$report"; fi
  if [ -d "$place/runs/candidate" ]; then echo "runs=$place/runs"; fi
} >> "$GITHUB_OUTPUT"

case $verdict/$INPUT_FAIL_ON in
  passed/*) echo "::notice title=actbench::$sentence" ;;
  inconclusive/regression) echo "::warning title=actbench::$sentence" ;;
  regressed/* | inconclusive/*)
    echo "::error title=actbench::$sentence"
    exit "$code"
    ;;
  *)
    echo "::error title=actbench::${sentence:-the check ended with exit code $code; the log says why}"
    exit "$code"
    ;;
esac
