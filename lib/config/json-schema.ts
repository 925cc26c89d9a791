/** The published JSON schema: editors complete and check configurations with it. */
import {z} from 'zod';
import {configSchema} from './schema.js';

/** A JSON schema, or one inside another. */
export type JsonSchema = z.core.JSONSchema.JSONSchema;

/** The configuration as a JSON schema (draft 2020-12). */
export function configJsonSchema(): JsonSchema {
  return jsonSchemaOf(configSchema);
}

/** What a user writes. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {io: 'input', target: 'draft-2020-12'});
}
