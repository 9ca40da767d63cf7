// Which contacts fit what was typed: each word is in the name, the company or a number.

export interface Contact {
  id: string;
  name: string;
  company: string;
  numbers: string[];
}

const MOST = 8;

const digits = (text: string) => text.replace(/\D/g, '');

export function fitting(contacts: readonly Contact[], wanted: string): Contact[] {
  const words = wanted.toLowerCase().split(/\s+/).filter((word) => word !== '');
  if (words.length === 0) return [];
  const fits = (contact: Contact, word: string) =>
    contact.name.toLowerCase().includes(word) ||
    contact.company.toLowerCase().includes(word) ||
    (digits(word) !== '' && contact.numbers.some((number) => digits(number).includes(digits(word))));
  return contacts.filter((contact) => words.every((word) => fits(contact, word))).slice(0, MOST);
}
