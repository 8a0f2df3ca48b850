/**
 * Reads `<dir>/<name>.yaml` into a Pipeline, once, at start. Whatever is wrong with it is told in one message that
 * names file, line and YAML path of every fault; a process never runs with half a pipeline.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { StartRefused } from '../runtime/errors.ts';
import { compilePipeline } from './compile.ts';
import { Faults } from './faults.ts';
import type { Pipeline } from './pipeline.ts';
import { pipelineSchema } from './schema.ts';

/**
 * @param dir the folder of the pipelines
 * @param protoDir the folder that `source.proto` is below; beside `dir` unless given
 * @throws StartRefused naming every fault
 */
export function loadPipeline(name: string, dir: string, protoDir = join(dir, '..', 'proto')): Pipeline {
  const file = `${basename(dir)}/${name}.yaml`;
  const lines = new LineCounter();
  const document = parseDocument(readPipelineFile(name, dir), { lineCounter: lines, prettyErrors: false });
  const faults = new Faults(file, document, lines);
  for (const error of document.errors) faults.addAt(error.pos[0], error.message);
  let pipeline: Pipeline | undefined;
  if (!faults.any) {
    const text: unknown = document.toJS();
    const shape = pipelineSchema.safeParse(text);
    if (!shape.success) addShapeFaults(shape.error, faults);
    pipeline = compilePipeline(name, text, protoDir, faults);
  }
  if (!pipeline) throw new StartRefused(`the pipeline "${name}" cannot be used:\n${faults.describe()}`);
  return pipeline;
}

function readPipelineFile(name: string, dir: string): string {
  const known = listPipelines(dir);
  if (!known.includes(name)) {
    throw new StartRefused(
      `there is no pipeline "${name}" in ${basename(dir)}/ (there ${known.length === 0 ? 'is none' : `are: ${known.join(', ')}`})`,
    );
  }
  return readFileSync(join(dir, `${name}.yaml`), 'utf8');
}

/** Names of the pipelines in a folder. */
function listPipelines(dir: string): string[] {
  try {
    return readdirSync(dir).flatMap((file) => (file.endsWith('.yaml') ? [file.slice(0, -'.yaml'.length)] : []));
  } catch (cause) {
    throw new StartRefused(`the folder of the pipelines cannot be read: ${basename(dir)}`, { cause: String(cause) });
  }
}

function addShapeFaults(error: z.ZodError, faults: Faults): void {
  for (const issue of error.issues) {
    const path = issue.path.filter((part) => typeof part !== 'symbol');
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) faults.addKey(path, key, 'unknown key');
    } else {
      faults.add(path, shapeText(issue));
    }
  }
}

function shapeText(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type') return issue.message;
  return issue.input === undefined && issue.message.endsWith('undefined')
    ? `missing (${issue.expected})`
    : issue.message;
}
