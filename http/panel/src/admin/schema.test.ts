import { describe, expect, it } from 'vitest';

import { blank, cleaned, type Document, names, resolve, spoken, variants } from './schema';

const document: Document = {
  paths: {},
  components: {
    schemas: {
      Mode: { oneOf: [{ type: 'string', enum: ['peer'] }, { type: 'string', enum: ['register'] }] },
      Destination: {
        oneOf: [
          { type: 'object', required: ['kind'], properties: { kind: { type: 'string', enum: ['end_call'] } } },
          {
            type: 'object',
            required: ['number', 'kind'],
            properties: { kind: { type: 'string', enum: ['queue'] }, number: { type: 'string' } },
          },
        ],
      },
      Trunk: {
        type: 'object',
        required: ['name', 'mode', 'failover'],
        properties: {
          name: { type: 'string' },
          mode: { $ref: '#/components/schemas/Mode', description: 'How.' },
          failover: { $ref: '#/components/schemas/Destination' },
          port: { type: 'integer' },
          auth: { oneOf: [{ $ref: '#/components/schemas/Mode' }, { type: 'null' }] },
        },
      },
    },
  },
};

describe('the node\'s document', () => {
  it('is followed through references and keeps what the field says of itself', () => {
    const { schema } = resolve(document, { $ref: '#/components/schemas/Mode', description: 'How.' });

    expect(names(schema)).toEqual(['peer', 'register']);
    expect(schema.description).toBe('How.');
  });

  it('knows what may be none', () => {
    expect(resolve(document, document.components.schemas['Trunk']!.properties!['auth']!).nullable).toBe(true);
    expect(resolve(document, { type: ['string', 'null'] })).toEqual({ schema: { type: 'string' }, nullable: true });
  });

  it('tells tagged variants from names', () => {
    const found = variants(document, document.components.schemas['Destination']!);

    expect(found?.map((it) => it.name)).toEqual(['end_call', 'queue']);
    expect(variants(document, document.components.schemas['Mode']!)).toBeNull();
  });

  it('begins a new resource with what is required, no more', () => {
    expect(blank(document, { $ref: '#/components/schemas/Trunk' })).toEqual({
      name: '',
      mode: 'peer',
      failover: { kind: 'end_call' },
    });
  });

  it('does not send a secret that was left empty', () => {
    expect(cleaned({ number: '1001', password: '' })).toEqual({ number: '1001' });
  });

  it('reads field names out', () => {
    expect(spoken('ring_timeout_secs')).toBe('Ring timeout (s)');
  });
});
