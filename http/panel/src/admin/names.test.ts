import { expect, it } from 'vitest';

import text from '../../../api/openapi.json?raw';
import { FIELDS } from '../text/fields';
import { KINDS } from './page';
import { bodyOf, type Document, resolve, type Schema } from './schema';

const document = JSON.parse(text) as Document;

// Every field that a form may show, however deep.
function fieldsOf(schema: Schema, found: Set<string>, before: readonly Schema[]): void {
  const all = [schema, ...(schema.oneOf ?? [])].map((it) => resolve(document, it).schema);
  for (const each of all) {
    for (const [name, property] of Object.entries(each.properties ?? {})) {
      found.add(name);
      const inner = resolve(document, property).schema;
      for (const next of [inner, inner.items, inner.additionalProperties]) {
        if (typeof next !== 'object') continue;
        const { schema: target } = resolve(document, next);
        const is = JSON.stringify(target);
        if (!before.some((it) => JSON.stringify(it) === is)) fieldsOf(target, found, [...before, target]);
      }
    }
  }
}

it('each field of each form has a name in each language', () => {
  const found = new Set<string>();
  for (const kind of Object.keys(KINDS)) fieldsOf(bodyOf(document, `/api/v1/${kind}`, 'post'), found, []);
  fieldsOf(bodyOf(document, '/api/v1/settings', 'put'), found, []);

  expect(found.size).toBeGreaterThan(60);
  expect([...found].filter((name) => !(name in FIELDS))).toEqual([]);
});
