import {useSetCellCallback, type RowProps} from 'tinybase/ui-react';
import {SortedTableInHtmlTable} from 'tinybase/ui-react-dom';

export const Species = () => (
  <section id="species">
    <h2>Species</h2>
    <SortedTableInHtmlTable
      tableId="species"
      sortOnClick={true}
      customCells={COLUMNS}
      extraCellsAfter={EXTRA_COLUMNS}
    />
  </section>
);

const useChangePrice = (species: string, change: number) =>
  useSetCellCallback('species', species, 'price', () => (price) => Math.max(0, Number(price ?? 0) + change), [change]);

const ChangePrice = ({rowId}: RowProps) => (
  <>
    <button aria-label={`Lower the price of a ${rowId}`} onClick={useChangePrice(rowId, -1)}>
      −
    </button>
    <button aria-label={`Raise the price of a ${rowId}`} onClick={useChangePrice(rowId, 1)}>
      +
    </button>
  </>
);

const COLUMNS = {price: 'Price'};
const EXTRA_COLUMNS = [{label: 'Change', component: ChangePrice}];
