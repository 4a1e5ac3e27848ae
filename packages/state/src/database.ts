import { closeSync, openSync } from 'node:fs';
import Libsql from 'libsql';
import { migrations } from './migrations.ts';

export type Database = Libsql.Database;

/**
 * Opens the state file, made when it is missing, and brings it to the newest schema. The caller sees
 * to it that nobody else writes to the file.
 * @throws Error when the file was written by a newer release.
 */
export function openDatabase(file: string): Database {
  // Others on the machine must not read it; SQLite gives its other files the same mode.
  if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600));
  const database = new Libsql(file);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = NORMAL');
  migrate(database, file);
  database.exec('PRAGMA foreign_keys = ON');
  return database;
}

/** Runs the migrations that the file has not seen, each in a transaction of its own. */
function migrate(database: Database, file: string): void {
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as {
    user_version: number;
  };
  if (version > migrations.length)
    throw new Error(
      `${file} has schema ${version}, this release knows ${migrations.length}: it was written by a newer Sandport; start that one.`,
    );
  for (let next = version; next < migrations.length; next++) {
    database.transaction(() => {
      database.exec(migrations[next] ?? '');
      database.exec(`PRAGMA user_version = ${next + 1}`);
    })();
  }
}
