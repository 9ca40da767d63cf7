// What the node's own document says about a resource: enough to draw a form for all settings that
// the API has, without a second list of them here.

export interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  enum?: string[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  default?: unknown;
}

export interface Document {
  components: { schemas: Record<string, Schema> };
  paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: Schema }> } }>>;
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Fields = { [key: string]: Json };

// Follows references; a nullable type is the type, and may be none.
export function resolve(document: Document, schema: Schema): { schema: Schema; nullable: boolean } {
  let found = schema;
  let nullable = false;
  for (let depth = 0; depth < 8; depth += 1) {
    if (found.$ref !== undefined) {
      const target = document.components.schemas[found.$ref.split('/').at(-1) ?? ''] ?? {};
      found = { ...target, description: found.description ?? target.description };
    } else if (found.oneOf?.some((it) => it.type === 'null')) {
      nullable = true;
      const rest = found.oneOf.filter((it) => it.type !== 'null');
      const only = rest.length === 1 ? rest[0] : undefined;
      const told = found.description;
      found = only === undefined ? { ...found, oneOf: rest } : { ...only, description: only.description ?? told };
    } else if (Array.isArray(found.type)) {
      nullable = found.type.includes('null');
      found = { ...found, type: found.type.find((it) => it !== 'null') ?? 'string' };
    } else break;
  }
  return { schema: found, nullable };
}

// Names that a variant can have, for a schema that is a choice of names.
export function names(schema: Schema): string[] | null {
  if (schema.enum !== undefined) return schema.enum;
  const each = schema.oneOf?.map((it) => (it.type === 'string' ? it.enum : undefined));
  return each?.every((it) => it !== undefined) ? each.flatMap((it) => it ?? []) : null;
}

export interface Variant {
  tag: string;
  name: string;
  schema: Schema;
}

// The variants of a tagged object: each has one property with one name.
export function variants(document: Document, schema: Schema): Variant[] | null {
  const found = (schema.oneOf ?? []).flatMap((it) => {
    const variant = resolve(document, it).schema;
    const tagged = Object.entries(variant.properties ?? {}).find(([, property]) => property.enum?.length === 1);
    const name = tagged?.[1].enum?.[0];
    return tagged === undefined || name === undefined ? [] : [{ tag: tagged[0], name, schema: variant }];
  });
  return found.length > 0 && found.length === schema.oneOf?.length ? found : null;
}

// What a new value of a schema begins with.
export function blank(document: Document, given: Schema): Json {
  const { schema, nullable } = resolve(document, given);
  if (schema.default !== undefined) return schema.default as Json;
  if (nullable) return null;
  const first = variants(document, schema)?.[0];
  if (first !== undefined) return { ...fields(document, first.schema), [first.tag]: first.name };
  const choice = names(schema)?.[0];
  if (choice !== undefined) return choice;
  switch (schema.type) {
    case 'boolean':
      return false;
    case 'integer':
    case 'number':
      return 0;
    case 'array':
      return [];
    case 'object':
      return schema.properties === undefined ? {} : fields(document, schema);
    default:
      return '';
  }
}

// Required fields only: what is left out gets the node's default.
export function fields(document: Document, schema: Schema): Fields {
  const required = schema.required ?? [];
  return Object.fromEntries(
    required.map((name) => [name, blank(document, schema.properties?.[name] ?? {})]),
  );
}

// The schema of what a path takes.
export function bodyOf(document: Document, path: string, method: string): Schema {
  const content = document.paths[path]?.[method]?.requestBody?.content ?? {};
  const schema = content['application/json']?.schema ?? Object.values(content)[0]?.schema ?? {};
  return resolve(document, schema).schema;
}

// A value without the fields that stand empty where a secret may be left as it is.
export function cleaned(value: Fields): Fields {
  return Object.fromEntries(
    Object.entries(value).filter(([name, it]) => !(SECRETS.includes(name) && (it === '' || it === null))),
  );
}

export const SECRETS = ['password', 'secret'];
// Texts of several lines.
export const LONG = ['text'];

// `ring_timeout_secs` as people read it, where no catalogue has a name for it.
export function spoken(name: string): string {
  const words = name.replaceAll(/[_-]/g, ' ').replace(/ secs$/, ' (s)');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
