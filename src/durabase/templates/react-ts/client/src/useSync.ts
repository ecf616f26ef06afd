import type {MergeableStore} from 'tinybase';
import {createWsSynchronizer} from 'tinybase/synchronizers/synchronizer-ws-client';
import {useCreateSynchronizer} from 'tinybase/ui-react';
import {ROOM_URL} from './room';
import {useSaved, type Saved} from './useSaved';
import {useSocket, type Connection} from './useSocket';

// Keeps the store in sync with the server and everybody else in the room.
// A synchronizer serves one WebSocket, so each new connection gets a new one,
// and starting it exchanges whatever was edited meanwhile, here or elsewhere.
export const useSync = (
  store: MergeableStore,
  isLoaded: boolean,
): [connection: Connection, saved: Saved] => {
  const [socket, connection, drop] = useSocket(ROOM_URL);

  const synchronizer = useCreateSynchronizer(
    isLoaded && socket ? store : undefined,
    async (store) => {
      const synchronizer = await createWsSynchronizer(store, socket!);
      await synchronizer.startSync();
      return synchronizer;
    },
    [socket],
  );

  return [connection, useSaved(store, synchronizer, drop)];
};
