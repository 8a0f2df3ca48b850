/**
 * What the ledger must say after a run, counted record by record as they are stored, in any order: which of two copies
 * comes first changes no figure. Memory: a bit per login, per player, and per player and country.
 */

import type { ProducedRecord } from './generator.ts';
import { COUNTRIES } from './login.ts';

/** The same shape as `kinesis-fleet counts --json`. */
export interface Truth {
  readonly records: number;
  readonly fresh: number;
  readonly duplicate: number;
  readonly undecodable: number;
  /** Fresh records. */
  readonly formats: { readonly LoginMessageV1: number; readonly LoginMessageV2: number };
  readonly uniquePlayers: number;
  /** Only countries that have players. */
  readonly uniquePlayersByCountry: Readonly<Record<string, number>>;
}

export class TruthKeeper {
  readonly #logins = new BitSet();
  readonly #players = new BitSet();
  readonly #playersByCountry = new BitSet();
  readonly #countries = new Uint32Array(COUNTRIES.length);
  #fresh = 0;
  #freshV2 = 0;
  #duplicate = 0;
  #undecodable = 0;
  #uniquePlayers = 0;

  /** Call it once for each time that the record was stored. */
  add({ login }: Pick<ProducedRecord, 'login'>): void {
    if (!login) {
      this.#undecodable++;
      return;
    }
    const hasCountry = login.country >= 0;
    if (this.#logins.add(login.index)) {
      this.#fresh++;
      if (hasCountry) this.#freshV2++;
    } else {
      this.#duplicate++;
    }
    if (this.#players.add(login.player)) this.#uniquePlayers++;
    if (hasCountry && this.#playersByCountry.add(login.player * COUNTRIES.length + login.country)) {
      this.#countries[login.country]!++;
    }
  }

  truth(): Truth {
    const byCountry = COUNTRIES.flatMap((country, i): [string, number][] => {
      const players = this.#countries[i]!;
      return players === 0 ? [] : [[country, players]];
    });
    return {
      records: this.#fresh + this.#duplicate + this.#undecodable,
      fresh: this.#fresh,
      duplicate: this.#duplicate,
      undecodable: this.#undecodable,
      formats: { LoginMessageV1: this.#fresh - this.#freshV2, LoginMessageV2: this.#freshV2 },
      uniquePlayers: this.#uniquePlayers,
      uniquePlayersByCountry: Object.fromEntries(byCountry.sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  }
}

/** A set of small integers. */
class BitSet {
  #words = new Uint32Array(1024);

  /** False when it was there already. */
  add(value: number): boolean {
    const word = Math.floor(value / 32);
    const bit = 1 << (value % 32);
    if (word >= this.#words.length) {
      const larger = new Uint32Array(Math.max(2 * this.#words.length, word + 1));
      larger.set(this.#words);
      this.#words = larger;
    }
    if ((this.#words[word]! & bit) !== 0) return false;
    this.#words[word]! |= bit;
    return true;
  }
}
