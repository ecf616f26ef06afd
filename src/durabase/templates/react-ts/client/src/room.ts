import {getUniqueId} from 'tinybase';

// Every path is a room with its own store, and '/' leads to a fresh one.
if (location.pathname === '/') {
  history.replaceState(null, '', `/${getUniqueId(10)}`);
}

export const ROOM = location.pathname.slice(1);

// The server is where the page came from, and the room's object is at the page's path.
export const ROOM_URL = location.origin.replace(/^http/, 'ws') + location.pathname;

// What this browser calls the room: in its storage, and among its windows.
export const ROOM_KEY = `room/${ROOM}`;
