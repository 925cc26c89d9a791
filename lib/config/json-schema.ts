/** The published JSON schema: editors complete and check configurations with it. */
import {z} from 'zod';
import {configSchema} from './schema.js';

/** What of a JSON schema is used here. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema | false;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** The configuration as a JSON schema (draft 2020-12). */
export function configJsonSchema(): JsonSchema {
  // zod types its result more widely than this schema needs: `type` may be a list, a schema may be a boolean.
  return z.toJSONSchema(configSchema, {io: 'input', target: 'draft-2020-12'}) as JsonSchema;
}
