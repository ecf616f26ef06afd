import {useState} from 'react';
import {ROOM} from './room';
import {Status} from './Status';
import type {Saved} from './useSaved';
import type {Connection} from './useSocket';

export const Header = (props: {connection: Connection; saved: Saved}) => {
  const [copied, setCopied] = useState(false);
  const copyLink = async () => {
    await navigator.clipboard.writeText(location.href);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };

  return (
    <header>
      <div>
        <h1>Pet shop</h1>
        <p>
          Room <code>{decodeURI(ROOM)}</code>
        </p>
        <nav>
          <button onClick={copyLink}>{copied ? 'Copied' : 'Copy link'}</button>
          <a href="/">New room</a>
        </nav>
        <Status {...props} />
      </div>
      <p>
        Open this page in another window or browser: everybody in the room sees every edit at once. Edits made offline
        are kept and merged when you are back.
      </p>
    </header>
  );
};
