#!/bin/sh
# Backup of database and photos: deploy/backup.sh FOLDER. Reads ANSHAO_DATABASE_URL and ANSHAO_MEDIA_URL.
# Photos are stored under the hash of their content and never changed, so each is copied once. The database goes first:
# every photo a row names is then in the copy.
set -eu
folder_of() { python3 -c 'import sys, urllib.parse; print(urllib.parse.unquote(sys.argv[1].removeprefix("file://")))' "$1"; }
folder=${1:?usage: backup.sh FOLDER}
url=${ANSHAO_DATABASE_URL:?ANSHAO_DATABASE_URL is not set}
media=${ANSHAO_MEDIA_URL:-}
keep_days=${ANSHAO_BACKUP_KEEP_DAYS:-30}
stamp=$(date -u +%Y%m%dT%H%M%SZ)
umask 077
mkdir -p "$folder/media"
case $url in
postgresql*)
    pg_dump --format=custom --no-owner --dbname="postgresql://${url#*://}" --file="$folder/.unfinished"
    pg_restore --list "$folder/.unfinished" >/dev/null # it can be read
    name=anshao-$stamp.dump
    ;;
sqlite:///*)
    python3 -c 'import sqlite3, sys
source, target = sqlite3.connect(sys.argv[1]), sqlite3.connect(sys.argv[2])
source.backup(target)
assert target.execute("PRAGMA integrity_check").fetchone() == ("ok",)' "${url#sqlite:///}" "$folder/.unfinished"
    name=anshao-$stamp.db
    ;;
*)
    echo "backup.sh: unknown kind of database" >&2
    exit 2
    ;;
esac
mv "$folder/.unfinished" "$folder/$name"
case $media in
file://*) cp -Rpu "$(folder_of "$media")/." "$folder/media/" ;;
*) echo "backup.sh: photos are not in a folder; back up the bucket with its own means" >&2 ;;
esac
find "$folder" -maxdepth 1 -name 'anshao-*' -mtime "+$keep_days" -exec rm -f {} +
echo "$folder/$name"
