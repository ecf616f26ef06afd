// The Durable Object that tinybase_object.mjs bundles and serves. PERSIST is put in by the bundler.
import {createMergeableStore} from 'tinybase';
import {createDurableObjectStoragePersister} from 'tinybase/persisters/persister-durable-object-storage';
import {
  getWsServerDurableObjectFetch,
  WsServerDurableObject,
} from 'tinybase/synchronizers/synchronizer-ws-server-durable-object';

export class TinyBaseObject extends WsServerDurableObject {
  createPersister() {
    return PERSIST == 'kv'
      ? createDurableObjectStoragePersister(createMergeableStore(), this.ctx.storage)
      : undefined;
  }
}

export default {fetch: getWsServerDurableObjectFetch('OBJECTS')};
