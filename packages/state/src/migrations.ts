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
  `ALTER TABLE sandboxes ADD COLUMN idle_timeout_seconds INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE sandboxes ADD COLUMN idle_action TEXT NOT NULL DEFAULT 'hibernate';
   ALTER TABLE sandboxes ADD COLUMN active_at INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE sandboxes ADD COLUMN memory INTEGER;
   ALTER TABLE sandboxes ADD COLUMN boot_mode TEXT NOT NULL DEFAULT 'cold';
   ALTER TABLE sandboxes ADD COLUMN parent TEXT;
   ALTER TABLE sandboxes ADD COLUMN fork_tree TEXT;
   ALTER TABLE sandboxes ADD COLUMN snapshot TEXT;
   ALTER TABLE sandboxes ADD COLUMN pooled INTEGER NOT NULL DEFAULT 0;
   UPDATE sandboxes SET active_at = created_at;
   ALTER TABLE volumes ADD COLUMN size_bytes INTEGER;
   CREATE TABLE snapshots (
     id TEXT PRIMARY KEY,
     namespace TEXT NOT NULL,
     name TEXT,
     sandbox TEXT NOT NULL,
     status TEXT NOT NULL,
     spec TEXT NOT NULL,
     memory INTEGER NOT NULL,
     size_bytes INTEGER NOT NULL,
     metadata TEXT NOT NULL,
     pause_ms REAL NOT NULL,
     created_at INTEGER NOT NULL
   );
   CREATE UNIQUE INDEX snapshots_name ON snapshots (namespace, name) WHERE name IS NOT NULL;
   CREATE INDEX snapshots_sandbox ON snapshots (sandbox);
   CREATE TABLE pools (
     template TEXT NOT NULL,
     isolation TEXT NOT NULL,
     size INTEGER NOT NULL,
     PRIMARY KEY (template, isolation)
   );
   CREATE TABLE quotas (
     namespace TEXT PRIMARY KEY,
     max_sandboxes INTEGER,
     max_memory_mb INTEGER,
     max_disk_mb INTEGER
   );
   CREATE TABLE events (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     sandbox TEXT NOT NULL,
     namespace TEXT NOT NULL,
     at INTEGER NOT NULL,
     type TEXT NOT NULL,
     payload TEXT NOT NULL
   );
   CREATE INDEX events_sandbox ON events (sandbox, id);
   CREATE INDEX events_deleted ON events (at) WHERE type = 'deleted';`,
  `CREATE TABLE kube_objects (
     resource TEXT NOT NULL,
     namespace TEXT NOT NULL,
     name TEXT NOT NULL,
     object TEXT NOT NULL,
     PRIMARY KEY (resource, namespace, name)
   ) WITHOUT ROWID;
   CREATE TABLE kube_revision (
     one INTEGER PRIMARY KEY CHECK (one = 1),
     revision INTEGER NOT NULL
   );
   INSERT INTO kube_revision VALUES (1, 0);`,
  `CREATE TABLE ssh_keys (
     id TEXT PRIMARY KEY,
     key TEXT NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
     label TEXT NOT NULL,
     type TEXT NOT NULL,
     blob BLOB NOT NULL,
     created_at INTEGER NOT NULL,
     UNIQUE (key, blob)
   );
   CREATE INDEX ssh_keys_blob ON ssh_keys (blob);`,
  `CREATE TABLE ports (
     sandbox TEXT NOT NULL REFERENCES sandboxes (id) ON DELETE CASCADE,
     port INTEGER NOT NULL,
     label TEXT,
     visibility TEXT NOT NULL,
     PRIMARY KEY (sandbox, port)
   ) WITHOUT ROWID;
   CREATE TABLE secrets (
     name TEXT PRIMARY KEY,
     secret BLOB NOT NULL
   ) WITHOUT ROWID;`,
  `CREATE TABLE namespace_networks (
     namespace TEXT PRIMARY KEY,
     settings TEXT NOT NULL
   ) WITHOUT ROWID;`,
];
