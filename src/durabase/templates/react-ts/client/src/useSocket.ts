import {useCallback, useEffect, useState} from 'react';

export type Connection = 'connecting' | 'online' | 'offline';

const FIRST_DELAY = 250;
const LONGEST_DELAY = 8000;
const STABLE_AFTER = 3000;

// A new WebSocket whenever the last one is lost: at once when the network
// comes back, else after a delay that grows until a connection has lasted.
// Whoever sees that the server answers no more can drop the connection:
// without a network a WebSocket may not notice for minutes.
export const useSocket = (
  url: string,
): [socket: WebSocket | undefined, connection: Connection, drop: () => void] => {
  const [socket, setSocket] = useState<WebSocket>();
  const [connection, setConnection] = useState<Connection>('connecting');
  const [drops, setDrops] = useState(0);

  const drop = useCallback(() => {
    setSocket(undefined);
    setConnection('offline');
    setDrops((drops) => drops + 1);
  }, []);

  useEffect(() => {
    let current: WebSocket | undefined;
    let openedAt = Infinity;
    let failures = 0;
    let retry: ReturnType<typeof setTimeout>;

    const connect = () => {
      clearTimeout(retry);
      openedAt = Infinity;
      const opening = (current = new WebSocket(url));
      opening.onopen = () => {
        openedAt = Date.now();
        setConnection('online');
      };
      opening.onclose = () => opening === current && lose();
      setSocket(opening);
    };
    const lose = () => {
      current?.close();
      current = undefined;
      setSocket(undefined);
      setConnection('offline');
      clearTimeout(retry);
      failures = Date.now() - openedAt > STABLE_AFTER ? 0 : failures + 1;
      const delay = Math.min(FIRST_DELAY * 2 ** failures, LONGEST_DELAY);
      retry = setTimeout(connect, delay * (1 + Math.random() / 2));
    };
    const reconnect = () => current?.readyState === WebSocket.OPEN || connect();

    connect();
    addEventListener('online', reconnect);
    addEventListener('offline', lose);
    return () => {
      removeEventListener('online', reconnect);
      removeEventListener('offline', lose);
      clearTimeout(retry);
      const last = current;
      current = undefined;
      last?.close();
    };
  }, [url, drops]);

  return [socket, connection, drop];
};
