import {useEffect, useState} from 'react';
import type {MergeableStore} from 'tinybase';
import type {WsSynchronizer} from 'tinybase/synchronizers/synchronizer-ws-client';

export type Saved = 'saving' | 'saved' | 'unsaved';

const FIRST_DELAY = 150;
const PATIENCE = 3000;
const TRIES_BEFORE_EXCHANGE = 4;
const MOST_TRIES = 7;

// A question to the server's own copy of the store: which hashes has it on
// disk? Its id is none of the synchronizer's, which leaves the answer to us.
const QUESTION = 'S\n["saved",1,""]';
const ANSWER = 'S\n["saved",0,';

const hashesIn = (answer: string) => JSON.stringify(JSON.parse(answer.slice(2))[2]);

// Whether everything in the store is on the server's disk, which is so when
// the hashes are the same. The server is asked only while that is not known.
export const useSaved = (
  store: MergeableStore,
  synchronizer: WsSynchronizer<WebSocket> | undefined,
  onSilence: () => void,
): Saved => {
  const [saved, setSaved] = useState<Saved>('saving');

  useEffect(() => {
    if (!synchronizer) {
      return;
    }
    const socket = synchronizer.getWebSocket();
    let onDisk = '';
    let tries = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;

    const isOnDisk = () => onDisk === JSON.stringify(store.getMergeableContentHashes());
    const settle = (saved: Saved) => {
      clearTimeout(timer);
      timer = undefined;
      tries = 0;
      setSaved(saved);
    };
    const ask = () => {
      socket.send(QUESTION);
      timer = setTimeout(giveUp, PATIENCE);
    };
    const askIn = (delay: number) => {
      clearTimeout(timer);
      timer = setTimeout(ask, delay);
    };
    const giveUp = () => {
      settle('unsaved');
      if (onDisk) {
        onSilence(); // It used to answer, so the connection is dead.
      }
    };
    const edited = () => {
      if (isOnDisk()) {
        settle('saved');
      } else {
        setSaved('saving');
        if (!timer || tries) {
          tries = 0;
          askIn(FIRST_DELAY);
        }
      }
    };
    const received = ({data}: MessageEvent<string>) => {
      if (!data.startsWith(ANSWER)) {
        return;
      }
      onDisk = hashesIn(data);
      if (isOnDisk() || tries === MOST_TRIES) {
        settle(isOnDisk() ? 'saved' : 'unsaved');
      } else {
        if (++tries === TRIES_BEFORE_EXCHANGE) {
          // An exchange was cut short, say by a client that left: start it over.
          void synchronizer.load().then(() => synchronizer.save());
        }
        askIn(FIRST_DELAY * 2 ** tries);
      }
    };

    edited();
    const listenerId = store.addDidFinishTransactionListener(edited);
    socket.addEventListener('message', received);
    return () => {
      store.delListener(listenerId);
      socket.removeEventListener('message', received);
      clearTimeout(timer);
    };
  }, [store, synchronizer, onSilence]);

  return saved;
};
