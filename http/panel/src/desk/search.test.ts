import { describe, expect, it } from 'vitest';

import { fitting } from './search';

const ALL = [
  { id: 'chen', name: 'Chen Mei', company: 'Acme', numbers: ['0912-345-678'] },
  { id: 'lin', name: 'Lin Wei', company: 'Acme', numbers: ['(02) 2555-0123', '0933000111'] },
];

const ids = (wanted: string) => fitting(ALL, wanted).map((contact) => contact.id);

describe('the search for a contact', () => {
  it('finds by each word in name, company or number', () => {
    expect(ids('acme')).toEqual(['chen', 'lin']);
    expect(ids('WEI acme')).toEqual(['lin']);
    expect(ids('25550123')).toEqual(['lin']);
    expect(ids('2555-01')).toEqual(['lin']);
    expect(ids('mei 0933')).toEqual([]);
  });

  it('shows nobody before something is typed', () => {
    expect(ids('  ')).toEqual([]);
  });
});
