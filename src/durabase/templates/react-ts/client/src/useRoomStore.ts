import {useState} from 'react';
import {createMergeableStore, type MergeableStore} from 'tinybase';
import {createLocalPersister} from 'tinybase/persisters/persister-browser';
import {createBroadcastChannelSynchronizer} from 'tinybase/synchronizers/synchronizer-broadcast-channel';
import {useCreateMergeableStore, useCreatePersister, useCreateSynchronizer} from 'tinybase/ui-react';
import {INITIAL_CONTENT} from './content';
import {ROOM_KEY} from './room';

// The store of this room, kept in the browser's storage so that edits made
// offline survive a reload, and whether it has been loaded from there yet.
export const useRoomStore = (): [store: MergeableStore, isLoaded: boolean] => {
  const store = useCreateMergeableStore(() => createMergeableStore());
  const [isLoaded, setIsLoaded] = useState(false);

  useCreatePersister(
    store,
    (store) => createLocalPersister(store, ROOM_KEY),
    [],
    async (persister) => {
      await persister.load(INITIAL_CONTENT);
      await persister.startAutoSave();
      setIsLoaded(true);
    },
  );

  // All windows of a browser share its storage. They merge with each other,
  // rather than load what another window saved, which would replace their own edits.
  useCreateSynchronizer(isLoaded ? store : undefined, (store) =>
    createBroadcastChannelSynchronizer(store, ROOM_KEY).startSync(),
  );

  return [store, isLoaded];
};
