/**
 * Shell program that makes a root of its own and runs a program in it with few rights. It runs in
 * fresh mount, process, IPC and host name namespaces. Arguments: an empty directory that serves as
 * mount point, the largest file in blocks of 512 bytes, the rights (`files` or `all`); then, for what the program may see, a mode
 * (`ro` or `rw`), a source and a target each, or `merge`, layers of an overlay that are targets
 * before it (relative, topmost first, `:` between them) and a target; then `--` and the program.
 *
 * The root holds the machine's programs and libraries, read-only, /proc of the new process
 * namespace, /dev/null, a passwd and a group that know root only, and what was listed. The machine's own root is gone from it.
 */
export const confinedScript = `
set -eu
root=$1 blocks=$2 rights=$3
shift 3
mount -t tmpfs -o size=4m,mode=0755,nosuid,nodev confined "$root"
cd "$root"
for each in usr bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$each" ]; then cp -P "/$each" "$each"
  elif [ -d "/$each" ]; then
    mkdir "$each"
    mount --bind -o ro,nosuid,nodev "/$each" "$each"
  fi
done
mkdir dev proc etc old
echo root:x:0:0:root:/:/bin/sh > etc/passwd
echo root:x:0: > etc/group
: > dev/null
mount --bind /dev/null dev/null
if [ "$rights" = all ]; then
  for each in zero full random urandom tty; do
    : > "dev/$each"
    mount --bind "/dev/$each" "dev/$each"
  done
  mkdir dev/shm sys
  mount --bind -o ro,nosuid,nodev,noexec /sys sys
fi
mount -t proc -o ro,nosuid,nodev,noexec proc proc
while [ "$1" != -- ]; do
  mode=$1 source=$2 target=.$3
  shift 3
  mkdir -p "\${target%/*}"
  if [ "$mode" = merge ]; then
    mkdir "$target"
    mount -t overlay -o "ro,nosuid,nodev,redirect_dir=nofollow,metacopy=off,lowerdir=$source" overlay "$target"
    continue
  fi
  if [ -d "$source" ]; then mkdir -p "$target"; else : > "$target"; fi
  mount --bind -o "$mode,nosuid,nodev" "$source" "$target"
done
shift
pivot_root . old
cd /
umount -l /old
rmdir /old
mount -o remount,bind,ro,nosuid,nodev /
umask 022
ulimit -c 0
ulimit -f "$blocks"
[ "$rights" = files ] || exec "$@"
exec setpriv --no-new-privs --inh-caps -all --bounding-set "-all,+chown,+dac_override,+fowner,+fsetid,+mknod,+setfcap" "$@"
`;
