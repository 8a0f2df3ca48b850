/**
 * Runs one call per item, at most `atOnce` of them at a time. All items get their turn; the first failure is thrown
 * when all others have ended, so that nothing goes on behind the caller's back.
 */

export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  call: (item: T) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (const item of left) {
      try {
        await call(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  if (failures.length > 0) throw failures[0];
}
