import {useSetValueCallback} from 'tinybase/ui-react';
import {ValuesInHtmlTable} from 'tinybase/ui-react-dom';

export const Counter = () => (
  <section id="values">
    <h2>Values</h2>
    <ValuesInHtmlTable />
    <button onClick={useSetValueCallback('counter', () => (counter) => Number(counter ?? 0) + 1)}>
      Increment counter
    </button>
  </section>
);
