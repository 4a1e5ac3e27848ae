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
  `CREATE TABLE uploads (
     id TEXT PRIMARY KEY,
     sandbox TEXT NOT NULL REFERENCES sandboxes (id) ON DELETE CASCADE,
     path TEXT NOT NULL,
     size INTEGER,
     metadata TEXT NOT NULL,
     staged TEXT NOT NULL,
     trusted_bytes INTEGER,
     etag TEXT,
     created_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL
   );
   CREATE INDEX uploads_sandbox ON uploads (sandbox);
   CREATE INDEX uploads_expiry ON uploads (expires_at);
   CREATE TABLE links (
     id TEXT PRIMARY KEY,
     sandbox TEXT NOT NULL REFERENCES sandboxes (id) ON DELETE CASCADE,
     key TEXT NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
     token_sha256 BLOB NOT NULL UNIQUE,
     path TEXT NOT NULL,
     method TEXT NOT NULL,
     max_bytes INTEGER,
     created_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL
   );
   CREATE INDEX links_sandbox ON links (sandbox);
   CREATE INDEX links_key ON links (key);
   CREATE INDEX links_expiry ON links (expires_at);`,
];
