import {getUniqueId, type Content, type Row, type Store} from 'tinybase';

// What a room holds until somebody changes it. TinyBase stamps it older than
// any edit, so it never overwrites what is in the room already.
export const INITIAL_CONTENT: Content = [
  {
    pets: {fido: {name: 'fido', species: 'dog'}},
    species: {
      dog: {price: 5},
      cat: {price: 4},
      fish: {price: 2},
      worm: {price: 1},
      parrot: {price: 3},
    },
  },
  {counter: 0},
];

const NAMES = 'bella bubbles buddy coco daisy felix gizmo kiwi luna max milo nemo olive peanut polly rex rosie ziggy';

const pick = <Item>(items: Item[]): Item | undefined => items[Math.floor(Math.random() * items.length)];

// Adding rows without an id numbers them, and two people who are offline would
// number alike. So each new pet brings an id of its own.
export const newPetId = () => getUniqueId();

export const randomPet = (_event: unknown, store: Store): Row => {
  const pets = Object.values(store.getTable('pets'));
  const unused = NAMES.split(' ').filter((name) => pets.every((pet) => pet.name !== name));
  return {
    name: pick(unused) ?? `pet ${pets.length + 1}`,
    species: pick(store.getRowIds('species')) ?? 'dog',
  };
};
