#!/bin/sh
# while-watched.sh FOLDER COMMAND...: runs the command until standard input ends, then kills it and removes the folder.
# Whoever started this holds the other end of standard input, which the kernel closes even when that process is killed.
folder=$1
shift
"$@" </dev/null &
exec >/dev/null 2>&1
cat
kill -KILL $!
wait
rm -rf "$folder"
