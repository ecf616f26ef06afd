import type {Saved} from './useSaved';
import type {Connection} from './useSocket';

const CONNECTIONS: Record<Connection, string> = {
  connecting: 'Connecting…',
  online: 'Online',
  offline: 'Offline',
};

const SAVES: Record<Saved | 'kept', string> = {
  saving: 'Saving…',
  saved: 'Saved on the server',
  unsaved: 'Not stored on the server',
  kept: 'Kept in this browser',
};

// Whether this browser is connected, and where its edits are safe by now.
export const Status = ({connection, saved}: {connection: Connection; saved: Saved}) => {
  const place = connection === 'online' ? saved : 'kept';
  return (
    <p id="status" role="status">
      <span className={connection}>{CONNECTIONS[connection]}</span>
      <span className={place}>{SAVES[place]}</span>
    </p>
  );
};
