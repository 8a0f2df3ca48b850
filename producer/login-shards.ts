/** Which shard stored each login first: two bytes a login, so that a run can say how many copies landed elsewhere. */
export class LoginShards {
  readonly #numbers = new Map<string, number>();
  /** Number of the shard by the login's index; 0 = not stored yet. */
  #first = new Uint16Array(65_536);

  /** Notes where a login was stored; true when it was stored before, by another shard. */
  isElsewhere(login: number, shardId: string): boolean {
    let number = this.#numbers.get(shardId);
    if (number === undefined) {
      number = this.#numbers.size + 1;
      this.#numbers.set(shardId, number);
    }
    if (login >= this.#first.length) this.#grow(login + 1);
    const first = this.#first[login]!;
    if (first === 0) this.#first[login] = number;
    return first !== 0 && first !== number;
  }

  #grow(room: number): void {
    const larger = new Uint16Array(Math.max(2 * this.#first.length, room));
    larger.set(this.#first);
    this.#first = larger;
  }
}
