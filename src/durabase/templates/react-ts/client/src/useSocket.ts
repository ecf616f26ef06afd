import {useEffect, useState} from 'react';

export type Connection = 'connecting' | 'online' | 'offline';

const FIRST_DELAY = 250;
const LONGEST_DELAY = 8000;

// A new WebSocket whenever the last one is lost: at once when the network
// comes back, else after a delay that grows with each failure.
export const useSocket = (url: string): [socket: WebSocket | undefined, connection: Connection] => {
  const [socket, setSocket] = useState<WebSocket>();
  const [connection, setConnection] = useState<Connection>('connecting');

  useEffect(() => {
    let current: WebSocket | undefined;
    let failures = 0;
    let retry: ReturnType<typeof setTimeout>;

    const connect = () => {
      clearTimeout(retry);
      const opening = (current = new WebSocket(url));
      opening.onopen = () => {
        failures = 0;
        setConnection('online');
      };
      opening.onclose = () => opening === current && lose();
      setSocket(opening);
    };
    const lose = () => {
      current?.close();
      current = undefined;
      setConnection('offline');
      clearTimeout(retry);
      const delay = Math.min(FIRST_DELAY * 2 ** failures++, LONGEST_DELAY);
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
  }, [url]);

  return [socket, connection];
};
