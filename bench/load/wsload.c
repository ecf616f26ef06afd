/*
 * wsload - bounded WebSocket load generator for relay/sync servers (Linux, epoll, single thread).
 *
 * All clients live in this one process, so one clock is used for sending and receiving and
 * one-way latency can be measured.  Payloads are made from a template with fixed-width tokens: one
 * template for all changes (--template, sent as text), or one for each change (--changes, a file of
 * [u32 length][bytes], sent as binary messages in this order by each room's first client; given
 * twice, the second file is the second client's).  Measuring ends early when those run out.
 *
 * Tokens (each is replaced by text of the same length):
 *   @@##########        "@@" + 10-digit sequence number (what receivers look for)
 *   #HLC############    16-character hybrid logical clock stamp, growing
 *   #TXID######         11-character transaction id
 *   #ROW####            8-digit row number (sequence modulo --rows)
 *   #ROOMID#            8-digit room number
 *
 * Modes:
 *   fanout    in each room the first --senders clients send, all others receive
 *   pingpong  two clients a room; each answers what it received with its next change
 *   stream    every client streams changes; after --ack-every changes it sends the --ack template
 *             (a request that the server itself answers) and waits, with at most --window
 *             unacknowledged groups
 *   idle      connect, print READY, hold until stdin closes or --secs have passed
 *   probe     one client a room; in each round wait, then send one request a room, one after
 *             the other, and time the answer
 *   cold      one room after the other: connect, upgrade, request; time until the answer
 *
 * With --host-first 1 the others of a room connect when its first client has been told something.
 *
 * Everything is bounded: --secs, --warmup, --max-msgs, and a hard alarm().
 * Prints one JSON object on stdout.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RING (1u << 16)
#define RMASK (RING - 1)
typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;

static u64 now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (u64)t.tv_sec * 1000000000ull + t.tv_nsec;
}
static void die(const char *m) {
  fprintf(stderr, "wsload: %s (errno %s)\n", m, strerror(errno));
  exit(2);
}

/* ---------- options ---------- */
static const char *o_host = "127.0.0.1", *o_path = "/room#ROOMID#", *o_mode = "fanout", *o_pids = NULL;
static int o_port = 8040, o_rooms = 1, o_clients = 2, o_window = 32, o_senders = 1, o_ackevery = 16,
           o_rows = 1000;
static int o_conc = 64, o_respond = 0, o_rate = 0, o_host_first = 0;
static double o_secs = 3, o_warm = 0.5, o_settle = 0.3;
static u64 o_max = 5000000;
static char *o_tmpl, *o_ack, *o_hello, *o_rounds = "0";
static size_t l_tmpl, l_ack, l_hello;
static const char *o_changes[2];
static int n_writers;

static char *slurp(const char *fn, size_t *len) {
  FILE *f = fopen(fn, "rb");
  if (!f)
    die(fn);
  struct stat st;
  fstat(fileno(f), &st);
  char *b = malloc(st.st_size + 1);
  *len = fread(b, 1, st.st_size, f);
  b[*len] = 0;
  fclose(f);
  return b;
}

/* ---------- templates ---------- */
struct patch {
  int kind;
  u32 off, len;
};
struct tmpl {
  char *b;
  u32 len;
  struct patch p[8];
  int n;
} T, A;
static struct series {
  struct tmpl *t;
  u64 n;
} W[2]; /* --changes: the changes of each writer */
static int ran_out;
enum { K_SEQ, K_HLC, K_TX, K_ROW, K_ROOM };
static void mk_tmpl(struct tmpl *t, char *b, size_t len) {
  static const struct {
    const char *s;
    int k;
    u32 skip;
  } tok[] = {{"@@##########", K_SEQ, 2},
             {"#HLC############", K_HLC, 0},
             {"#TXID######", K_TX, 0},
             {"#ROW####", K_ROW, 0},
             {"#ROOMID#", K_ROOM, 0}};
  t->b = b;
  t->len = len;
  for (u32 i = 0; i < len; i++)
    for (unsigned k = 0; (b[i] == '@' || b[i] == '#') && k < sizeof tok / sizeof *tok; k++) {
      u32 l = strlen(tok[k].s);
      if (i + l <= len && !memcmp(b + i, tok[k].s, l)) {
        if (t->n >= 8)
          die("too many tokens");
        t->p[t->n++] = (struct patch){tok[k].k, i + tok[k].skip, l - tok[k].skip};
        i += l - 1;
        break;
      }
    }
}
static void mk_series(struct series *s, const char *fn) {
  size_t len, o = 0, cap = 0;
  char *b = slurp(fn, &len);
  while (o + 4 <= len) {
    u32 l;
    memcpy(&l, b + o, 4);
    o += 4;
    if (l > len - o)
      die("a change is cut off");
    if (s->n == cap)
      s->t = realloc(s->t, (cap = cap * 2 + 1024) * sizeof *s->t);
    memset(s->t + s->n, 0, sizeof *s->t);
    mk_tmpl(s->t + s->n++, b + o, l);
    o += l;
  }
}
static const char E64[] = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
static void digits(char *d, u64 v, int n) {
  while (n--) {
    d[n] = '0' + v % 10;
    v /= 10;
  }
}
static u64 hlc_ms;
static u64 hlc_ctr;
static void hlc(char *d, u32 client) {
  u64 c = hlc_ctr++;
  u64 ms = hlc_ms + (c >> 24);
  c &= 0xffffff;
  for (int i = 0; i < 7; i++)
    d[i] = E64[(ms >> (36 - 6 * i)) & 63];
  for (int i = 0; i < 4; i++)
    d[7 + i] = E64[(c >> (18 - 6 * i)) & 63];
  for (int i = 0; i < 5; i++)
    d[11 + i] = E64[(client >> (24 - 6 * i)) & 63];
}

/* ---------- connections ---------- */
struct conn {
  int fd, room, idx, state; /* 1 handshake, 2 open, 3 closed */
  u8 *rb;
  u32 rl, rc;
  u8 *ob;
  u32 ol, oc, oo;
  int dirty, wantw;
  u64 sent, groups, recv;
  u64 skip;
  u64 probe_t0;
};
static struct conn *C;
static int NC, ep;
static int opened, closed_n;
static u64 rx_bytes, rx_msgs, other_msgs, closes, responded;
static int *dirtyq;
static int ndirty;

static u64 *ring_t;
static u32 *ring_left;
static u64 *room_seq;
static u32 *room_out;
static int measuring;
static u64 t_start, t_end;
static u64 n_deliv, n_done, n_sent, n_stale;

/* latency histogram: 64 sub-buckets per power of two */
static u32 hist[64 * 64];
static u64 hist_n, hist_max;
static void hadd(u64 v) {
  int e = v < 64 ? 0 : 58 - __builtin_clzll(v); /* v >> e keeps six significant bits */
  hist[(e << 6) | (v >> e)]++;
  hist_n++;
  if (v > hist_max)
    hist_max = v;
}
static double hpct(double p) {
  u64 want = (u64)(p * hist_n), c = 0;
  if (!hist_n)
    return 0;
  for (u32 i = 0; i < 64 * 64; i++) {
    c += hist[i];
    if (c > want) {
      u32 e = i >> 6, m = i & 63;
      return e ? (double)((u64)m << e) + (double)(1ull << e) / 2 : m;
    }
  }
  return (double)hist_max;
}

static void flush_conn(struct conn *c) {
  while (c->oo < c->ol) {
    ssize_t n = send(c->fd, c->ob + c->oo, c->ol - c->oo, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EAGAIN) {
        if (!c->wantw) {
          c->wantw = 1;
          struct epoll_event e = {EPOLLIN | EPOLLOUT, {.ptr = c}};
          epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
        }
        return;
      }
      c->state = 3;
      return;
    }
    c->oo += n;
  }
  c->ol = c->oo = 0;
  if (c->wantw) {
    c->wantw = 0;
    struct epoll_event e = {EPOLLIN, {.ptr = c}};
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
  }
}
static void queue_raw(struct conn *c, const void *p, u32 l) {
  if (c->ol + l > c->oc) {
    c->oc = (c->ol + l) * 2 + 256;
    c->ob = realloc(c->ob, c->oc);
  }
  memcpy(c->ob + c->ol, p, l);
  c->ol += l;
  if (!c->dirty) {
    c->dirty = 1;
    dirtyq[ndirty++] = c - C;
  }
}
static void flush_all(void) {
  for (int i = 0; i < ndirty; i++) {
    struct conn *c = C + dirtyq[i];
    c->dirty = 0;
    if (c->state < 3)
      flush_conn(c);
  }
  ndirty = 0;
}
static u8 *
frame_begin(struct conn *c, u32 plen,
            int op) { /* reserves header + payload; returns payload pointer (unmasked; call frame_end) */
  u8 h[14];
  u32 hl = 2;
  h[0] = 0x80 | op;
  if (plen < 126)
    h[1] = 0x80 | plen;
  else if (plen < 65536) {
    h[1] = 0x80 | 126;
    h[2] = plen >> 8;
    h[3] = plen;
    hl = 4;
  } else {
    h[1] = 0x80 | 127;
    for (int i = 0; i < 8; i++)
      h[2 + i] = (u64)plen >> (56 - 8 * i);
    hl = 10;
  }
  h[hl] = 0x37;
  h[hl + 1] = 0xfa;
  h[hl + 2] = 0x21;
  h[hl + 3] = 0x3d;
  hl += 4;
  queue_raw(c, h, hl);
  if (c->ol + plen > c->oc) {
    c->oc = (c->ol + plen) * 2;
    c->ob = realloc(c->ob, c->oc);
  }
  u8 *p = c->ob + c->ol;
  c->ol += plen;
  return p;
}
static void frame_end(u8 *p, u32 plen) {
  static const u8 m[4] = {0x37, 0xfa, 0x21, 0x3d};
  u32 i = 0;
  u64 m8;
  u8 t[8];
  for (int k = 0; k < 8; k++)
    t[k] = m[k & 3];
  memcpy(&m8, t, 8);
  for (; i + 8 <= plen; i += 8) {
    u64 v;
    memcpy(&v, p + i, 8);
    v ^= m8;
    memcpy(p + i, &v, 8);
  }
  for (; i < plen; i++)
    p[i] ^= m[i & 3];
}
static void send_frame(struct conn *c, const void *d, u32 l, int op) {
  u8 *p = frame_begin(c, l, op);
  memcpy(p, d, l);
  frame_end(p, l);
}
static void patch_room(u8 *p, u32 l, int room) {
  for (u8 *q = p; (q = memmem(q, l - (q - p), "#ROOMID#", 8)); q += 8)
    digits((char *)q, room, 8);
}

static int send_change(struct conn *c, u64 seq) { /* 0: there is no other */
  struct tmpl *t = &T;
  if (n_writers) {
    struct series *w = &W[c->idx % n_writers];
    if (c->sent >= w->n)
      return !(ran_out = 1);
    t = w->t + c->sent;
  }
  u8 *p = frame_begin(c, t->len, n_writers ? 2 : 1);
  memcpy(p, t->b, t->len);
  for (int i = 0; i < t->n; i++) {
    char *d = (char *)p + t->p[i].off;
    switch (t->p[i].kind) {
    case K_SEQ:
      digits(d, seq, 10);
      break;
    case K_HLC:
      hlc(d, 77 + c->idx);
      break;
    case K_TX:
      digits(d, seq, 11);
      break;
    case K_ROW:
      digits(d, seq % o_rows, 8);
      break;
    case K_ROOM:
      digits(d, c->room, 8);
    }
  }
  frame_end(p, t->len);
  c->sent++;
  if (measuring)
    n_sent++;
  return 1;
}
static void send_ack(struct conn *c, u64 seq) {
  u8 *p = frame_begin(c, A.len, 1);
  memcpy(p, A.b, A.len);
  for (int i = 0; i < A.n; i++) {
    char *d = (char *)p + A.p[i].off;
    if (A.p[i].kind == K_SEQ)
      digits(d, seq, 10);
    else if (A.p[i].kind == K_ROOM)
      digits(d, c->room, 8);
  }
  frame_end(p, A.len);
}

static int M_fan, M_ping, M_stream, M_idle, M_probe, M_cold;
static int probing = -1;
static u64 probe_done;

static void conn_fanout_fill(struct conn *c) {
  u32 r = c->room;
  u32 receivers = o_clients - 1;
  while (room_out[r] < (u32)o_window && n_done < o_max) {
    u64 s = room_seq[r];
    if (!send_change(c, s))
      break;
    room_seq[r]++;
    u32 k = r * RING + (s & RMASK);
    ring_t[k] = now_ns();
    ring_left[k] = receivers;
    room_out[r]++;
    if (o_rate)
      break;
  }
}
static void group_send(struct conn *c) {
  u64 cid = c - C;
  while (c->groups < (u64)o_window) {
    for (int i = 0; i < o_ackevery; i++)
      send_change(c, cid * 100000 + (c->sent % 100000));
    u64 g = room_seq[cid]++;
    ring_t[cid * 1024 + (g & 1023)] = now_ns();
    send_ack(c, g);
    c->groups++;
  }
}

static void respond(struct conn *c, const u8 *p,
                    u32 l) { /* answer the server client's requests as an empty store would */
  if (l < 10 || p[0] != 'S' || p[1] != '\n' || p[2] != '[' || p[3] != '"')
    return;
  const u8 *q = memchr(p + 4, '"', l - 4);
  if (!q || q + 3 > p + l || q[1] != ',')
    return;
  int m = q[2] - '0';
  const char *body = m == 1 ? "[0,0]" : m == 4 || m == 5 ? "[[{}],{}]" : m == 6 || m == 7 ? "[{}]" : NULL;
  if (!body)
    return;
  char b[256];
  int n = snprintf(b, sizeof b, "S\n[\"%.*s\",0,%s]", (int)(q - p - 4) > 100 ? 100 : (int)(q - p - 4), p + 4,
                   body);
  send_frame(c, b, n, 1);
  responded++;
}

static const u8 *find_seq(const u8 *p, u32 l, u64 *seq) { /* "@@" and ten digits, wherever they stand */
  for (const u8 *m = p; (m = memmem(m, l - (m - p), "@@", 2)) && m + 12 <= p + l; m++) {
    int i = 2;
    for (*seq = 0; i < 12 && isdigit(m[i]); i++)
      *seq = *seq * 10 + (m[i] - '0');
    if (i == 12)
      return m;
  }
  return NULL;
}

static void on_seq(struct conn *c, u64 s, int is_ack, u64 t) {
  if (M_fan) {
    if (c->idx < o_senders)
      return; /* servers that echo to the sender */
    u32 k = c->room * RING + (s & RMASK);
    if (s >= room_seq[c->room] || !ring_left[k]) {
      n_stale++;
      return;
    }
    if (measuring) {
      n_deliv++;
      hadd(t - ring_t[k]);
    }
    if (!--ring_left[k]) {
      room_out[c->room]--;
      if (measuring)
        n_done++;
      if (!o_rate)
        conn_fanout_fill(C + (i64)c->room * o_clients);
    }
  } else if (M_ping) {
    u32 r = c->room;
    if (s + 1 != room_seq[r]) {
      n_stale++;
      return;
    }
    if ((int)(s & 1) == c->idx) {
      n_stale++;
      return;
    } /* own echo */
    if (measuring) {
      n_deliv++;
      n_done++;
      hadd(t - ring_t[r]);
    }
    if (!send_change(c, room_seq[r]))
      return;
    room_seq[r]++;
    ring_t[r] = now_ns();
  } else if (M_stream) {
    if (!is_ack) {
      if (measuring)
        n_deliv++;
      return;
    } /* somebody's change; acks are "A@@.." */
    if (measuring) {
      n_done += o_ackevery;
      hadd(t - ring_t[(c - C) * 1024 + (s & 1023)]);
    }
    c->groups--;
    group_send(c);
  } else if (M_probe || M_cold) {
    if (probing == c - C) {
      hadd(t - c->probe_t0);
      probe_done = t - c->probe_t0 + 1;
      probing = -1;
    }
  }
}

static void on_msg(struct conn *c, const u8 *p, u32 l, u64 t) {
  rx_msgs++;
  c->recv++;
  u64 s = 0;
  const u8 *m = M_idle ? NULL : find_seq(p, l, &s);
  if (!m) {
    other_msgs += !M_idle;
    if (o_respond)
      respond(c, p, l);
    return;
  }
  on_seq(c, s, m >= p + 3 && m[-1] == 'A', t);
  while (n_writers && (m = find_seq(m + 12, l - (m + 12 - p), &s))) /* changes that the server has merged */
    on_seq(c, s, 0, t);
}

static void on_open(struct conn *c) {
  opened++;
  if (o_hello) { /* repeated [u32 length][u8 opcode][bytes] */
    for (size_t o = 0; o + 5 <= l_hello;) {
      u32 l;
      memcpy(&l, o_hello + o, 4);
      int op = o_hello[o + 4];
      o += 5;
      u8 *p = frame_begin(c, l, op);
      memcpy(p, o_hello + o, l);
      patch_room(p, l, c->room);
      frame_end(p, l);
      o += l;
    }
  }
}

static u8 sbuf[1 << 20];
static void consume(struct conn *c, u8 *b, u32 n, u64 t, u32 *used) {
  u32 o = 0;
  while (o < n) {
    if (c->skip) {
      u64 k = c->skip < n - o ? c->skip : n - o;
      c->skip -= k;
      o += k;
      continue;
    }
    if (n - o < 2)
      break;
    u8 op = b[o] & 15;
    u64 l = b[o + 1] & 127;
    u32 h = 2;
    if (l == 126) {
      if (n - o < 4)
        break;
      l = b[o + 2] << 8 | b[o + 3];
      h = 4;
    } else if (l == 127) {
      if (n - o < 10)
        break;
      l = 0;
      for (int i = 0; i < 8; i++)
        l = l << 8 | b[o + 2 + i];
      h = 10;
    }
    if (n - o < h + l) {
      if (l > (1 << 19)) { /* big message: look at its head only */
        u32 have = n - o - h;
        if (have > 4096) {
          on_msg(c, b + o + h, 4096, t);
          c->skip = l - have;
          o = n;
        }
      }
      break;
    }
    if (op <= 2)
      on_msg(c, b + o + h, l, t);
    else if (op == 9)
      send_frame(c, b + o + h, l, 10);
    else if (op == 8) {
      closes++;
      if (getenv("WSLOAD_DEBUG") && l >= 2)
        fprintf(stderr, "close %d %.*s\n", b[o + h] << 8 | b[o + h + 1], (int)l - 2, b + o + h + 2);
      c->state = 3;
    }
    o += h + l;
  }
  *used = o;
}
static void drop(struct conn *c) {
  if (c->fd >= 0) {
    close(c->fd);
    c->fd = -1;
    closed_n++;
  }
  c->state = 3;
}
static void on_readable(struct conn *c) {
  for (int rounds = 0; rounds < 4; rounds++) {
    u32 pre = c->rl;
    if (pre)
      memcpy(sbuf, c->rb, pre);
    ssize_t n = recv(c->fd, sbuf + pre, sizeof sbuf - pre, 0);
    if (n < 0) {
      if (errno == EAGAIN)
        return;
      drop(c);
      return;
    }
    if (n == 0) {
      drop(c);
      return;
    }
    rx_bytes += n;
    u64 t = now_ns();
    u32 tot = pre + n, off = 0;
    if (c->state == 1) {
      u8 *e = memmem(sbuf, tot, "\r\n\r\n", 4);
      if (e) {
        if (memcmp(sbuf, "HTTP/1.1 101", 12)) {
          fprintf(stderr, "wsload: handshake refused: %.*s\n", (int)(tot > 200 ? 200 : tot), sbuf);
          exit(3);
        }
        off = e + 4 - sbuf;
        c->state = 2;
        on_open(c);
      }
    }
    u32 used = 0;
    if (c->state >= 2 && off < tot)
      consume(c, sbuf + off, tot - off, t, &used);
    u32 rest = tot - off - used;
    if (c->state < 2) {
      rest = tot;
      off = used = 0;
    }
    if (rest) {
      if (c->rc < rest) {
        c->rc = rest * 2 < 512 ? 512 : rest * 2;
        c->rb = realloc(c->rb, c->rc);
      }
      memcpy(c->rb, sbuf + off + used, rest);
    } else if (c->rb && c->rc > 4096) {
      free(c->rb);
      c->rb = NULL;
      c->rc = 0;
    }
    c->rl = rest;
    if (c->state == 3) {
      drop(c);
      return;
    }
    if ((u32)n < sizeof sbuf - pre)
      return;
  }
}
static struct sockaddr_in addr;
static void start_conn(struct conn *c) {
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0)
    die("socket");
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(c->fd, (void *)&addr, sizeof addr) && errno != EINPROGRESS)
    die("connect");
  struct epoll_event e = {EPOLLIN | EPOLLOUT, {.ptr = c}};
  epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
  c->wantw = 1;
  static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char key[25];
  u64 id = c - C;
  u32 r = getpid() * 2654435761u;
  for (int i = 0; i < 22; i++) {
    key[i] = b64[(i < 5 ? id >> (6 * i) : (r >> (i % 6)) + i) & 63];
  }
  key[21] = 'A';
  key[22] = key[23] = '=';
  key[24] = 0;
  char path[512];
  snprintf(path, sizeof path, "%s", o_path);
  patch_room((u8 *)path, strlen(path), c->room);
  char b[2048];
  int n = snprintf(b, sizeof b,
                   "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: "
                   "Upgrade\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n",
                   path, o_host, o_port, key);
  c->state = 1;
  queue_raw(c, b, n);
}
static void pump(int timeout) {
  static struct epoll_event ev[1024];
  flush_all();
  int n = epoll_wait(ep, ev, 1024, timeout);
  for (int i = 0; i < n; i++) {
    struct conn *c = ev[i].data.ptr;
    if (c->fd < 0)
      continue;
    if (ev[i].events & EPOLLOUT) {
      flush_conn(c);
    }
    if (ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
      on_readable(c);
  }
  flush_all();
}
static void pump_for(double s) {
  u64 e = now_ns() + (u64)(s * 1e9);
  while (now_ns() < e) {
    i64 l = (e - now_ns()) / 1000000;
    pump(l > 50 ? 50 : l < 1 ? 1 : (int)l);
  }
}

/* ---------- cpu accounting ---------- */
static u64 pid_ticks(int pid) {
  char f[64], b[1024];
  snprintf(f, sizeof f, "/proc/%d/stat", pid);
  FILE *h = fopen(f, "r");
  if (!h)
    return 0;
  size_t n = fread(b, 1, sizeof b - 1, h);
  fclose(h);
  b[n] = 0;
  char *p = strrchr(b, ')');
  if (!p)
    return 0;
  unsigned long ut, st;
  if (sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &ut, &st) != 2)
    return 0;
  return ut + st;
}
static u64 pids_ticks(void) {
  u64 s = 0;
  if (o_pids)
    for (const char *p = o_pids; *p;) {
      s += pid_ticks(atoi(p));
      p = strchr(p, ',');
      if (!p)
        break;
      p++;
    }
  return s;
}
static void sys_ticks(u64 *busy, u64 *steal, u64 *tot) {
  FILE *h = fopen("/proc/stat", "r");
  unsigned long long v[8] = {0};
  if (h) {
    if (fscanf(h, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6,
               v + 7) < 8) {
    }
    fclose(h);
  }
  *busy = v[0] + v[1] + v[2] + v[5] + v[6];
  *steal = v[7];
  *tot = *busy + v[3] + v[4] + v[7];
}
static double self_cpu(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

/* ---------- what main does, step by step ---------- */
static void parse_options(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    char *a = argv[i];
    if (i + 1 >= argc)
      die("missing value");
    char *v = argv[++i];
#define S(n, x) else if (!strcmp(a, n)) x = v
#define I(n, x) else if (!strcmp(a, n)) x = atoi(v)
#define D(n, x) else if (!strcmp(a, n)) x = atof(v)
    if (0) {
    }
    S("--host", o_host);
    I("--port", o_port);
    S("--path", o_path);
    S("--mode", o_mode);
    S("--pids", o_pids);
    I("--rooms", o_rooms);
    I("--clients", o_clients);
    I("--window", o_window);
    I("--senders", o_senders);
    I("--ack-every", o_ackevery);
    I("--rows", o_rows);
    I("--connect-concurrency", o_conc);
    I("--respond", o_respond);
    I("--rate", o_rate);
    I("--host-first", o_host_first);
    D("--secs", o_secs);
    D("--warmup", o_warm);
    D("--settle", o_settle);
    S("--rounds", o_rounds);
    else if (!strcmp(a, "--max-msgs")) o_max = strtoull(v, 0, 10);
    else if (!strcmp(a, "--template")) o_tmpl = slurp(v, &l_tmpl);
    else if (!strcmp(a, "--ack")) o_ack = slurp(v, &l_ack);
    else if (!strcmp(a, "--hello")) o_hello = slurp(v, &l_hello);
    else if (!strcmp(a, "--changes") && n_writers < 2) o_changes[n_writers++] = v;
    else die(a);
  }
}
static void choose_mode(void) {
  M_fan = !strcmp(o_mode, "fanout");
  M_ping = !strcmp(o_mode, "pingpong");
  M_stream = !strcmp(o_mode, "stream");
  M_idle = !strcmp(o_mode, "idle");
  M_probe = !strcmp(o_mode, "probe");
  M_cold = !strcmp(o_mode, "cold");
  if (!(M_fan | M_ping | M_stream | M_idle | M_probe | M_cold))
    die("unknown mode");
  if (strncmp(o_host, "127.", 4))
    die("loopback only");
  NC = o_rooms * o_clients;
  if (NC < 1 || NC > 19000)
    die("1..19000 clients");
  if (o_secs > 120 || o_window > 1000)
    die("bounds: --secs <= 120, --window <= 1000");
}
static void set_up(void) {
  signal(SIGPIPE, SIG_IGN);
  alarm(300);
  struct rlimit rl;
  getrlimit(RLIMIT_NOFILE, &rl);
  rl.rlim_cur = rl.rlim_max;
  setrlimit(RLIMIT_NOFILE, &rl);
  if (o_tmpl)
    mk_tmpl(&T, o_tmpl, l_tmpl);
  if (o_ack)
    mk_tmpl(&A, o_ack, l_ack);
  for (int i = 0; i < n_writers; i++)
    mk_series(W + i, o_changes[i]);
  struct timespec rt;
  clock_gettime(CLOCK_REALTIME, &rt);
  hlc_ms = (u64)rt.tv_sec * 1000 + rt.tv_nsec / 1000000;
  addr.sin_family = AF_INET;
  addr.sin_port = htons(o_port);
  inet_pton(AF_INET, o_host, &addr.sin_addr);
  C = calloc(NC, sizeof *C);
  dirtyq = malloc(NC * sizeof(int));
  ep = epoll_create1(0);
  room_seq = calloc(NC + o_rooms, 8);
  room_out = calloc(o_rooms, 4);
  if (M_fan) {
    ring_t = calloc((size_t)o_rooms * RING, 8);
    ring_left = calloc((size_t)o_rooms * RING, 4);
  } else if (M_ping)
    ring_t = calloc(o_rooms, 8);
  else
    ring_t = calloc((size_t)NC * 1024, 8);
  for (int i = 0; i < NC; i++) {
    C[i].room = i / o_clients;
    C[i].idx = i % o_clients;
    C[i].fd = -1;
  }
}
static double connect_all(void) {
  u64 c0 = now_ns();
  int next = 0;
  while (!M_cold && opened < NC) {
    while (next < NC && next - opened < o_conc) {
      if (o_host_first && next % o_clients == 1 && !C[next - 1].recv)
        break;
      start_conn(C + next++);
    }
    pump(20);
    if (closed_n) {
      fprintf(stderr, "wsload: %d connections dropped while connecting\n", closed_n);
      exit(3);
    }
    if (now_ns() - c0 > 120000000000ull)
      die("connect timeout");
  }
  return (now_ns() - c0) / 1e9;
}
static void hold_idle(double connect_s) {
  printf("READY %d %.3f\n", NC, connect_s);
  fflush(stdout);
  u64 e = now_ns() + (u64)(o_secs * 1e9);
  struct pollfd pf = {0, POLLIN, 0};
  while (now_ns() < e) {
    pump(100);
    if (poll(&pf, 1, 0) > 0)
      break;
  }
  printf("{\"mode\":\"idle\",\"clients\":%d,\"closed\":%d,\"rx_msgs\":%llu,\"connect_s\":%.3f}\n", NC,
         closed_n, (unsigned long long)rx_msgs, connect_s);
}
static void measure_cold(void) {
  printf("{\"mode\":\"cold\",\"rooms\":%d,\"ms\":[", o_rooms);
  int lost = 0;
  for (int i = 0; i < NC; i++) {
    struct conn *c = C + i;
    u64 t0 = now_ns(), e = t0 + 10000000000ull;
    int asked = 0;
    c->probe_t0 = t0;
    probing = i;
    probe_done = 0;
    start_conn(c);
    while (probing >= 0 && now_ns() < e && c->state < 3) {
      pump(5);
      if (c->state == 2 && !asked) {
        asked = 1;
        send_ack(c, 0);
      }
    }
    if (!probe_done) {
      lost++;
      probing = -1;
      printf("%snull", i ? "," : "");
    } else
      printf("%s%.4f", i ? "," : "", (probe_done - 1) / 1e6);
  }
  printf("],\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"lost\":%d}\n", hpct(.5) / 1e6, hpct(.99) / 1e6, lost);
}
static void measure_probes(void) {
  printf("{\"mode\":\"probe\",\"rooms\":%d,\"rounds\":[", o_rooms);
  int first = 1;
  for (char *r = o_rounds; r && *r;) {
    double w = atof(r);
    if (w > 100)
      w = 100;
    pump_for(w);
    memset(hist, 0, sizeof hist);
    hist_n = hist_max = 0;
    int lost = 0;
    printf("%s{\"wait_s\":%.1f,\"ms\":[", first ? "" : ",", w);
    first = 0;
    for (int i = 0; i < NC; i += o_clients) {
      struct conn *c = C + i;
      u64 s = room_seq[i]++;
      if (o_ack)
        send_ack(c, s);
      else
        send_change(c, s);
      c->probe_t0 = now_ns();
      probing = i;
      probe_done = 0;
      u64 e = now_ns() + 10000000000ull;
      while (probing >= 0 && now_ns() < e && c->state == 2)
        pump(5);
      if (!probe_done) {
        lost++;
        probing = -1;
        printf("%snull", i ? "," : "");
      } else
        printf("%s%.4f", i ? "," : "", (probe_done - 1) / 1e6);
    }
    printf("],\"p50_ms\":%.4f,\"p99_ms\":%.4f,\"lost\":%d}", hpct(.5) / 1e6, hpct(.99) / 1e6, lost);
    r = strchr(r, ',');
    if (r)
      r++;
  }
  printf("],\"closed\":%d}\n", closed_n);
}
static void start_load(void) {
  for (int r = 0; r < o_rooms; r++) {
    if (M_fan) {
      if (!o_rate)
        for (int s = 0; s < o_senders; s++)
          conn_fanout_fill(C + r * o_clients + s);
    } else if (M_ping) {
      send_change(C + r * o_clients, 0);
      room_seq[r] = 1;
      ring_t[r] = now_ns();
    } else
      for (int i = 0; i < o_clients; i++)
        group_send(C + r * o_clients + i);
  }
}
/* what the machine had used up at a moment: the server, everybody, this process */
struct usage {
  u64 server, busy, steal, total, received;
  double self;
};
static struct usage usage_now(void) {
  struct usage u = {.server = pids_ticks(), .self = self_cpu(), .received = rx_bytes};
  sys_ticks(&u.busy, &u.steal, &u.total);
  return u;
}
static void report(struct usage a, struct usage b, double el) {
  long hz = sysconf(_SC_CLK_TCK);
  double scpu = (double)(b.server - a.server) / hz, lcpu = b.self - a.self,
         bcpu = (double)(b.busy - a.busy) / hz;
  printf("{\"mode\":\"%s\",\"rooms\":%d,\"clients\":%d,\"window\":%d,\"rate\":%d,\"secs\":%.3f,\"sent\":%llu,"
         "\"done\":%llu,\"deliveries\":%llu,\"sent_s\":%.1f,\"done_s\":%.1f,\"deliveries_s\":%.1f,"
         "\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,\"rx_MBps\":%.2f,\"other_msgs\":%"
         "llu,\"stale\":%llu,\"closed\":%d,\"responded\":%llu,"
         "\"server_cpu\":%.3f,\"load_cpu\":%.3f,\"other_cpu\":%.3f,\"steal\":%.4f,\"us_per_delivery\":%.3f,"
         "\"us_per_done\":%.3f}\n",
         o_mode, o_rooms, o_clients, o_window, o_rate, el, (unsigned long long)n_sent,
         (unsigned long long)n_done, (unsigned long long)n_deliv, n_sent / el, n_done / el, n_deliv / el,
         hpct(.5) / 1e3, hpct(.9) / 1e3, hpct(.99) / 1e3, hist_max / 1e3,
         (b.received - a.received) / el / 1e6, (unsigned long long)other_msgs, (unsigned long long)n_stale,
         closed_n, (unsigned long long)responded, scpu / el, lcpu / el, (bcpu - scpu - lcpu) / el,
         b.total > a.total ? (double)(b.steal - a.steal) / (b.total - a.total) : 0,
         n_deliv ? scpu * 1e6 / n_deliv : 0, n_done ? scpu * 1e6 / n_done : 0);
}
static void measure_load(void) {
  struct usage before = {0};
  u64 w_end = now_ns() + (u64)(o_warm * 1e9), rate_next = now_ns();
  int phase = 0;
  u64 stall_at = now_ns(), stall_cnt = 0;
  for (;;) {
    u64 t = now_ns();
    if (!phase && t >= w_end) {
      phase = 1;
      measuring = 1;
      t_start = t;
      before = usage_now();
      t_end = t + (u64)(o_secs * 1e9);
    }
    if (ran_out && !phase)
      die("the changes ran out before anything was measured");
    if (phase && (t >= t_end || n_done >= o_max || ran_out || closed_n == NC))
      break;
    if (rx_msgs != stall_cnt) {
      stall_cnt = rx_msgs;
      stall_at = t;
    } else if (t - stall_at > 8000000000ull) {
      fprintf(stderr, "wsload: stalled\n");
      break;
    }
    if (o_rate) {
      while (rate_next <= t) {
        for (int r = 0; r < o_rooms; r++)
          conn_fanout_fill(C + r * o_clients);
        rate_next += 1000000000ull / o_rate;
      }
      i64 d = (i64)(rate_next - now_ns()) / 1000000;
      pump(d > 0 ? (int)d : 0);
    } else
      pump(20);
  }
  if (!phase) {
    fprintf(stderr, "wsload: no measurement\n");
    exit(4);
  }
  report(before, usage_now(), (now_ns() - t_start) / 1e9);
}

int main(int argc, char **argv) {
  parse_options(argc, argv);
  choose_mode();
  set_up();
  double connect_s = connect_all();
  pump_for(o_settle);
  if (M_idle)
    hold_idle(connect_s);
  else if (M_cold)
    measure_cold();
  else if (M_probe)
    measure_probes();
  else {
    start_load();
    measure_load();
  }
  return 0;
}
