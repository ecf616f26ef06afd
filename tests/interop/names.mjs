// Says what the original's objects can do: the names of their methods, as one object of lists.
import {createMergeableStore, createStore} from 'tinybase';
import * as tinybase from 'tinybase';
import {createCustomPersister} from 'tinybase/persisters';
import {createFilePersister} from 'tinybase/persisters/persister-file';
import {createRemotePersister} from 'tinybase/persisters/persister-remote';
import {createLocalSynchronizer} from 'tinybase/synchronizers/synchronizer-local';

const methods = (thing) => Object.keys(thing).filter((name) => typeof thing[name] === 'function');

const mergeable = () => createMergeableStore('s');
const nothing = async () => {};
console.log(
  JSON.stringify({
    functions: methods(tinybase),
    store: methods(createStore()),
    mergeable: methods(mergeable()),
    custom: methods(createCustomPersister(createStore(), nothing, nothing, nothing, nothing)),
    file: methods(createFilePersister(createStore(), '/tmp/none.json')),
    remote: methods(createRemotePersister(createStore(), 'http://x/', 'http://x/')),
    local: methods(createLocalSynchronizer(mergeable())),
  }),
);
process.exit();
