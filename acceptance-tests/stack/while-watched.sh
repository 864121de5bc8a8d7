#!/bin/sh
# while-watched.sh FOLDER COMMAND...: runs the command until standard input ends, then kills it and removes the folder.
# Whoever started this holds the other end of standard input, which the kernel closes even when that process is killed.
# A signal's name as a line on standard input is sent to the command, whose end is the end of this; the folder stays.
folder=$1
shift
"$@" </dev/null &
exec >/dev/null 2>&1
read -r signal
kill "-${signal:-KILL}" $!
wait
[ -n "$signal" ] || rm -rf "$folder"
