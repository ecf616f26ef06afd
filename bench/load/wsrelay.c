/*
 * wsrelay - minimal C/epoll WebSocket server used to find the load generator's ceiling and the
 * machine's limit for one-thread servers.  It does no protocol work beyond the least possible:
 *   path starting with /echo : sends every text/binary message back
 *   any other path           : relays "<to>\n<rest>" to the room (= path) as "<clientId>\n<rest>",
 *                              clientId being the Sec-WebSocket-Key; to == "" means all others
 * No TLS, no fragmentation, no limits: a yardstick, not a server to use.  Loopback only.
 * usage: wsrelay PORT
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
static u32 rol(u32 v, int n) {
  return v << n | v >> (32 - n);
}
static void sha1(const u8 *d, size_t n, u8 out[20]) {
  u32 h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  u8 buf[192];
  size_t t = ((n + 8) / 64 + 1) * 64;
  memset(buf, 0, sizeof buf);
  memcpy(buf, d, n);
  buf[n] = 0x80;
  for (int i = 0; i < 8; i++)
    buf[t - 1 - i] = (u64)n * 8 >> (8 * i);
  for (size_t o = 0; o < t; o += 64) {
    u32 w[80], a = h[0], b = h[1], c = h[2], e = h[4], dd = h[3];
    for (int i = 0; i < 80; i++)
      w[i] = i < 16 ? (u32)buf[o + 4 * i] << 24 | buf[o + 4 * i + 1] << 16 | buf[o + 4 * i + 2] << 8 |
                          buf[o + 4 * i + 3]
                    : rol(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
      u32 f, k;
      if (i < 20)
        f = (b & c) | (~b & dd), k = 0x5A827999;
      else if (i < 40)
        f = b ^ c ^ dd, k = 0x6ED9EBA1;
      else if (i < 60)
        f = (b & c) | (b & dd) | (c & dd), k = 0x8F1BBCDC;
      else
        f = b ^ c ^ dd, k = 0xCA62C1D6;
      u32 x = rol(a, 5) + f + e + k + w[i];
      e = dd;
      dd = c;
      c = rol(b, 30);
      b = a;
      a = x;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += dd;
    h[4] += e;
  }
  for (int i = 0; i < 20; i++)
    out[i] = h[i / 4] >> (24 - 8 * (i % 4));
}
static void b64(const u8 *d, int n, char *o) {
  static const char t[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  int i;
  for (i = 0; i < n; i += 3) {
    u32 v = d[i] << 16 | (i + 1 < n ? d[i + 1] << 8 : 0) | (i + 2 < n ? d[i + 2] : 0);
    *o++ = t[v >> 18];
    *o++ = t[v >> 12 & 63];
    *o++ = i + 1 < n ? t[v >> 6 & 63] : '=';
    *o++ = i + 2 < n ? t[v & 63] : '=';
  }
  *o = 0;
}
struct conn;
struct room {
  char name[128];
  struct conn **m;
  int n, cap;
  struct room *next;
};
struct conn {
  int fd, state, echo, wantw, slot;
  char key[32];
  struct room *room;
  u8 *rb;
  u32 rl, rc;
  u8 *ob;
  u32 ol, oc, oo;
};
static struct room *rooms[4096];
static int ep;
static u8 sbuf[1 << 20];
static void arm(struct conn *c, int w) {
  if (c->wantw == w)
    return;
  c->wantw = w;
  struct epoll_event e = {EPOLLIN | (w ? EPOLLOUT : 0), {.ptr = c}};
  epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}
static void out(struct conn *c, const u8 *p, u32 l) {
  if (c->ol == c->oo) {
    ssize_t n = send(c->fd, p, l, MSG_NOSIGNAL);
    if (n == (ssize_t)l)
      return;
    if (n < 0) {
      if (errno != EAGAIN)
        return;
      n = 0;
    }
    p += n;
    l -= n;
    c->ol = c->oo = 0;
  }
  if (c->ol + l > c->oc) {
    c->oc = (c->ol + l) * 2;
    c->ob = realloc(c->ob, c->oc);
  }
  memcpy(c->ob + c->ol, p, l);
  c->ol += l;
  arm(c, 1);
}
static void drop(struct conn *c) {
  if (c->fd < 0)
    return;
  close(c->fd);
  c->fd = -1;
  if (c->room) {
    struct room *r = c->room;
    r->m[c->slot] = r->m[--r->n];
    r->m[c->slot]->slot = c->slot;
  }
  free(c->rb);
  free(c->ob);
  c->rb = c->ob = NULL;
}
static u32 hdr(u8 *h, int op, u32 l) {
  h[0] = 0x80 | op;
  if (l < 126) {
    h[1] = l;
    return 2;
  }
  if (l < 65536) {
    h[1] = 126;
    h[2] = l >> 8;
    h[3] = l;
    return 4;
  }
  h[1] = 127;
  for (int i = 0; i < 8; i++)
    h[2 + i] = (u64)l >> (56 - 8 * i);
  return 10;
}
static u8 fbuf[(1 << 20) + 64];
static void msg(struct conn *c, int op, u8 *p, u32 l) {
  if (c->echo) {
    u32 h = hdr(fbuf, op, l);
    memcpy(fbuf + h, p, l);
    out(c, fbuf, h + l);
    return;
  }
  u8 *nl = memchr(p, '\n', l);
  if (!nl)
    return;
  u32 to = nl - p, rest = l - to, kl = strlen(c->key);
  u32 h = hdr(fbuf, op, kl + rest);
  memcpy(fbuf + h, c->key, kl);
  memcpy(fbuf + h + kl, nl, rest);
  struct room *r = c->room;
  for (int i = 0; i < r->n; i++)
    if (r->m[i] != c && (!to || (strlen(r->m[i]->key) == to && !memcmp(r->m[i]->key, p, to))))
      out(r->m[i], fbuf, h + kl + rest);
}
static int shake(struct conn *c, u8 *b, u32 n, u32 *used) {
  u8 *e = memmem(b, n, "\r\n\r\n", 4);
  if (!e)
    return 0;
  *e = 0;
  char *k = strcasestr((char *)b, "sec-websocket-key:");
  char path[128];
  if (!k || sscanf((char *)b, "GET %127s", path) != 1)
    return -1;
  sscanf(k + 18, " %31s", c->key);
  char t[80];
  snprintf(t, sizeof t, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", c->key);
  u8 d[20];
  sha1((u8 *)t, strlen(t), d);
  char a[40];
  b64(d, 20, a);
  char resp[256];
  int l = snprintf(resp, sizeof resp,
                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
                   "Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                   a);
  out(c, (u8 *)resp, l);
  c->echo = !strncmp(path, "/echo", 5);
  u32 hh = 5381;
  for (char *q = path; *q; q++)
    hh = hh * 33 + *q;
  struct room *r;
  for (r = rooms[hh & 4095]; r && strcmp(r->name, path); r = r->next)
    ;
  if (!r) {
    r = calloc(1, sizeof *r);
    strcpy(r->name, path);
    r->next = rooms[hh & 4095];
    rooms[hh & 4095] = r;
  }
  if (r->n == r->cap)
    r->m = realloc(r->m, (r->cap = r->cap * 2 + 4) * sizeof *r->m);
  c->slot = r->n;
  r->m[r->n++] = c;
  c->room = r;
  c->state = 1;
  *used = e + 4 - b;
  return 1;
}
static void readable(struct conn *c) {
  u32 pre = c->rl;
  if (pre)
    memcpy(sbuf, c->rb, pre);
  ssize_t n = recv(c->fd, sbuf + pre, sizeof sbuf - pre, 0);
  if (n <= 0) {
    if (n < 0 && errno == EAGAIN)
      return;
    drop(c);
    return;
  }
  u32 tot = pre + n, o = 0;
  if (!c->state) {
    u32 u = 0;
    int r = shake(c, sbuf, tot, &u);
    if (r < 0) {
      drop(c);
      return;
    }
    o = u;
  }
  if (c->state)
    while (tot - o >= 6) {
      u32 h = 2;
      u64 l = sbuf[o + 1] & 127;
      int op = sbuf[o] & 15;
      if (l == 126) {
        if (tot - o < 8)
          break;
        l = sbuf[o + 2] << 8 | sbuf[o + 3];
        h = 4;
      } else if (l == 127) {
        if (tot - o < 14)
          break;
        l = 0;
        for (int i = 0; i < 8; i++)
          l = l << 8 | sbuf[o + 2 + i];
        h = 10;
      }
      if (l > (1 << 19)) {
        drop(c);
        return;
      }
      if (tot - o < h + 4 + l)
        break;
      u8 *m = sbuf + o + h, *p = m + 4;
      u64 m8;
      u8 t8[8];
      for (int k = 0; k < 8; k++)
        t8[k] = m[k & 3];
      memcpy(&m8, t8, 8);
      u32 i = 0;
      for (; i + 8 <= l; i += 8) {
        u64 v;
        memcpy(&v, p + i, 8);
        v ^= m8;
        memcpy(p + i, &v, 8);
      }
      for (; i < l; i++)
        p[i] ^= m[i & 3];
      if (op == 8) {
        drop(c);
        return;
      }
      if (op == 9) {
        u32 hl = hdr(fbuf, 10, l);
        memcpy(fbuf + hl, p, l);
        out(c, fbuf, hl + l);
      } else if (op <= 2)
        msg(c, op, p, l);
      o += h + 4 + l;
    }
  u32 rest = tot - o;
  if (rest) {
    if (c->rc < rest)
      c->rb = realloc(c->rb, c->rc = rest * 2);
    memcpy(c->rb, sbuf + o, rest);
  }
  c->rl = rest;
}
int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  struct rlimit rl;
  getrlimit(RLIMIT_NOFILE, &rl);
  rl.rlim_cur = rl.rlim_max;
  setrlimit(RLIMIT_NOFILE, &rl);
  ep = epoll_create1(0);
  int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
  setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in a = {.sin_family = AF_INET,
                          .sin_port = htons(argc > 1 ? atoi(argv[1]) : 8040),
                          .sin_addr = {htonl(INADDR_LOOPBACK)}};
  if (bind(s, (void *)&a, sizeof a) || listen(s, 4096)) {
    perror("listen");
    return 1;
  }
  struct epoll_event e = {EPOLLIN, {.ptr = NULL}}, ev[512];
  epoll_ctl(ep, EPOLL_CTL_ADD, s, &e);
  for (;;) {
    int n = epoll_wait(ep, ev, 512, -1);
    for (int i = 0; i < n; i++) {
      struct conn *c = ev[i].data.ptr;
      if (!c) {
        for (;;) {
          int fd = accept4(s, 0, 0, SOCK_NONBLOCK);
          if (fd < 0)
            break;
          setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
          c = calloc(1, sizeof *c);
          c->fd = fd;
          struct epoll_event x = {EPOLLIN, {.ptr = c}};
          epoll_ctl(ep, EPOLL_CTL_ADD, fd, &x);
        }
        continue;
      }
      if (c->fd >= 0 && (ev[i].events & EPOLLOUT)) {
        ssize_t k = send(c->fd, c->ob + c->oo, c->ol - c->oo, MSG_NOSIGNAL);
        if (k > 0)
          c->oo += k;
        if (c->oo == c->ol) {
          c->oo = c->ol = 0;
          arm(c, 0);
        }
      }
      if (c->fd >= 0 && (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        readable(c);
    }
  }
}
