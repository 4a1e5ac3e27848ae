/**
 * How many directories are watched, below the one that a watcher is for: each costs memory here and
 * in the kernel, and a guest chooses how many it has. `told` is how many names of new directories one
 * watcher keeps in mind. A test sets fewer.
 */
export const watchLimits = { ofOne: 65_536, ofAll: 262_144, told: 65_536 };

let taken = 0;

/** One watcher's share. */
export class WatchBudget {
  #mine = 0;

  /** False when there is none left. */
  take(): boolean {
    if (this.#mine >= watchLimits.ofOne || taken >= watchLimits.ofAll) return false;
    this.#mine++;
    taken++;
    return true;
  }

  giveBack(): void {
    this.#mine--;
    taken--;
  }

  close(): void {
    taken -= this.#mine;
    this.#mine = 0;
  }
}
