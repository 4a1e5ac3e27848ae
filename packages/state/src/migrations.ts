/**
 * The schema, step by step. A step that has been released is never changed; `PRAGMA user_version`
 * holds how many of them a file has seen. Times are milliseconds since 1970.
 */
export const migrations: readonly string[] = [
  `CREATE TABLE sandboxes (
     id TEXT PRIMARY KEY,
     namespace TEXT NOT NULL,
     name TEXT,
     template TEXT NOT NULL,
     isolation TEXT NOT NULL,
     status TEXT NOT NULL,
     status_reason TEXT,
     spec TEXT NOT NULL,
     metadata TEXT NOT NULL,
     ttl_seconds INTEGER NOT NULL,
     persistent INTEGER NOT NULL,
     boot_ms REAL NOT NULL,
     created_at INTEGER NOT NULL,
     expires_at INTEGER
   );
   CREATE UNIQUE INDEX sandboxes_name ON sandboxes (namespace, name) WHERE name IS NOT NULL;
   CREATE INDEX sandboxes_created ON sandboxes (created_at DESC, id DESC);
   CREATE TABLE volumes (
     namespace TEXT NOT NULL,
     name TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     PRIMARY KEY (namespace, name)
   );
   CREATE TABLE keys (
     id TEXT PRIMARY KEY,
     label TEXT NOT NULL,
     sha256 BLOB NOT NULL UNIQUE,
     namespaces TEXT,
     created_at INTEGER NOT NULL
   );`,
];
