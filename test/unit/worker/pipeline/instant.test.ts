/** RFC 3339 as the protobuf JSON mapping takes it; the platform's own calendar is the second opinion. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instantMs, parseInstant } from '../../../../worker/pipeline/instant.ts';

describe('an instant', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0, 0],
    ['2023-08-01T12:00:00Z', 1690891200, 0],
    ['2023-08-01T14:30:00+02:30', 1690891200, 0],
    ['2023-08-01T12:00:00-00:00', 1690891200, 0],
    ['2023-08-01T12:00:00.1Z', 1690891200, 100_000_000],
    ['2023-08-01T12:00:00.100000000Z', 1690891200, 100_000_000],
    ['2023-08-01T12:00:00.000000001Z', 1690891200, 1],
    ['1969-12-31T23:59:59.5Z', -1, 500_000_000],
    ['2024-02-29T00:00:00Z', 1709164800, 0],
    ['2000-02-29T00:00:00Z', 951782400, 0],
    ['0001-01-01T00:00:00Z', -62135596800, 0],
    ['9999-12-31T23:59:59.999999999Z', 253402300799, 999_999_999],
  ])('%s is read', (text, seconds, nanos) => {
    expect(parseInstant(text)).toEqual({ seconds, nanos });
  });

  it.each([
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2023-04-31T00:00:00Z',
    '2023-00-01T00:00:00Z',
    '2023-13-01T00:00:00Z',
    '2023-01-00T00:00:00Z',
    '2023-08-01T24:00:00Z',
    '2023-08-01T12:60:00Z',
    '2016-12-31T23:59:60Z',
    '2023-08-01T12:00:00',
    '2023-08-01 12:00:00Z',
    '2023-08-01t12:00:00Z',
    '2023-08-01T12:00:00z',
    '2023-08-01T12:00Z',
    '2023-08-01T12:00:00.Z',
    '2023-08-01T12:00:00.1234567890Z',
    '2023-08-01T12:00:00,5Z',
    '2023-08-01T12:00:00+2:00',
    '2023-08-01T12:00:00+0200',
    '2023-08-01T12:00:00+24:00',
    '2023-08-01T12:00:00+02:60',
    '0000-12-31T23:59:59Z',
    '0001-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
    '12023-08-01T12:00:00Z',
    '+2023-08-01T12:00:00Z',
    ' 2023-08-01T12:00:00Z',
    '2023-08-01T12:00:00Z\n',
    '２０２３-08-01T12:00:00Z',
    '',
  ])('%j is refused', (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  it('agrees with the calendar on every millisecond from year 1 to 9999', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62135596800000, max: 253402300799999 }), (ms) => {
        const instant = parseInstant(new Date(ms).toISOString());

        expect(instant && instantMs(instant.seconds, instant.nanos)).toBe(ms);
      }),
    );
  });

  it('is the same whatever offset it is written with', () => {
    const minutes = fc.integer({ min: -23 * 60, max: 23 * 60 });
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 4e12 }), minutes, (ms, offset) => {
        const local = new Date(ms + offset * 60_000).toISOString().slice(0, -1);
        const sign = offset < 0 ? '-' : '+';
        const two = (value: number): string => String(value).padStart(2, '0');
        const written = `${local}${sign}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;

        expect(parseInstant(written)).toEqual(parseInstant(new Date(ms).toISOString()));
      }),
    );
  });
});
