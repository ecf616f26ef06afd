import {useCell, useDelRowCallback, useSetRowCallback, type RowProps} from 'tinybase/ui-react';
import {SortedTableInHtmlTable} from 'tinybase/ui-react-dom';
import {newPetId, randomPet} from './content';

export const Pets = () => (
  <section id="pets">
    <h2>Pets</h2>
    <SortedTableInHtmlTable
      tableId="pets"
      cellId="name"
      limit={8}
      paginator={true}
      sortOnClick={true}
      idColumn={false}
      customCells={COLUMNS}
      extraCellsAfter={EXTRA_COLUMNS}
    />
    <button onClick={useSetRowCallback('pets', newPetId, randomPet)}>Add a random pet</button>
  </section>
);

const PetPrice = ({rowId}: RowProps) => {
  const species = useCell('pets', rowId, 'species');
  const price = useCell('species', String(species), 'price');
  return price === undefined ? '–' : `$${price}`;
};

const DeletePet = ({rowId}: RowProps) => {
  const name = useCell('pets', rowId, 'name');
  return (
    <button aria-label={`Delete ${name}`} onClick={useDelRowCallback('pets', rowId)}>
      Delete
    </button>
  );
};

const COLUMNS = {name: 'Name', species: 'Species'};
const EXTRA_COLUMNS = [
  {label: 'Price', component: PetPrice},
  {label: 'Remove', component: DeletePet},
];
