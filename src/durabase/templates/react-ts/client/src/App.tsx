import {Provider} from 'tinybase/ui-react';
import {Inspector} from 'tinybase/ui-react-inspector';
import {Counter} from './Counter';
import {Header} from './Header';
import {Pets} from './Pets';
import {Species} from './Species';
import {useRoomStore} from './useRoomStore';
import {useSync} from './useSync';

export const App = () => {
  const [store, isLoaded] = useRoomStore();
  const [connection, saved] = useSync(store, isLoaded);

  return (
    <Provider store={store}>
      <Header connection={connection} saved={saved} />
      <main>
        <Pets />
        <Counter />
        <Species />
      </main>
      <Inspector hue={195} />
    </Provider>
  );
};
