/**
 * One attack a line: the path as JSON, then what each operation answers, in the order read, stat,
 * lstat, list, write, mkdir, remove, removeAll. A missing last answer is the one before; a single
 * answer is everybody's. `+x`, `=x`, `-x`: the paths that came, changed, went.
 * {LONGEST}: a name of 255 bytes. {DEEP}: a directory 41 levels down. {OUTSIDE}: the canary.
 */

/** Plain paths, dots, slashes and odd names. */
export const PLAIN_PATHS = String.raw`
"/" | is_directory | directory | directory | 99 entries | is_directory | nothing | busy
"//" | is_directory | directory | directory | 99 entries | is_directory | nothing | busy
"/." | is_directory | directory | directory | 99 entries | is_directory | nothing | invalid_path
"/.." | is_directory | directory | directory | 99 entries | is_directory | nothing | invalid_path
"/../.." | is_directory | directory | directory | 99 entries | is_directory | nothing | invalid_path
"/etc" | is_directory | directory | directory | 2 entries | is_directory | nothing | not_empty | -/etc
"/etc/" | is_directory | directory | directory | 2 entries | is_directory | nothing | not_empty | -/etc
"/etc/." | is_directory | directory | directory | 2 entries | is_directory | nothing | invalid_path
"/etc/.." | is_directory | directory | directory | 99 entries | is_directory | nothing | invalid_path
"/etc/passwd" | 'inside passwd' | file | file | not_a_directory | =/etc/passwd | not_a_directory | -/etc/passwd
"//etc///passwd" | 'inside passwd' | file | file | not_a_directory | =/etc/passwd | not_a_directory | -/etc/passwd
"/./etc/./passwd" | 'inside passwd' | file | file | not_a_directory | =/etc/passwd | not_a_directory | -/etc/passwd
"/etc/../etc/passwd" | 'inside passwd' | file | file | not_a_directory | =/etc/passwd | not_a_directory | -/etc/passwd
"/../../../etc/passwd" | 'inside passwd' | file | file | not_a_directory | =/etc/passwd | not_a_directory | -/etc/passwd
"/etc/passwd/" | not_a_directory
"/etc/passwd/." | not_a_directory
"/etc/passwd/.." | not_a_directory
"/etc/passwd/x" | not_a_directory
"/etc/with (deleted)" | 'not deleted' | file | file | not_a_directory | =/etc/with (deleted) | not_a_directory | -/etc/with (deleted)
"/empty" | is_directory | directory | directory | 0 entries | is_directory | nothing | -/empty
"/full" | is_directory | directory | directory | 1 entries | is_directory | nothing | not_empty | -/full
"/full/inner/../inner/file" | 'full file' | file | file | not_a_directory | =/full/inner/file | not_a_directory | -/full/inner/file
"/missing" | not_found | not_found | not_found | not_found | +/missing | +/missing | not_found
"/missing/" | not_found | not_found | not_found | not_found | is_directory | +/missing | not_found
"/missing/." | not_found | not_found | not_found | not_found | not_found | +/missing | not_found
"/missing/.." | not_found
"/missing/../etc/passwd" | not_found
"/missing/a/b" | not_found | not_found | not_found | not_found | +/missing/a/b | +/missing/a/b | not_found
"/missing/a/b/" | not_found | not_found | not_found | not_found | is_directory | +/missing/a/b | not_found
"/empty/../missing" | not_found | not_found | not_found | not_found | +/missing | +/missing | not_found
"/sp ace" | 'space' | file | file | not_a_directory | =/sp ace | not_a_directory | -/sp ace
"/new\nline" | 'newline' | file | file | not_a_directory | =/new\nline | not_a_directory | -/new\nline
"/ünï日本" | 'unicode' | file | file | not_a_directory | =/ünï日本 | not_a_directory | -/ünï日本
"/back\\slash" | 'backslash' | file | file | not_a_directory | =/back\slash | not_a_directory | -/back\slash
"/{LONGEST}" | 'long name' | file | file | not_a_directory | =/{LONGEST} | not_a_directory | -/{LONGEST}
"/{LONGEST}n" | invalid_path
"/..." | 'three dots' | file | file | not_a_directory | =/... | not_a_directory | -/...
"/...." | not_found | not_found | not_found | not_found | +/.... | +/.... | not_found
"/%2e%2e" | 'percent' | file | file | not_a_directory | =/%2e%2e | not_a_directory | -/%2e%2e
"/%2e%2e/etc" | not_a_directory
"/-rf" | 'dash' | file | file | not_a_directory | =/-rf | not_a_directory | -/-rf
"/~" | not_found | not_found | not_found | not_found | +/~ | +/~ | not_found
"/*" | not_found | not_found | not_found | not_found | +/* | +/* | not_found
"/deep" | is_directory | directory | directory | 1 entries | is_directory | nothing | not_empty | -/deep
"{DEEP}/file" | 'deep file' | file | file | not_a_directory | ={DEEP}/file | not_a_directory | -{DEEP}/file
"/setuid" | 'setuid' | file | file | not_a_directory | =/setuid | not_a_directory | -/setuid
"/locked" | 'locked' | file | file | not_a_directory | =/locked | not_a_directory | -/locked
"/etc//" | is_directory | directory | directory | 2 entries | is_directory | nothing | not_empty | -/etc
"/empty/" | is_directory | directory | directory | 0 entries | is_directory | nothing | -/empty
"/empty/." | is_directory | directory | directory | 0 entries | is_directory | nothing | invalid_path
"/empty/.." | is_directory | directory | directory | 99 entries | is_directory | nothing | invalid_path
"/full/" | is_directory | directory | directory | 1 entries | is_directory | nothing | not_empty | -/full
"/full/inner" | is_directory | directory | directory | 1 entries | is_directory | nothing | not_empty | -/full/inner
"/full/inner/file" | 'full file' | file | file | not_a_directory | =/full/inner/file | not_a_directory | -/full/inner/file
"/full/inner/file/" | not_a_directory
`;

/** Symlinks that stay inside, as far as they try to climb. */
export const INNER_SYMLINKS = String.raw`
"/home/user/relative" | 'user file' | file | symlink | not_a_directory | =/home/user/file.txt | not_a_directory | -/home/user/relative
"/home/user/absolute" | 'inside passwd' | file | symlink | not_a_directory | =/etc/passwd | not_a_directory | -/home/user/absolute
"/home/user/up" | 'inside passwd' | file | symlink | not_a_directory | =/etc/passwd | not_a_directory | -/home/user/up
"/home/user/too-far-up" | 'inside passwd' | file | symlink | not_a_directory | =/etc/passwd | not_a_directory | -/home/user/too-far-up
"/home/user/absolute/" | not_a_directory
"/to-root" | is_directory | directory | symlink | 99 entries | is_directory | nothing | -/to-root
"/to-root/etc/passwd" | 'inside passwd' | file | file | not_a_directory | =/etc/passwd | not_a_directory | -/etc/passwd
"/to-root/../../etc/passwd" | 'inside passwd' | file | file | not_a_directory | =/etc/passwd | not_a_directory | -/etc/passwd
"/to-dotdot" | is_directory | directory | symlink | 99 entries | is_directory | nothing | -/to-dotdot
"/to-dotdot/etc/passwd" | 'inside passwd' | file | file | not_a_directory | =/etc/passwd | not_a_directory | -/etc/passwd
"/to-dot/to-dot/etc/passwd" | 'inside passwd' | file | file | not_a_directory | =/etc/passwd | not_a_directory | -/etc/passwd
"/to-etc" | is_directory | directory | symlink | 2 entries | is_directory | nothing | -/to-etc
"/to-etc/" | is_directory | directory | directory | 2 entries | is_directory | nothing | not_a_directory
"/to-etc/passwd" | 'inside passwd' | file | file | not_a_directory | =/etc/passwd | not_a_directory | -/etc/passwd
"/to-etc/../etc/passwd" | 'inside passwd' | file | file | not_a_directory | =/etc/passwd | not_a_directory | -/etc/passwd
"/to-etc-slash" | is_directory | directory | symlink | 2 entries | is_directory | nothing | -/to-etc-slash
"/to-file-slash" | not_a_directory | not_a_directory | symlink | not_a_directory | not_a_directory | not_a_directory | -/to-file-slash
"/home/user/up/" | not_a_directory
"/home/user/" | is_directory | directory | directory | 5 entries | is_directory | nothing | not_empty | -/home/user
"/home/user/." | is_directory | directory | directory | 5 entries | is_directory | nothing | invalid_path
"/home/user/.." | is_directory | directory | directory | 2 entries | is_directory | nothing | invalid_path
"/home/user/../user/relative" | 'user file' | file | symlink | not_a_directory | =/home/user/file.txt | not_a_directory | -/home/user/relative
"/to-etc/./passwd" | 'inside passwd' | file | file | not_a_directory | =/etc/passwd | not_a_directory | -/etc/passwd
"/to-etc//" | is_directory | directory | directory | 2 entries | is_directory | nothing | not_a_directory
"/to-dot" | is_directory | directory | symlink | 99 entries | is_directory | nothing | -/to-dot
"/to-dot/" | is_directory | directory | directory | 99 entries | is_directory | nothing | not_a_directory
"/to-dot/." | is_directory | directory | directory | 99 entries | is_directory | nothing | invalid_path
"/to-dot/.." | is_directory | directory | directory | 99 entries | is_directory | nothing | invalid_path
"/to-dotdot/" | is_directory | directory | directory | 99 entries | is_directory | nothing | not_a_directory
"/to-dotdot/.." | is_directory | directory | directory | 99 entries | is_directory | nothing | invalid_path
`;

/** Symlinks to the canary: they lead to a place of the same name inside. */
export const ESCAPES = String.raw`
"/out-file" | not_found | not_found | symlink | not_found | +{OUTSIDE}/secret.txt | +{OUTSIDE}/secret.txt | -/out-file
"/out-directory" | not_found | not_found | symlink | not_found | +{OUTSIDE} | +{OUTSIDE} | -/out-directory
"/out-directory/" | not_found | not_found | not_found | not_found | is_directory | +{OUTSIDE} | not_a_directory
"/out-directory/secret.txt" | not_found | not_found | not_found | not_found | +{OUTSIDE}/secret.txt | +{OUTSIDE}/secret.txt | not_found
"/out-directory/sub/file" | not_found | not_found | not_found | not_found | +{OUTSIDE}/sub/file | +{OUTSIDE}/sub/file | not_found
"/out-relative" | not_found | not_found | symlink | not_found | +{OUTSIDE}/secret.txt | +{OUTSIDE}/secret.txt | -/out-relative
"/out-far" | not_found | not_found | symlink | not_found | +{OUTSIDE}/secret.txt | +{OUTSIDE}/secret.txt | -/out-far
"/home/out-nested" | not_found | not_found | symlink | not_found | +{OUTSIDE}/sub | +{OUTSIDE}/sub | -/home/out-nested
"/home/out-nested/file" | not_found | not_found | not_found | not_found | +{OUTSIDE}/sub/file | +{OUTSIDE}/sub/file | not_found
"/out-directory/.." | not_found
"/out-directory/../etc/passwd" | not_found
"/out-relative/" | not_found | not_found | not_found | not_found | is_directory | +{OUTSIDE}/secret.txt | not_a_directory
"/out-relative/x" | not_found | not_found | not_found | not_found | +{OUTSIDE}/secret.txt/x | +{OUTSIDE}/secret.txt/x | not_found
"/out-file/" | not_found | not_found | not_found | not_found | is_directory | +{OUTSIDE}/secret.txt | not_a_directory
"/out-far/" | not_found | not_found | not_found | not_found | is_directory | +{OUTSIDE}/secret.txt | not_a_directory
"/out-directory/empty" | not_found | not_found | not_found | not_found | +{OUTSIDE}/empty | +{OUTSIDE}/empty | not_found
"/out-directory/new" | not_found | not_found | not_found | not_found | +{OUTSIDE}/new | +{OUTSIDE}/new | not_found
"/out-directory/sub/.." | not_found
"/out-directory/../../.." | not_found
"/home/out-nested/../secret.txt" | not_found
`;

/** Loops, chains and links to nowhere. */
export const LOOPS_AND_DANGLING = String.raw`
"/loop-self" | symlink_loop | symlink_loop | symlink | symlink_loop | symlink_loop | symlink_loop | -/loop-self
"/loop-self/x" | symlink_loop
"/loop-a" | symlink_loop | symlink_loop | symlink | symlink_loop | symlink_loop | symlink_loop | -/loop-a
"/loop-inside" | symlink_loop | symlink_loop | symlink | symlink_loop | symlink_loop | symlink_loop | -/loop-inside
"/dangling" | not_found | not_found | symlink | not_found | +/nowhere/at/all | +/nowhere/at/all | -/dangling
"/dangling/" | not_found | not_found | not_found | not_found | is_directory | +/nowhere/at/all | not_a_directory
"/dangling/x" | not_found | not_found | not_found | not_found | +/nowhere/at/all/x | +/nowhere/at/all/x | not_found
"/dangling-relative" | not_found | not_found | symlink | not_found | +/nothing-here | +/nothing-here | -/dangling-relative
"/dangling-relative/x" | not_found | not_found | not_found | not_found | +/nothing-here/x | +/nothing-here/x | not_found
"/dangling-up" | not_found | not_found | symlink | not_found | +/nothing-here | +/nothing-here | -/dangling-up
"/dangling-slash" | not_found | not_found | symlink | not_found | is_directory | +/nothing-here | -/dangling-slash
"/dangling-dotdot" | not_found | not_found | symlink | not_found | not_found | not_found | -/dangling-dotdot
"/loop-a/.." | symlink_loop
"/loop-a/../etc/passwd" | symlink_loop
"/loop-b" | symlink_loop | symlink_loop | symlink | symlink_loop | symlink_loop | symlink_loop | -/loop-b
"/loop-inside/x" | symlink_loop
"/dangling/.." | not_found
"/dangling-up/" | not_found | not_found | not_found | not_found | is_directory | +/nothing-here | not_a_directory
"/dangling-dotdot/" | not_found | not_found | not_found | not_found | is_directory | not_found | not_a_directory
"/chain-40/" | not_a_directory
"/chain-40/x" | not_a_directory
"/chain-45" | symlink_loop | symlink_loop | symlink | symlink_loop | symlink_loop | symlink_loop | -/chain-45
"/chain-41/x" | symlink_loop
"/chain-1" | 'inside passwd' | file | symlink | not_a_directory | =/etc/passwd | not_a_directory | -/chain-1
"/chain-40" | 'inside passwd' | file | symlink | not_a_directory | =/etc/passwd | not_a_directory | -/chain-40
"/chain-41" | symlink_loop | symlink_loop | symlink | symlink_loop | symlink_loop | symlink_loop | -/chain-41
"/chain-39" | 'inside passwd' | file | symlink | not_a_directory | =/etc/passwd | not_a_directory | -/chain-39
"/name-loop" | symlink_loop | symlink_loop | symlink | symlink_loop | symlink_loop | symlink_loop | -/name-loop
"/name-long-chain" | 'inside passwd' | file | symlink | not_a_directory | =/etc/passwd | not_a_directory | -/name-long-chain
`;

/** The kernel's areas and its magic links. */
export const KERNEL_AREAS = String.raw`
"/magic-root" | not_a_regular_file | not_a_regular_file | symlink | not_a_regular_file | not_a_regular_file | not_a_regular_file | -/magic-root
"/magic-root/" | not_a_regular_file | not_a_regular_file | not_a_regular_file | not_a_regular_file | not_a_regular_file | not_a_regular_file | not_a_directory
"/magic-root/etc/passwd" | not_a_regular_file
"/magic-passwd" | not_a_regular_file | not_a_regular_file | symlink | not_a_regular_file | not_a_regular_file | not_a_regular_file | -/magic-passwd
"/magic-cwd" | not_a_regular_file | not_a_regular_file | symlink | not_a_regular_file | not_a_regular_file | not_a_regular_file | -/magic-cwd
"/magic-fd" | not_a_regular_file | not_a_regular_file | symlink | not_a_regular_file | not_a_regular_file | not_a_regular_file | -/magic-fd
"/magic-one" | not_a_regular_file | not_a_regular_file | symlink | not_a_regular_file | not_a_regular_file | not_a_regular_file | -/magic-one
"/proc" | is_directory | directory | directory | 0 entries | is_directory | nothing | not_a_regular_file
"/proc/" | is_directory | directory | directory | 0 entries | is_directory | nothing | not_a_regular_file
"/proc/self" | not_a_regular_file
"/proc/self/root/etc/passwd" | not_a_regular_file
"/proc/1/environ" | not_a_regular_file
"/proc/.." | is_directory | directory | directory | 99 entries | is_directory | nothing | invalid_path
"/proc/../etc/passwd" | 'inside passwd' | file | file | not_a_directory | =/etc/passwd | not_a_directory | -/etc/passwd
"/sys" | is_directory | directory | directory | 0 entries | is_directory | nothing | not_a_regular_file
"/sys/kernel" | not_a_regular_file
"/sys/kernel/notes" | not_a_regular_file
"/dev" | is_directory | directory | directory | 0 entries | is_directory | nothing | not_a_regular_file
"/dev/null" | not_a_regular_file
"/dev/null/x" | not_a_regular_file
"/dev/" | is_directory | directory | directory | 0 entries | is_directory | nothing | not_a_regular_file
"/sys/kernel/" | not_a_regular_file
"/sys/kernel/new" | not_a_regular_file
"/sys/kernel/../kernel/notes" | not_a_regular_file
"/run/sandport/new/er" | not_a_regular_file
"/run/./sandport//new" | not_a_regular_file
"/to-dev-null/" | not_a_regular_file | not_a_regular_file | not_a_regular_file | not_a_regular_file | not_a_regular_file | not_a_regular_file | not_a_directory
"/to-hidden/x" | not_a_regular_file
"/to-root/run/sandport/new" | not_a_regular_file
"/home/../run/sandport/x" | not_a_regular_file
"/proc/self/fd" | not_a_regular_file
"/proc/thread-self" | not_a_regular_file
"/dev/shm/x" | not_a_regular_file
"/dev/pts/0" | not_a_regular_file
"/run" | is_directory | directory | directory | 1 entries | is_directory | nothing | busy
"/run/sandport" | is_directory | directory | directory | 0 entries | is_directory | nothing | not_a_regular_file
"/run/sandport/" | is_directory | directory | directory | 0 entries | is_directory | nothing | not_a_regular_file
"/run/sandport/init.sock.txt" | not_a_regular_file
"/run/sandport/../sandport/init.sock.txt" | not_a_regular_file
"/run/sandport2" | not_found | not_found | not_found | not_found | +/run/sandport2 | +/run/sandport2 | not_found
"/to-hidden" | not_a_regular_file | not_a_regular_file | symlink | not_a_regular_file | not_a_regular_file | not_a_regular_file | -/to-hidden
"/to-dev-null" | not_a_regular_file | not_a_regular_file | symlink | not_a_regular_file | not_a_regular_file | not_a_regular_file | -/to-dev-null
"/to-root/proc/1/environ" | not_a_regular_file
"/to-root/dev/null" | not_a_regular_file
`;

/** FIFOs, sockets and devices. */
export const SPECIAL_FILES = String.raw`
"/null/" | not_a_directory
"/null/x" | not_a_directory
"/socket/" | not_a_directory
"/kernel-log/" | not_a_directory
"/loop-device/x" | not_a_directory
"/to-fifo/" | not_a_directory
"/to-fifo/x" | not_a_directory
"/fifo" | not_a_regular_file | fifo | fifo | not_a_directory | not_a_regular_file | not_a_directory | -/fifo
"/fifo/" | not_a_directory
"/fifo/x" | not_a_directory
"/to-fifo" | not_a_regular_file | fifo | symlink | not_a_directory | not_a_regular_file | not_a_directory | -/to-fifo
"/null" | not_a_regular_file | character_device | character_device | not_a_directory | not_a_regular_file | not_a_directory | -/null
"/full-device" | not_a_regular_file | character_device | character_device | not_a_directory | not_a_regular_file | not_a_directory | -/full-device
"/kernel-log" | not_a_regular_file | character_device | character_device | not_a_directory | not_a_regular_file | not_a_directory | -/kernel-log
"/loop-device" | not_a_regular_file | block_device | block_device | not_a_directory | not_a_regular_file | not_a_directory | -/loop-device
"/socket" | not_a_regular_file | socket | socket | not_a_directory | not_a_regular_file | not_a_directory | -/socket
"/socket/x" | not_a_directory
`;

/** What is no path at all. */
export const INVALID_PATHS = String.raw`
"" | invalid_path
"etc/passwd" | invalid_path
"." | invalid_path
".." | invalid_path
"/a\u0000b" | invalid_path
"\u0000" | invalid_path
"/\ud800" | invalid_path
`;
