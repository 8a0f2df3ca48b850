/**
 * Typed settings from environment variables. A setting is declared once, with its default and its description: the
 * same declaration parses it, explains it in --help and fills the README's table. All faults are reported together,
 * each naming its variable. Empty counts as unset.
 */
import { StartRefused } from './errors.ts';

export interface Setting<T> {
  readonly variable: string;
  /** Text of the default as the user would write it; undefined = required, '' = optional without a default. */
  readonly fallback: string | undefined;
  readonly description: string;
  /** Throws an Error whose message completes "VARIABLE ...", for instance "must be a whole number". */
  readonly parse: (text: string) => T;
}

export type SettingsOf<S extends Record<string, Setting<unknown>>> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

export type Environment = Readonly<Record<string, string | undefined>>;

/** A rule over several settings: the text of the fault, naming the variables, or undefined when it holds. */
export type CrossRule<S extends Record<string, Setting<unknown>>> = (settings: SettingsOf<S>) => string | undefined;

/** @throws StartRefused with every fault, one per line. */
export function readSettings<S extends Record<string, Setting<unknown>>>(
  declared: S,
  environment: Environment,
  rules: readonly CrossRule<S>[] = [],
): SettingsOf<S> {
  const faults: string[] = [];
  const settings: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries(declared)) {
    const given = environment[setting.variable];
    const text = given === undefined || given === '' ? setting.fallback : given;
    if (text === undefined) {
      faults.push(`${setting.variable} is required: ${setting.description}`);
      continue;
    }
    try {
      settings[key] = setting.parse(text);
    } catch (error) {
      faults.push(`${setting.variable} ${(error as Error).message}, but is ${JSON.stringify(shown(setting, text))}`);
    }
  }
  if (faults.length === 0) {
    for (const rule of rules) {
      const fault = rule(settings as SettingsOf<S>);
      if (fault !== undefined) faults.push(fault);
    }
  }
  if (faults.length > 0) throw new StartRefused(`${faults.length} setting(s) are wrong:\n  ${faults.join('\n  ')}`);
  return Object.freeze(settings) as SettingsOf<S>;
}

function shown(setting: Setting<unknown>, text: string): string {
  return setting.variable.endsWith('_URL')
    ? text.replace(/\/\/.*@/, '//***@').replace(/(password=)[^&]*/g, '$1***')
    : text;
}

export function text(
  variable: string,
  fallback: string | undefined,
  description: string,
  pattern?: RegExp,
): Setting<string> {
  return {
    variable,
    fallback,
    description,
    parse(given) {
      if (pattern && !pattern.test(given)) throw new Error(`must match ${pattern.source}`);
      return given;
    },
  };
}

/** Optional text: undefined when the variable is not set. */
export function optionalText(variable: string, description: string): Setting<string | undefined> {
  return { variable, fallback: '', description, parse: (given) => (given === '' ? undefined : given) };
}

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

export function integer(
  variable: string,
  fallback: string | undefined,
  bounds: Bounds,
  description: string,
): Setting<number> {
  return {
    variable,
    fallback,
    description,
    parse(given) {
      const value = Number(given);
      if (!/^-?\d+$/.test(given) || value < bounds.min || value > bounds.max) {
        throw new Error(`must be a whole number from ${bounds.min} to ${bounds.max}`);
      }
      return value;
    },
  };
}

export function flag(variable: string, fallback: 'true' | 'false', description: string): Setting<boolean> {
  return {
    variable,
    fallback,
    description,
    parse(given) {
      if (given !== 'true' && given !== 'false') throw new Error('must be true or false');
      return given === 'true';
    },
  };
}

export function choice<const C extends readonly string[]>(
  variable: string,
  fallback: C[number] | undefined,
  choices: C,
  description: string,
): Setting<C[number]> {
  return {
    variable,
    fallback,
    description,
    parse(given) {
      if (!choices.includes(given)) throw new Error(`must be one of ${choices.join(', ')}`);
      return given;
    },
  };
}
